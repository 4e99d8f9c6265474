"""Recordings that are checked from the pages: which folders, how far, what failed; cancelled, and after a restart."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command import FULL_VISIT, transcript
from support.pages_site import Clock, accounts, browser, csrf, settings, sign_in, signed_in
from support.small_counter import SMALL_FILE

from counter_listener.domain import ReviewError
from counter_listener.record import open_record
from counter_listener.web.jobs import Jobs
from counter_listener.web.server_file import JobsTable, ServerFile

COMMAND = (sys.executable, "-m", "counter_listener.cli.job_process")
PATIENCE = 120.0
"""Seconds for what takes three on an idle machine."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A record beside a folder `in` that may be checked, and one, `other`, that may not."""
    for name in ("in", "in/deep", "other"):
        (tmp_path / name).mkdir()
    with open_record(tmp_path / "events.db"):
        return tmp_path


def fill(folder: Path, number: int) -> None:
    for n in range(number):
        transcript(folder / "in" / "deep" / f"{n}.jsonl", [(0.0, 2.0, f"您好{n}号"), *FULL_VISIT[1:]])


def jobs_of(folder: Path, command: tuple[str, ...] = COMMAND) -> Jobs:
    request = {
        "record": str(folder / "events.db"),
        "key": None,
        "phrases": str(SMALL_FILE),
        "model": "counter-cn",
        "processes": 1,
        "executor": "",
    }
    return Jobs(request["record"], JobsTable(folders=[str(folder / "in")]), command, request, Clock())  # type: ignore[arg-type]


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def recorded(folder: Path) -> int:
    with sqlite3.connect(folder / "events.db") as database:
        return int(database.execute("select count(*) from recordings").fetchone()[0])


def test_a_job_checks_a_folder_and_names_what_failed_and_the_next_one_waits(folder: Path) -> None:
    fill(folder, 3)
    (folder / "in" / "bad.jsonl").write_text("no transcript", encoding="utf-8")
    (folder / "in" / "notes.txt").write_text("no sound", encoding="utf-8")
    jobs = jobs_of(folder)
    first = jobs.add(str(folder / "in"), "li", counter="3", one_visit=False)
    second = jobs.add(str(folder / "in" / "deep"), "wang", counter="", one_visit=False)
    assert [job.state for job in jobs.all()] == ["waiting", "waiting"]
    jobs.begin()
    try:
        wait_until(lambda: second.over)
    finally:
        jobs.close()
    assert (first.state, first.total, first.done, first.known, first.left_out) == ("done", 4, 4, 0, 1)
    assert [Path(each["path"]).name for each in first.failed] == ["bad.jsonl"]
    assert first.failed[0]["why"]["text"]
    assert (second.state, second.done, second.known) == ("done", 3, 3)
    assert recorded(folder) == 3
    assert [job.id for job in jobs_of(folder).all()] == [second.id, first.id]


def test_a_job_that_is_cancelled_ends_and_what_it_recorded_stays(folder: Path) -> None:
    fill(folder, 60)
    jobs = jobs_of(folder)
    job = jobs.add(str(folder / "in"), "li", counter="", one_visit=False)
    jobs.begin()
    try:
        wait_until(lambda: job.done > 0)
        assert jobs.cancel(job.id)
        assert not jobs.cancel(job.id)
        other = jobs.add(str(folder / "in" / "deep"), "li", counter="", one_visit=False)
        assert jobs.cancel(other.id)
        wait_until(lambda: jobs._process is None)  # noqa: SLF001 - that it is gone is the point
    finally:
        jobs.close()
    assert (job.state, other.state) == ("cancelled", "cancelled")
    assert 0 < recorded(folder) <= 60
    assert jobs_of(folder).find(job.id)


@pytest.mark.slow
def test_a_job_goes_on_after_a_restart_and_adds_nothing_twice(folder: Path) -> None:
    fill(folder, 60)
    jobs = jobs_of(folder)
    job = jobs.add(str(folder / "in"), "li", counter="", one_visit=False)
    jobs.begin()
    wait_until(lambda: job.done > 0)
    jobs.close()  # the server ends
    assert not job.over
    again = jobs_of(folder)
    resumed = again.find(job.id)
    assert resumed
    assert resumed.state == "waiting"
    again.begin()
    try:
        wait_until(lambda: resumed.over)
    finally:
        again.close()
    assert (resumed.state, resumed.done, resumed.failed) == ("done", 60, [])
    assert resumed.known > 0
    assert recorded(folder) == 60


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((sys.executable, "-c", "print('not JSON')"), "ended before it was done"),
        ((sys.executable, "-c", 'print(\'{"stopped": {"text": "no model", "values": {}}}\')'), "no model"),
    ],
    ids=["crash", "fault"],
)
def test_a_process_that_ends_early_is_told_of(folder: Path, command: tuple[str, ...], said: str) -> None:
    jobs = jobs_of(folder, command)
    job = jobs.add(str(folder / "in"), "li", counter="", one_visit=False)
    jobs.begin()
    try:
        wait_until(lambda: job.over)
    finally:
        jobs.close()
    assert job.state == "failed"
    assert job.why
    assert said in job.why["text"]


def test_only_folders_that_the_settings_allow_can_be_checked(folder: Path) -> None:
    jobs = jobs_of(folder)
    (folder / "in" / "link").symlink_to(folder / "other")
    (folder / "in" / "file").touch()
    for asked in ("other", "in/../other", "in/link", "in/file", "in/none", ".", "\0"):
        with pytest.raises(ReviewError, match="is no folder whose recordings may be checked here"):
            jobs.allowed(f"{folder}/{asked}")
    assert jobs.allowed(f"{folder}/in/deep") == folder / "in" / "deep"
    assert [each.name for each in jobs.folders_in(folder / "in")] == ["deep", "link"]


def page_settings(folder: Path, **more: Any) -> Any:
    server = ServerFile(jobs=JobsTable(folders=[str(folder / "in")], phrases=str(SMALL_FILE)))
    return settings(folder / "events.db", server=server, job_command=("none",), **more)


def test_the_page_leads_through_folders_and_starts_and_cancels_a_job(folder: Path) -> None:
    client = signed_in(page_settings(folder))
    assert "deep" in client.get("/jobs").text
    page = client.get("/jobs", params={"folder": str(folder / "in" / "deep")}).text
    assert "One folder up" in page
    refused = client.get("/jobs", params={"folder": str(folder / "other")})
    assert refused.status_code == 422
    assert "is no folder whose recordings may be checked here" in refused.text
    form = {"csrf": csrf(client, "/jobs"), "folder": str(folder / "in"), "counter": "<b>3</b>"}
    assert client.post("/jobs", data={**form, "folder": str(folder)}).status_code == 422
    assert client.post("/jobs", data=form).headers["location"] == "/jobs"
    page = client.get("/jobs").text
    assert "waiting" in page
    assert "<b>3</b>" not in page
    (job,) = client.app.state.site.jobs.all()  # type: ignore[attr-defined]
    assert job.by == "me"
    client.post("/jobs/cancel", data={"csrf": form["csrf"], "job": job.id})
    assert "cancelled" in client.get("/jobs/list").text


def test_the_list_of_what_failed_is_in_the_language_of_the_reader_and_no_formula(folder: Path) -> None:
    client = signed_in(page_settings(folder))
    job = client.app.state.site.jobs.add(str(folder / "in"), "me", counter="", one_visit=False)  # type: ignore[attr-defined]
    why = {"text": "{path} does not exist; check the name", "values": {"path": "a"}}
    job.failed = [{"path": "=1+1", "why": why}, {"path": "b", "why": None}]
    job.total = 2
    english = client.get(f"/jobs/{job.id}/failed.csv")
    assert english.headers["content-disposition"] == f'attachment; filename="failed-{job.id}.csv"'
    assert "'=1+1" in english.text
    assert "a does not exist; check the name" in english.text
    assert "a does not exist" not in client.get(f"/jobs/{job.id}/failed.csv?lang=zh").text
    assert client.get("/jobs/none/failed.csv").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [("supervisor", 200), ("administrator", 200), ("reviewer", 403), ("clerk", 403)]
)
def test_supervisors_and_administrators_have_the_page(folder: Path, tmp_path: Path, role: Any, status: int) -> None:
    client = browser(page_settings(folder, accounts=accounts(tmp_path, "li", role=role)))
    sign_in(client, "li")
    assert client.get("/jobs").status_code == status


def test_a_server_that_checks_nothing_says_so() -> None:
    assert (
        "The demo checks no recordings. Who looks after the server allows"
        in signed_in(settings(demo=True)).get("/jobs").text
    )
    client = signed_in(settings())
    assert "No folder is allowed yet. Who looks after the server allows" in client.get("/jobs").text
    assert client.post("/jobs", data={"csrf": csrf(client, "/jobs"), "folder": "/"}).status_code == 404

"""What programs that look after the server are told: that it lives, that it is ready, and its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from support.command import run, transcript
from support.pages_site import ACCEPT, NAME, accounts, settings
from support.small_counter import SMALL_FILE

from counter_listener.web import create_app
from counter_listener.web.server_file import MetricsTable, NotifyTable, ReportTable, ServerFile

TOKEN = "token-of-the-test"  # noqa: S105 - for tests


def program(given: Any, host: str = "10.0.0.9") -> TestClient:
    """A program on another machine, or on this one."""
    return TestClient(create_app(given), base_url=f"http://{NAME}", headers=ACCEPT, client=(host, 5000))


def figures(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    families = text_string_to_metric_families(text)
    return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    transcript(folder / "a.jsonl")
    given = ("--store", folder / "events.db", "--key", "none", "--phrases", SMALL_FILE, "--counter", "3")
    assert run("check", folder / "a.jsonl", *given, "--started", "2026-03-02 09:00").exit_code == 0
    return folder / "events.db"


def test_a_server_lives_and_is_ready_only_if_the_record_can_be_read(record: Path, tmp_path: Path) -> None:
    client = program(settings(record))
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200)
    broken = program(settings(tmp_path / "none.db"), "127.0.0.1")
    assert (broken.get("/healthz").status_code, broken.get("/readyz").status_code) == (200, 503)
    assert figures(broken.get("/metrics").text)["counter_listener_record_readable", ()] == 0


def test_the_figures_are_those_of_the_record_and_name_nobody(record: Path, tmp_path: Path) -> None:
    server = ServerFile(report=ReportTable(folder=str(tmp_path)), notify=NotifyTable(urls=["json://127.0.0.1:9"]))
    people = accounts(tmp_path, "zhang-san")
    text = program(settings(record, server=server, accounts=people), "127.0.0.1").get("/metrics").text
    found = figures(text)
    assert found["counter_listener_record_recordings", ()] == 1
    assert found["counter_listener_record_rows", ()] > 3
    assert found["counter_listener_record_readable", ()] == 1
    assert found["counter_listener_record_bytes", ()] == record.stat().st_size
    assert found["counter_listener_last_visit_timestamp_seconds", ("3",)] > 1.7e9
    assert found["counter_listener_report_failed", ()] == 0
    assert found["counter_listener_notify_failed", ()] == 0
    assert found["counter_listener_jobs", ("running",)] == 0
    assert all(name.startswith("counter_listener_") for name, _ in found)
    assert "zhang-san" not in text


@pytest.mark.parametrize(
    ("host", "sent", "status"),
    [
        ("127.0.0.1", "", 200),
        ("::1", "", 200),
        ("127.0.0.1 behind a proxy", "", 403),
        ("127.0.0.1 behind a proxy", TOKEN, 200),
        ("10.0.0.9", "", 403),
        ("10.0.0.9", "another", 403),
        ("10.0.0.9", TOKEN, 200),
    ],
)
def test_this_machine_and_who_has_the_token_may_read_them(
    record: Path, tmp_path: Path, host: str, sent: str, status: int
) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    server = ServerFile(metrics=MetricsTable(token_file=str(tmp_path / "token")))
    client = program(settings(record, server=server, behind_proxy="proxy" in host), host.partition(" ")[0])
    answer = client.get("/metrics", headers={"authorization": f"Bearer {sent}"} if sent else {})
    assert answer.status_code == status
    assert ("counter_listener_record_rows" in answer.text) == (status == 200)


def test_an_empty_token_opens_nothing(record: Path) -> None:
    client = program(settings(record))
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 403

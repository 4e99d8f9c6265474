"""Every command judges with the phrase set that is in force beside the record, and a backup holds it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.command import run, transcript
from support.small_counter import FULL, SMALL

from counter_listener.domain import companion
from counter_listener.phrases import sets_folder
from counter_listener.record import Accounts, accounts_file

NAME = "bank-counter"
NOW = datetime(2026, 1, 20, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A record whose pages put a small set in force under the name of one that ships."""
    store = tmp_path / "here" / "events.db"
    talk = transcript(tmp_path / "2026-01-15_09-30-00.jsonl", [(at, at + 2.0, said) for at, said in enumerate(FULL)])
    sets_folder(store).mkdir(parents=True)
    (sets_folder(store) / f"{NAME}.toml").write_text(SMALL, encoding="utf-8")
    (sets_folder(store) / NAME).mkdir()
    (sets_folder(store) / NAME / "1.toml").write_text(SMALL, encoding="utf-8")
    (sets_folder(store) / "half.part").write_text("unfinished", encoding="utf-8")
    assert run("check", talk, "--store", store, "--counter", "3").exit_code in {0, 1}
    return store


def test_the_report_knows_the_titles_and_steps_of_the_set_in_force(store: Path) -> None:
    told = reported(store)
    assert told == reported(store, "--phrases", NAME)
    assert '"title": "问候"' in told
    sets_folder(store).rename(store.parent / "elsewhere")
    assert '"title": "问候"' not in reported(store)


def reported(store: Path, *words: str) -> str:
    """The tables of the report."""
    report = json.loads(run("report", "--format", "json", "--store", store, *words).stdout)
    return json.dumps(report["tables"], ensure_ascii=False)


def test_explain_looks_for_the_phrases_of_the_set_in_force(store: Path, tmp_path: Path) -> None:
    talk = transcript(tmp_path / "short.jsonl", [(0.0, 2.0, "这事不归我管")])
    words = ("explain", talk, "--one-visit", "--phrase", "not-mine", "--store")
    ours, shipped = run(*words, store), run(*words, tmp_path / "none.db")
    assert (ours.exit_code, shipped.exit_code) == (0, 2)
    assert "not-mine" in shipped.stderr
    assert not (tmp_path / "none.db").exists()


def test_eval_knows_the_ids_of_the_set_in_force(store: Path, tmp_path: Path) -> None:
    talk = transcript(tmp_path / "short.jsonl", [(0.0, 2.0, "您好欢迎光临")])
    labels = tmp_path / "labels.jsonl"
    said = [{"id": "not-mine", "start": 0.0, "end": 2.0}]
    labels.write_text(json.dumps({"file": talk.name, "seconds": 3.0, "said": said}) + "\n", encoding="utf-8")
    assert run("eval", labels, "--store", store, "--quiet").exit_code == 0
    assert run("eval", labels, "--store", tmp_path / "none.db", "--quiet").exit_code == 3


@pytest.mark.slow  # each of the others tells of it too
def test_doctor_tells_of_the_set_in_force(store: Path) -> None:
    def told(record: Path) -> list[str]:
        lines = run("doctor", "--store", record, "--seconds", "0.5").stdout.splitlines()
        return [line for line in lines if "phrase set" in line]

    assert ["小柜台" in line for line in told(store)] == [True]
    assert ["小柜台" in line for line in told(store.with_name("none.db"))] == [False]


def test_a_backup_holds_all_that_lies_beside_the_record_and_is_a_record_when_put_back(
    store: Path, tmp_path: Path
) -> None:
    Accounts(accounts_file(store)).add("wang", "supervisor", "a password of mine", NOW)
    companion(store, "memory").write_text("{}", encoding="utf-8")
    companion(store, "jobs").mkdir()
    (companion(store, "jobs") / "1.json").write_text("{}", encoding="utf-8")
    companion(store, "server").write_text('{"token": "secret"}', encoding="utf-8")
    made = tmp_path / "backup" / "january.db"
    made.parent.mkdir()
    told = run("backup", made, "--store", store)
    assert told.exit_code == 0
    assert [line.rpartition(" ")[2] for line in told.stdout.splitlines()[1:]] == [
        "january.db.phrases",
        "january.accounts.db",
        "january.db.jobs",
        "january.db.server.json",
    ]
    copied = sorted(file.relative_to(made.parent).as_posix() for file in made.parent.rglob("*") if file.is_file())
    sets = "january.db.phrases"
    assert copied == [
        *("january.accounts.db", "january.db", "january.db.jobs/1.json"),
        *(f"{sets}/{NAME}.toml", f"{sets}/{NAME}/1.toml", "january.db.server.json"),
    ]
    if sys.platform != "win32":
        assert {each.stat().st_mode & 0o077 for each in made.parent.rglob("*")} == {0}
    assert [one.name for one in Accounts(accounts_file(made)).all()] == ["wang"]
    assert reported(made) == reported(store), "judged with the same set"
    assert run("events", "verify", "--store", made).exit_code == 0
    restored = tmp_path / "restored" / "events.db"
    restored.parent.mkdir()
    for file in made.parent.iterdir():
        file.rename(restored.with_name(file.name.replace("january", "events")))
    assert run("events", "verify", "--store", restored).exit_code == 0
    more = transcript(tmp_path / "2026-01-16_09-30-00.jsonl", [(0.0, 2.0, "您好欢迎光临"), (3.0, 5.0, "这事不归我管")])
    assert run("check", more, "--store", restored, "--counter", "3").exit_code == 0
    assert run("events", "verify", "--store", restored).exit_code == 0
    assert len(json.loads(reported(restored))["visits"]) == 2
    assert [one.name for one in Accounts(accounts_file(restored)).all()] == ["wang"]


@pytest.mark.parametrize("taken", ["copy.accounts.db", "copy.db.phrases"])
def test_a_backup_that_finds_a_name_taken_leaves_nothing_behind(store: Path, tmp_path: Path, taken: str) -> None:
    Accounts(accounts_file(store)).add("wang", "supervisor", "a password of mine", NOW)
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / taken).write_text("precious")
    refused = run("backup", tmp_path / "to" / "copy.db", "--store", store)
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (4, 1)
    assert taken in refused.stderr
    assert [each.name for each in (tmp_path / "to").iterdir()] == [taken]

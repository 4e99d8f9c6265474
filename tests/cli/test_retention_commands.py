"""`retention`, `hold` and `purge --by-retention`; and who adds, accepts and closes counters stands in the record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import FULL_VISIT, run, transcript
from support.small_counter import SMALL_FILE

from counter_listener.batch import transcripts_folder
from counter_listener.record import open_record


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two counters with an old visit and its transcript each."""
    store = tmp_path / "events.db"
    for counter, said in (("1", FULL_VISIT), ("2", FULL_VISIT[:-1])):
        talk = transcript(tmp_path / f"2026-03-0{counter}_09-00-00.jsonl", said)
        words = ("check", talk, "--phrases", SMALL_FILE, "--store", store, "--counter", counter)
        assert run(*words).exit_code == 0
    with open_record(store) as record:
        for row in record.recordings():
            keep_transcript(transcripts_folder(store) / f"{row.sha256}.jsonl")
    return store


def keep_transcript(path: Path) -> None:
    """As `check --keep-transcripts` does for a recording."""
    word = {"word": "您好", "start": 1.0, "end": 2.0, "sure": 1.0}
    said = {"start": 1.0, "end": 2.0, "speaker": "clerk", "beside_gap": False, "sound": None, "words": [word]}
    head = {"recording": path.stem, "seconds": 60.0, "model": "m", "options": {}}
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in (head, said)), encoding="utf-8")


def test_rules_and_holds_by_the_command_line(store: Path) -> None:
    at = ("--store", store)
    assert run("counters", "set", "1", "--branch", "东街", "--region", "北区", *at).exit_code == 0
    assert "no rule of retention" in run("purge", "--by-retention", "--yes", *at).stderr
    assert "branch 东街  visits 30 days" in run("retention", "set", "--branch", "东街", "--visits", "30", *at).stdout
    assert "transcripts 10 days" in run("retention", "set", "--everything", "--transcripts", "10", *at).stdout
    listed = run("retention", "list", *at).stdout
    assert listed.index("the whole record") < listed.index("branch 东街")
    assert run("hold", "set", "--counter", "1", "--to", "2026-03-31", "--reason", "案 7", *at).stdout == "H1\n"
    assert "to 2026-03-31  案 7" in run("hold", "list", *at).stdout
    told = run("purge", "--by-retention", "--dry-run", *at)
    assert (told.exit_code, told.stdout.splitlines()) == (
        0,
        ["0 rows would be removed.", "1 visit stays, because it is under a legal hold: H1 (1)."],
    )
    done = run("purge", "--by-retention", "--yes", *at).stdout
    assert "0 rows removed, and 1 kept transcript." in done, "that of counter 2, which is not held"
    assert run("hold", "set", "--id", "H1", "--to", "2026-02-01", "--reason", "earlier", *at).exit_code == 0
    assert "counter 1: 1 visit before" in run("purge", "--by-retention", "--dry-run", *at).stdout
    assert run("hold", "lift", "H1", "--reason", "closed", *at).exit_code == 0
    assert "closed" in run("hold", "list", "--all", *at).stdout
    assert run("hold", "lift", "H1", "--reason", "closed", *at).exit_code == 2
    assert "0 rows" not in run("purge", "--by-retention", "--yes", *at).stdout
    assert "no rule of its own" in run("retention", "set", "--branch", "东街", "--visits", "0", *at).stdout
    assert run("events", "verify", *at).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("purge", "--yes"), "Give either"),
        (("purge", "--yes", "--before", "2026-01-01", "--by-retention"), "Give either"),
        (("purge", "--by-retention"), "cannot be undone"),
        (("retention", "set", "--visits", "3"), "Name one thing: --everything, --region, --branch."),
        (("retention", "set", "--everything", "--branch", "x"), "Name one thing"),
        (("hold", "set", "--visit", "nowhere-1", "--reason", "x"), "holds no visit"),
        (("hold", "set", "--everything", "--reason", "x", "--from", "soon"), "is no day"),
    ],
    ids=["no date", "two dates", "unasked", "no place", "two places", "no visit", "no day"],
)
def test_what_cannot_be_is_told_in_a_sentence(store: Path, words: tuple[str, ...], said: str) -> None:
    result = run(*words, "--store", store)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_who_adds_accepts_and_closes_a_counter_stands_in_the_record(store: Path) -> None:
    at = ("--store", store)
    assert run("counters", "add", "7", "--branch", "东街", "--many", *at).exit_code == 0
    assert run("counters", "accept", "7", *at).exit_code == 2, "nothing is wrong with it"
    assert run("counters", "close", "7", *at).exit_code == 0
    shown = run("events", "--format", "jsonl", *at).stdout.splitlines()
    rows = [row for row in map(json.loads, shown) if row["kind"] == "access"]
    assert [row["what"] for row in rows] == [
        "counter 7: branch 东街, region -, for several counters; new code",
        "counter 7: closed",
    ]
    assert all(row["by"] and row["action"] == "changed" for row in rows)
    assert run("events", "verify", *at).exit_code == 0

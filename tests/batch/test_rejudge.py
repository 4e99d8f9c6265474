"""Stored transcripts: judged again with another phrase set, masked, and never stored without being asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.command import FULL_VISIT, RUDE_VISIT, events, run, transcript
from support.small_counter import timed

from counter_listener.batch.stored_transcripts import mask_items
from counter_listener.domain import Event, Utterance, mask_numbers
from counter_listener.judging import verdict_changes

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_the_same_phrase_set_changes_nothing(tmp_path: Path) -> None:
    record = tmp_path / "events.db"
    files = [
        FIXTURES / "no-farewell.wav",
        transcript(tmp_path / "a.jsonl"),
        transcript(tmp_path / "b.jsonl", [*RUDE_VISIT, (300.0, 303.0, "您好欢迎光临")]),
    ]
    run("check", *files, "--store", record, "--keep-transcripts", "--jobs", 1)
    result = run("rejudge", "--phrases", "bank-counter", "--store", record)
    assert result.stdout == "3 transcripts judged; 0 with verdicts that would change, 0 in all.\n"


def test_another_phrase_set_shows_what_would_change(tmp_path: Path) -> None:
    record = tmp_path / "events.db"
    file = transcript(tmp_path / "2026-01-15_09-30-00.jsonl", RUDE_VISIT)
    run("check", file, "--store", record, "--keep-transcripts")
    before = events(run("events", "--store", record, "--format", "jsonl"))
    english = ("rejudge", "--phrases", "service-desk-en", "--store", record)
    found = events(run(*english, "--format", "jsonl"))
    assert {(change["kind"], change["before"], change["after"]) for change in found} >= {
        ("forbidden", "forbidden", None),
        ("phrase", "not_heard", None),
    }
    table = run(*english).stdout
    assert "forbidden -> -" in table
    assert "1 transcript judged; 1 with verdicts that would change" in table
    assert "0 transcripts judged" in run(*english, "--since", "2026-02-01").stdout
    assert before == events(run("events", "--store", record, "--format", "jsonl"))


def test_a_transcript_that_cannot_be_stored_is_told_and_its_recording_is_recorded(tmp_path: Path) -> None:
    record, file = tmp_path / "events.db", transcript(tmp_path / "a.jsonl")
    (tmp_path / "events.db.transcripts").write_text("a file, where the folder belongs")
    result = run("check", file, "--store", record, "--keep-transcripts")
    assert result.exit_code == 4
    assert "a transcript could not be stored, its recording was recorded" in result.stderr
    assert events(run("events", "--store", record, "--format", "jsonl"))
    (tmp_path / "events.db.transcripts").unlink()
    again = run("check", file, "--store", record, "--keep-transcripts", "--quiet")
    assert (again.exit_code, again.stderr) == (0, "")
    assert len(list((tmp_path / "events.db.transcripts").iterdir())) == 1


def test_a_stored_transcript_is_replaced_only_by_what_is_recorded(tmp_path: Path) -> None:
    record, file = tmp_path / "events.db", transcript(tmp_path / "a.jsonl")
    words = ("check", file, "--store", record, "--keep-transcripts", "--quiet")
    run(*words)
    (stored,) = (tmp_path / "events.db.transcripts").iterdir()
    before = stored.read_text()
    run(*words, "--one-visit")
    assert stored.read_text() == before, "judged with other options, but not recorded"
    run(*words, "--one-visit", "--again")
    assert stored.read_text() != before


def test_nothing_is_stored_without_the_option_and_a_purge_removes_it(tmp_path: Path) -> None:
    record, file = tmp_path / "events.db", transcript(tmp_path / "a.jsonl")
    folder = tmp_path / "events.db.transcripts"
    run("check", file, "--store", record)
    assert not folder.exists()
    nothing = run("rejudge", "--phrases", "bank-counter", "--store", record)
    assert (nothing.exit_code, "--keep-transcripts" in nothing.stderr) == (2, True)
    run("check", file, "--store", record, "--keep-transcripts")  # known, but its transcript is not stored yet
    (stored,) = folder.iterdir()
    assert stored.stat().st_mode & 0o077 == 0
    assert "1 kept transcript." in run("purge", "--before", "2100-01-01", "--yes", "--store", record).stdout
    assert not folder.exists()


def test_a_stored_transcript_holds_no_long_number_and_a_damaged_one_is_reported(tmp_path: Path) -> None:
    record = tmp_path / "events.db"
    lines = [*FULL_VISIT, (30.0, 33.0, "我的号码是幺二三四五六七八九"), (34.0, 35.0, "卡号 6222 0212 345")]
    run("check", transcript(tmp_path / "a.jsonl", lines), "--store", record, "--keep-transcripts")
    (file,) = (tmp_path / "events.db.transcripts").iterdir()
    text = file.read_text(encoding="utf-8")
    assert "零" in text
    assert "三" not in text.replace("零", "")
    assert "6222" not in text
    file.write_text(text[:-30], encoding="utf-8")
    broken = run("rejudge", "--phrases", "bank-counter", "--store", record)
    assert broken.exit_code == 3
    assert str(file) in broken.stderr


@settings(max_examples=60, derandomize=True)
@given(st.lists(st.text("一二3好 -", min_size=1, max_size=8), min_size=1, max_size=5))
def test_masking_keeps_the_number_and_the_length_of_words(texts: list[str]) -> None:
    utterance = timed(*((text, float(number), number + 1.0) for number, text in enumerate(texts)))
    (after,) = mask_items([utterance])
    assert isinstance(after, Utterance)
    assert [len(word.text) for word in after.words] == [len(text) for text in texts]
    assert mask_numbers(after.text) == mask_numbers(utterance.text)


def event(visit: int, at: float, phrase: str = "hello", verdict: str | None = "heard") -> Event:
    kind = "phrase" if verdict else "visit_closed"
    return Event(kind, at, visit=visit, phrase=phrase if verdict else None, verdict=verdict)  # type: ignore[arg-type]


def test_visits_with_other_boundaries_are_compared_by_time() -> None:
    old = [event(1, 0.0), event(1, 50.0, verdict=None), event(2, 60.0), event(2, 90.0, verdict=None)]
    new = [event(1, 58.0), event(1, 95.0, verdict=None)]
    (removed,) = verdict_changes(old, new)
    assert (removed.visit, removed.before, removed.after) == (1, "heard", None)
    assert list(verdict_changes(old, old)) == []


@pytest.mark.parametrize(("before", "after"), [("heard", "not_heard"), ("unknown", "heard")])
def test_a_changed_verdict_is_one_change(before: str, after: str) -> None:
    old, new = ([event(1, 0.0, verdict=verdict), event(1, 9.0, verdict=None)] for verdict in (before, after))
    (change,) = verdict_changes(old, new)
    assert (change.before, change.after) == (before, after)

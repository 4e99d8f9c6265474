"""What another phrase set would change, from transcripts that were kept; and that nothing is kept unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.command import FULL_VISIT, RUDE_VISIT, events, run, transcript

from counter_listener.batch.transcript_files import mask_items
from counter_listener.domain.privacy import mask_numbers
from counter_listener.domain.types import Event, Utterance, Word
from counter_listener.judging.comparison import verdict_changes

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_the_same_phrase_set_changes_nothing(tmp_path: Path) -> None:
    store = tmp_path / "events.db"
    files = [
        FIXTURES / "no-farewell.wav",
        transcript(tmp_path / "a.jsonl"),
        transcript(tmp_path / "b.jsonl", [*RUDE_VISIT, (300.0, 303.0, "您好欢迎光临")]),
    ]
    run("check", *files, "--store", store, "--keep-transcripts", "--jobs", 1)
    told = run("rejudge", "--phrases", "bank-counter", "--store", store)
    assert told.stdout == "3 transcripts judged; 0 with verdicts that would change, 0 in all.\n"


def test_another_phrase_set_shows_what_would_change(tmp_path: Path) -> None:
    store = tmp_path / "events.db"
    file = transcript(tmp_path / "2026-01-15_09-30-00.jsonl", RUDE_VISIT)
    run("check", file, "--store", store, "--keep-transcripts")
    english = ("rejudge", "--phrases", "service-desk-en", "--store", store)
    found = events(run(*english, "--format", "jsonl"))
    assert {(one["kind"], one["before"], one["after"]) for one in found} >= {
        ("forbidden", "forbidden", None),
        ("phrase", "not_heard", None),
    }
    table = run(*english).stdout
    assert "forbidden -> -" in table
    assert "1 transcript judged; 1 with verdicts that would change" in table
    assert "0 transcripts judged" in run(*english, "--since", "2026-02-01").stdout
    before = events(run("events", "--store", store, "--format", "jsonl"))
    assert before == events(run("events", "--store", store, "--format", "jsonl"))


def test_nothing_is_kept_unasked_and_a_purge_takes_what_was(tmp_path: Path) -> None:
    store, file = tmp_path / "events.db", transcript(tmp_path / "a.jsonl")
    folder = tmp_path / "events.db.transcripts"
    run("check", file, "--store", store)
    assert not folder.exists()
    nothing = run("rejudge", "--phrases", "bank-counter", "--store", store)
    assert (nothing.exit_code, "--keep-transcripts" in nothing.stderr) == (2, True)
    run("check", file, "--store", store, "--keep-transcripts")  # known, but not kept yet
    (kept,) = folder.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert "1 kept transcript." in run("purge", "--before", "2100-01-01", "--yes", "--store", store).stdout
    assert not folder.exists()


def test_a_kept_transcript_holds_no_long_number_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    store = tmp_path / "events.db"
    said = [*FULL_VISIT, (30.0, 33.0, "我的号码是幺二三四五六七八九"), (34.0, 35.0, "卡号 6222 0212 345")]
    run("check", transcript(tmp_path / "a.jsonl", said), "--store", store, "--keep-transcripts")
    (file,) = (tmp_path / "events.db.transcripts").iterdir()
    text = file.read_text(encoding="utf-8")
    assert "零" in text
    assert "三" not in text.replace("零", "")
    assert "6222" not in text
    file.write_text(text[:-30], encoding="utf-8")
    broken = run("rejudge", "--phrases", "bank-counter", "--store", store)
    assert broken.exit_code == 3
    assert str(file) in broken.stderr


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.text("一二3好 -", min_size=1, max_size=8), min_size=1, max_size=5))
def test_masking_keeps_words_and_their_lengths(texts: list[str]) -> None:
    words = tuple(Word(text, float(n), n + 1.0) for n, text in enumerate(texts))
    (after,) = mask_items([Utterance(0.0, 9.0, words)])
    assert isinstance(after, Utterance)
    assert [len(word.text) for word in after.words] == [len(text) for text in texts]
    assert mask_numbers(after.text) == mask_numbers(Utterance(0.0, 9.0, words).text)


def told(visit: int, at: float, phrase: str = "hello", verdict: str | None = "heard") -> Event:
    kind = "phrase" if verdict else "visit_closed"
    return Event(kind, at, visit=visit, phrase=phrase if verdict else None, verdict=verdict)  # type: ignore[arg-type]


def test_visits_that_are_told_apart_in_another_way_are_laid_side_by_side() -> None:
    old = [told(1, 0.0), told(1, 50.0, verdict=None), told(2, 60.0), told(2, 90.0, verdict=None)]
    new = [told(1, 58.0), told(1, 95.0, verdict=None)]
    (gone,) = verdict_changes(old, new)
    assert (gone.visit, gone.before, gone.after) == (1, "heard", None)
    assert list(verdict_changes(old, old)) == []


@pytest.mark.parametrize(("before", "after"), [("heard", "not_heard"), ("unknown", "heard")])
def test_a_changed_verdict_is_one_flip(before: str, after: str) -> None:
    one, other = ([told(1, 0.0, verdict=verdict), told(1, 9.0, verdict=None)] for verdict in (before, after))
    (flip,) = verdict_changes(one, other)
    assert (flip.before, flip.after) == (before, after)

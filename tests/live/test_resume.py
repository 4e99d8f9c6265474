"""After a death the next listener continues the visit: nothing is judged twice, and lost audio accuses nobody."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundled import matcher, model

from counter_listener.asr import transcribe
from counter_listener.audio import blocks, read_recording
from counter_listener.cli.listener_process import continue_stream
from counter_listener.domain import Event, Gap, MatchedItem, StreamItem, Tick, Utterance
from counter_listener.judging import advance, finish_stream, initial_state, judge
from counter_listener.live import close_open_visit, rebuild_state, stream_start
from counter_listener.matching import match
from counter_listener.record import Origin, event_from_row, open_record

FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = ("forbidden", "complaint-handled", "forbidden no-farewell", "no-farewell")
Items = tuple[StreamItem, ...]
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@cache
def heard(name: str) -> Items:
    """What is heard of a recording, or of two in a row."""
    first, _, second = name.partition(" ")
    items = tuple(transcribe(blocks(read_recording(FIXTURES / f"{first}.wav")), model().recognizer()))
    length = max(item.at for item in items if isinstance(item, Tick))
    return items + (tuple(_moved(item, length) for item in heard(second)) if second else ())


@cache
def matched(name: str) -> tuple[MatchedItem, ...]:
    return tuple(match(heard(name), matcher()))


def events_of(items: Iterable[MatchedItem]) -> list[Event]:
    """The events of the items so far: the stream has not ended."""
    state = initial_state(matcher().phrases)
    events: list[Event] = []
    for item in items:
        state, more = advance(state, item)
        events += more
    return events


@cache
def whole(name: str) -> tuple[Event, ...]:
    return tuple(judge(matched(name), matcher().phrases))


def last_visit(events: list[Event]) -> list[Event]:
    """What the record returns of a stream: its last visit, and its newest row."""
    number = max((event.visit for event in events if event.visit), default=None)
    rows = [event for event in events if event.visit is not None and event.visit == number]
    return rows if not events or (rows and rows[-1] is events[-1]) else [*rows, events[-1]]


def after(before: list[Event], at: float, seconds: float, items: Items) -> list[Event]:
    """The events of the listener that continues after a death at `at`."""
    state = rebuild_state(last_visit(before), matcher().phrases, at)
    events: list[Event] = []
    for item in match((Gap(state.now, seconds, "died"), *items), matcher()):
        state, more = advance(state, item)
        events += more
    return events + list(finish_stream(state)[1])


@settings(max_examples=25)
@given(st.sampled_from(NAMES), st.integers(0, 10_000), st.floats(0.1, 200.0))
def test_a_visit_continues_after_a_death_and_nothing_is_judged_twice(name: str, cut: int, seconds: float) -> None:
    items = heard(name)
    cut %= len(items)
    before = events_of(matched(name)[:cut])
    at = max((item.at for item in items[:cut] if isinstance(item, Tick)), default=0.0)
    later = tuple(_moved(item, seconds) for item in items[cut:])
    events = before + after(before, at, seconds, later)
    plain = whole(name)
    for verdict in ("not_heard", "broken", "forbidden"):
        accused = {event.phrase for event in events if event.verdict == verdict}
        assert accused <= {event.phrase for event in plain if event.verdict == verdict}
    judged = Count(
        (event.visit, event.phrase) for event in events if event.kind == "phrase" and not event.detail.get("scenario")
    )
    assert not [one for one, times in judged.items() if times > 1]
    kinds = Count((event.visit, event.kind) for event in events if event.kind in ("visit_opened", "visit_closed"))
    assert set(kinds.values()) <= {1}
    assert [event.at for event in events] == sorted(event.at for event in events)


def _moved(item: StreamItem, by: float) -> StreamItem:
    if isinstance(item, Tick):
        return Tick(item.at + by, item.settled + by)
    if isinstance(item, Utterance):
        words = tuple(type(word)(word.text, word.start + by, word.end + by) for word in item.words)
        return Utterance(item.start + by, item.end + by, words, item.speaker, item.near_gap)
    return item


@pytest.mark.parametrize("name", [pytest.param("full-marks", marks=pytest.mark.slow), "complaint-handled", "forbidden"])
def test_what_was_heard_before_a_death_counts_in_the_score(name: str) -> None:
    (plain,) = [event for event in whole(name) if event.kind == "visit_closed"]
    (closed,) = [one for one in after(events_of(matched(name)[:-1]), 1e3, 1.0, ()) if one.kind == "visit_closed"]
    assert closed.score == plain.score
    counts, wanted = closed.detail["counts"], plain.detail["counts"]
    assert isinstance(counts, dict)
    assert isinstance(wanted, dict)
    assert {**counts, "not_heard": 0, "unknown": 0} == {**wanted, "not_heard": 0, "unknown": 0}


def test_a_visit_left_open_is_closed_and_accuses_nobody(tmp_path: Path) -> None:
    events = events_of(matched("no-farewell"))
    origin = Origin("live-x", "live", "3", NOON, "set", "0" * 64, "model")
    with open_record(tmp_path / "events.db") as record:
        record.append(events, origin, NOON)
        record.append(
            [Event("gap", 0.0, detail={"seconds": 0.0, "reason": "x"})],
            Origin("live-y", "live", "4", NOON, "set", "0" * 64, "model"),
            NOON,
        )
        rows = record.newest_visit("3")
        assert {row.stream for row in rows} == {"live-x"}
        assert stream_start(rows) == NOON
        closing = close_open_visit([event_from_row(row) for row in rows], matcher().phrases)
        record.append(closing, origin, NOON)
        assert close_open_visit([event_from_row(row) for row in record.newest_visit("3")], matcher().phrases) == ()
        assert record.newest_visit("5") == []
    verdicts = {event.verdict for event in closing if event.kind == "phrase"}
    assert verdicts == {"unknown"}
    assert closing[-1].kind == "visit_closed"
    assert closing[-1].detail["lost_audio"] is True


@pytest.mark.parametrize("resume", [None, {"stream": "live-x", "at": 20.0, "since": 5.0, "reason": "died"}])
def test_a_visit_left_open_under_another_phrase_set_is_closed_too(
    tmp_path: Path, resume: dict[str, Any] | None
) -> None:
    origin = Origin("live-x", "live", "3", NOON, "set", "0" * 64, "model")
    new = Origin("live-y", "live", "3", None, "set", "1" * 64, "model")
    with open_record(tmp_path / "events.db") as record:
        record.append(events_of(matched("no-farewell")), origin, NOON)
        assert continue_stream(record, matcher(), new, resume) == (new, None)
        rows = list(record.read(stream="live-x"))
    assert rows[-1].kind == "visit_closed"
    assert rows[-1].phrases_hash == "1" * 64
    assert "not_heard" not in {row.verdict for row in rows}

"""The canned recordings: libvosk recognises each of them, and the chain finds what was said in it."""

from __future__ import annotations

import json
import tomllib
from array import array
from collections.abc import Iterator
from datetime import UTC
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.bundled import matcher, model

from counter_listener.batch.check import CheckOptions, CheckResult, check_file
from counter_listener.domain.types import Event
from counter_listener.judging import score_after

FIXTURES = Path(__file__).parent / "fixtures"
MAX_BYTES = 15_000_000
TOLERANCE = 0.3
"""Seconds by which a time may differ."""

Table = dict[str, Any]
Case = tuple[Table, list[Event]]

INPUTS = sorted([*FIXTURES.glob("*.wav"), *FIXTURES.glob("*.jsonl")])
EXPECTED: dict[str, Table] = {
    file.name.removesuffix(".expected.json"): json.loads(file.read_text(encoding="utf-8"))
    for file in sorted(FIXTURES.glob("*.expected.json"))
}
EVERY_DAY = {
    *("forbidden", "late-greeting", "refusal-without-sorry", "truncated"),
    *("transcript-english", "transcript-speakers"),
}
"""One of each kind of finding, and short ones where there are several."""
NAMES = [name if name in EVERY_DAY else pytest.param(name, marks=pytest.mark.slow) for name in EXPECTED]
VISITS = [
    pytest.param((name, number), marks=() if name in EVERY_DAY else pytest.mark.slow, id=f"{name}-{number}")
    for name, expected in EXPECTED.items()
    for number in range(1, 1 + len(expected["visits"]))
]


@cache
def result_of(name: str) -> CheckResult:
    """The result of a recording."""
    (path,) = (path for path in INPUTS if path.stem == name)
    return check_file(path, CheckOptions(matcher(EXPECTED[name]["made"]["phrases"]), model(), zone=UTC))


@pytest.fixture(params=VISITS)
def case(request: pytest.FixtureRequest) -> Case:
    """What is expected of one visit, and its events."""
    name, number = request.param
    return EXPECTED[name]["visits"][number - 1], [event for event in result_of(name).events if event.visit == number]


def ids(events: list[Event], kind: str, verdict: str) -> list[str | None]:
    return [event.phrase for event in events if (event.kind, event.verdict) == (kind, verdict)]


def closing(events: list[Event]) -> Event:
    return next(event for event in events if event.kind == "visit_closed")


def test_every_recording_has_an_expectation_and_every_expectation_a_recording() -> None:
    dialogues = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))
    assert sorted(path.stem for path in INPUTS) == sorted(EXPECTED)
    assert sorted(recording["name"] for recording in dialogues["recording"]) == sorted(EXPECTED)
    assert len(list(FIXTURES.glob("*.wav"))) >= 18


def test_the_recordings_are_small() -> None:
    assert sum(path.stat().st_size for path in INPUTS) < MAX_BYTES


def test_two_voices_speak_in_every_visit() -> None:
    for name, expected in EXPECTED.items():
        voices = expected["made"]["voices"].values()
        assert len(set(voices)) == (2 if expected["visits"] and expected["made"]["format"] != "jsonl" else 0), name


@pytest.mark.parametrize("name", ["bank-counter", "service-desk-en"])
def test_expectations_owe_what_the_phrase_set_requires(name: str) -> None:
    owed = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))["owed"][name]
    phrases = matcher(name).phrases
    required: dict[str, set[str]] = {}
    for stage, scenario in phrases.stages():
        key = scenario.id if scenario else "always"
        required.setdefault(key, set()).update(phrase.id for phrase in stage.phrase if phrase.required)
    for key, listed in owed.items():
        assert set(listed) == required[key]


@pytest.mark.parametrize("name", NAMES)
def test_visits_are_separated_and_gaps_are_reported(name: str) -> None:
    expected, result = EXPECTED[name], result_of(name)
    kinds = [event.kind for event in result.events]
    assert result.error is None
    assert kinds.count("visit_opened") == kinds.count("visit_closed") == len(expected["visits"])
    assert kinds.count("gap") == expected["gaps"]
    if expected["gaps"] == 0:
        assert result.seconds == pytest.approx(expected["made"]["seconds"], abs=TOLERANCE)


def test_each_visit_closes_as_expected(case: Case) -> None:
    expected, events = case
    detail = closing(events).detail
    closed = {"closed_by": detail["reason"], "passed": detail["passed"], "scenarios": detail["scenarios"]}
    closed["service"] = detail["outcome"] != "no_service"
    assert detail["outcome"] != "not_understood"
    assert closed == {key: expected[key] for key in closed}


def test_what_was_said_is_heard_and_nothing_else(case: Case) -> None:
    expected, events = case
    verdicts = {event.phrase: event.verdict for event in events if event.kind == "phrase"}
    owed = {phrase: verdict for verdict in ("heard", "not_heard", "unknown") for phrase in expected[verdict]}
    assert {phrase: verdicts.get(phrase) for phrase in owed} == owed
    others = {phrase: verdict for phrase, verdict in verdicts.items() if phrase not in owed}
    assert set(others.values()) <= {"heard"}
    assert not [event.phrase for event in events if event.phrase in others and event.detail.get("required")]


def test_courtesy_words_are_heard_only_where_they_were_said(case: Case) -> None:
    expected, events = case
    words = [event.phrase for event in events if event.detail.get("courtesy_word") and event.verdict == "heard"]
    assert sorted(map(str, words)) == sorted(name for name in expected["heard"] if name.startswith("word-"))


def test_exactly_the_offences_and_broken_rules_are_found(case: Case) -> None:
    expected, events = case
    assert ids(events, "forbidden", "forbidden") == expected["forbidden"]
    assert ids(events, "rule", "broken") == expected["broken"]
    assert ids(events, "forbidden", "unknown") + ids(events, "rule", "unknown") == expected["doubted"]
    assert set(expected["kept"]) <= set(ids(events, "rule", "heard"))
    assert not set(expected["absent"]) & {event.phrase for event in events}


def test_without_a_review_the_score_after_reviews_is_the_recorded_one(
    request: pytest.FixtureRequest, case: Case
) -> None:
    expected, events = case
    name = request.node.callspec.params["case"][0]
    phrases = matcher(EXPECTED[name]["made"]["phrases"]).phrases
    after = score_after({f"s:{number}": event for number, event in enumerate(events)}, [], phrases)
    recorded = closing(events)
    assert (after.score, after.grade, after.passed) == (
        recorded.score,
        recorded.detail["grade"],
        recorded.detail["passed"],
    )
    assert after.passed is expected["passed"]


def test_late_phrases_are_marked_late(case: Case) -> None:
    expected, events = case
    assert [event.phrase for event in events if "late" in event.detail] == expected["late"]


def test_times_are_the_times_of_the_speech(case: Case) -> None:
    expected, events = case
    found: dict[str | None, list[Event]] = {}
    for event in events:
        if event.verdict in {"heard", "forbidden"} and event.kind in {"phrase", "forbidden"}:
            found.setdefault(event.phrase, []).append(event)
    for said in expected["said"]:
        event = found[said["id"]].pop(0)
        assert event.at == pytest.approx(said["start"], abs=TOLERANCE), said
        assert event.at < float(str(event.detail["end"])) <= said["end"] + TOLERANCE, said


def without_times(expected: Table) -> Table:
    visits = [{key: value for key, value in visit.items() if key != "said"} for visit in expected["visits"]]
    return {**expected, "visits": visits, "made": {**expected["made"], "seconds": None}}


def expectations(maker: ModuleType, dialogues: Table) -> Iterator[tuple[str, Table]]:
    for recording in dialogues["recording"]:
        transcript = recording.get("transcript")
        layout = (
            maker.transcript_layout(recording) if transcript else maker.spoken_layout(recording, dialogues["voice"])
        )
        yield recording["name"], maker.expected_result(recording, layout, dialogues["owed"])


def test_expectations_come_from_the_dialogues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FIXTURES)
    maker = import_module("make")
    monkeypatch.setattr(maker, "say", lambda _text, _voice, _manner, rate: array("h", bytes(2 * rate)))
    dialogues = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))
    for name, expected in expectations(maker, dialogues):
        assert without_times(expected) == without_times(EXPECTED[name]), name

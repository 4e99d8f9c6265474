"""The canned recordings: real libvosk hears them all, and the chain finds in each what was said in it."""

from __future__ import annotations

import json
import os
import tomllib
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from counter_listener.asr.model_files import find_model
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.batch.check import CheckOptions, CheckResult, check_file
from counter_listener.domain.types import Event
from counter_listener.matching.matcher import prepare_matcher
from counter_listener.phrases.phrase_file import find_phrase_set, read_phrase_set

FIXTURES = Path(__file__).parent / "fixtures"
MODEL = "counter-cn"
MOST_BYTES = 15_000_000
SLACK = 0.3
"""Seconds by which a time may be out."""

Table = dict[str, Any]
Case = tuple[Table, list[Event]]

INPUTS = sorted([*FIXTURES.glob("*.wav"), *FIXTURES.glob("*.jsonl")])
EXPECTED: dict[str, Table] = {
    file.name.removesuffix(".expected.json"): json.loads(file.read_text(encoding="utf-8"))
    for file in sorted(FIXTURES.glob("*.expected.json"))
}
VISITS = [(name, number) for name, told in EXPECTED.items() for number in range(1, 1 + len(told["visits"]))]


@pytest.fixture(scope="session")
def results() -> dict[str, CheckResult]:
    """What came of every recording, the longest heard first so that all cores stay busy."""
    ears = SpeechModel(find_model(MODEL))
    assert ears.model
    names = {told["made"]["phrases"] for told in EXPECTED.values()}
    tasks = {
        name: CheckOptions(prepare_matcher(read_phrase_set(find_phrase_set(name))[0]), ears, UTC) for name in names
    }
    longest_first = sorted(INPUTS, key=lambda path: -EXPECTED[path.stem]["made"]["seconds"])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        heard = pool.map(lambda path: check_file(path, tasks[EXPECTED[path.stem]["made"]["phrases"]]), longest_first)
        return {result.path.stem: result for result in heard}


@pytest.fixture(params=VISITS, ids=lambda one: "-".join(map(str, one)))
def case(request: pytest.FixtureRequest, results: dict[str, CheckResult]) -> Case:
    """What was said in one visit, and its events."""
    name, number = request.param
    return EXPECTED[name]["visits"][number - 1], [one for one in results[name].events if one.visit == number]


def ids(events: list[Event], kind: str, verdict: str) -> list[str | None]:
    return [one.phrase for one in events if (one.kind, one.verdict) == (kind, verdict)]


def closing(events: list[Event]) -> Event:
    return next(one for one in events if one.kind == "visit_closed")


def scenarios(events: list[Event]) -> set[str | None]:
    return {one.phrase for one in events if one.detail.get("scenario")}


def test_every_recording_has_its_expectation_and_the_other_way_round() -> None:
    dialogues = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))
    assert sorted(path.stem for path in INPUTS) == sorted(EXPECTED)
    assert sorted(one["name"] for one in dialogues["recording"]) == sorted(EXPECTED)
    assert len(list(FIXTURES.glob("*.wav"))) >= 18


def test_together_they_stay_small() -> None:
    assert sum(path.stat().st_size for path in INPUTS) < MOST_BYTES


def test_two_voices_speak_in_every_visit() -> None:
    for name, told in EXPECTED.items():
        voices = told["made"]["voices"].values()
        assert len(set(voices)) == (2 if told["visits"] and told["made"]["format"] != "jsonl" else 0), name


@pytest.mark.parametrize("name", ["bank-counter", "service-desk-en"])
def test_what_the_expectations_owe_is_what_the_phrase_set_requires(name: str) -> None:
    owed = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))["owed"][name]
    phrases, _ = read_phrase_set(find_phrase_set(name))
    required: dict[str, set[str]] = {}
    for stage, scenario in phrases.stages():
        key = scenario.id if scenario else "always"
        required.setdefault(key, set()).update(one.id for one in stage.phrase if one.required)
    for key, listed in owed.items():
        assert set(listed) == required[key]


@pytest.mark.parametrize("name", EXPECTED)
def test_visits_are_told_apart_and_gaps_are_told(name: str, results: dict[str, CheckResult]) -> None:
    told, result = EXPECTED[name], results[name]
    kinds = [event.kind for event in result.events]
    assert result.error is None
    assert kinds.count("visit_opened") == kinds.count("visit_closed") == len(told["visits"])
    assert kinds.count("gap") == told["gaps"]
    if told["gaps"] == 0:
        assert result.seconds == pytest.approx(told["made"]["seconds"], abs=SLACK)


def test_each_visit_closes_as_it_was_spoken(case: Case) -> None:
    told, events = case
    detail = closing(events).detail
    closed = {"closed_by": detail["reason"], "passed": detail["passed"], "scenarios": detail["scenarios"]}
    assert closed == {key: told[key] for key in closed}


def test_what_was_said_is_heard_and_what_was_not_is_not(case: Case) -> None:
    told, events = case
    verdicts = {one.phrase: one.verdict for one in events if one.kind == "phrase"}
    expected = {phrase: verdict for verdict in ("heard", "not_heard", "unknown") for phrase in told[verdict]}
    assert {phrase: verdicts.get(phrase) for phrase in expected} == expected
    unexpected = {phrase: verdict for phrase, verdict in verdicts.items() if phrase not in expected}
    assert set(unexpected.values()) <= {"heard"}
    assert not [one.phrase for one in events if one.phrase in unexpected and one.detail.get("required")]


def test_courtesy_words_are_heard_where_they_were_said_and_nowhere_else(case: Case) -> None:
    told, events = case
    words = [one.phrase for one in events if one.detail.get("courtesy_word") and one.verdict == "heard"]
    assert sorted(map(str, words)) == sorted(name for name in told["heard"] if name.startswith("word-"))


def test_offences_and_broken_rules_are_found_and_none_besides(case: Case) -> None:
    told, events = case
    assert ids(events, "forbidden", "forbidden") == told["forbidden"]
    assert ids(events, "rule", "broken") == told["broken"]
    assert ids(events, "forbidden", "unknown") + ids(events, "rule", "unknown") == told["doubted"]
    assert set(told["kept"]) <= set(ids(events, "rule", "heard"))
    assert not set(told["absent"]) & {one.phrase for one in events}


def test_what_came_late_is_marked_late(case: Case) -> None:
    told, events = case
    assert [one.phrase for one in events if "late" in one.detail] == told["late"]


def test_times_are_those_of_the_speech(case: Case) -> None:
    told, events = case
    found: dict[str | None, list[Event]] = {}
    for one in events:
        if one.verdict in {"heard", "forbidden"} and one.kind in {"phrase", "forbidden"}:
            found.setdefault(one.phrase, []).append(one)
    for said in told["said"]:
        event = found[said["id"]].pop(0)
        assert event.at == pytest.approx(said["start"], abs=SLACK), said
        assert event.at < float(str(event.detail["end"])) <= said["end"] + SLACK, said


def without_times(told: Table) -> Table:
    visits = [{key: value for key, value in visit.items() if key != "said"} for visit in told["visits"]]
    return {**told, "visits": visits, "made": {**told["made"], "seconds": None}}


def laid_out(maker: ModuleType, dialogues: Table) -> Iterator[tuple[str, Table]]:
    for recording in dialogues["recording"]:
        transcript = recording.get("transcript")
        layout = maker.paced(recording) if transcript else maker.spoken(recording, dialogues["voice"])
        yield recording["name"], maker.expectation(recording, layout, dialogues["owed"])


def test_expectations_come_from_the_dialogues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FIXTURES)
    maker = import_module("make")
    monkeypatch.setattr(maker, "say", lambda _text, _voice, _manner, rate: array("h", bytes(2 * rate)))
    dialogues = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))
    for name, told in laid_out(maker, dialogues):
        assert without_times(told) == without_times(EXPECTED[name]), name

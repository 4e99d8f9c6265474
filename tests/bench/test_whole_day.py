"""The bench of a whole day: its plan, its clocks, and its figures on days that are known by heart."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from day_figures import DayRun, JudgedVisit, ShownHint, TrueLine, TruePart, figures, hint_kind
from day_run import disturbances
from fast_listen import Seen, fast_clock, fast_datetime
from whole_day import as_text

from counter_listener.domain import bundled_folder
from counter_listener.phrases import read_phrase_set
from models.build.held_out import NATURAL_TEST_VOICES, voices_in
from models.build.sets.day_plan import AT_ONCE, CLERKS, OTHERS, cast, gaps, order, read_scripts

SERVICE = TruePart(
    "visit",
    "service",
    (
        TrueLine("clerk", ("hello", "ask-need"), 10.0, 13.0),
        TrueLine("clerk", ("!busy",), 20.0, 22.0),
        TrueLine("clerk", ("hand-back", "goodbye?"), 40.0, 43.0),
    ),
)
STAFF = TruePart("staff", "staff", (TrueLine("clerk", (), 100.0, 105.0),))


def judged(opened: float, ended: float, **verdicts: str) -> JudgedVisit:
    """A visit of the record."""
    return JudgedVisit(opened, ended, "complete", {name.replace("_", "-"): each for name, each in verdicts.items()})


def day(
    *visits: JudgedVisit, hints: tuple[ShownHint, ...] = (), outages: tuple[tuple[float, float], ...] = ()
) -> DayRun:
    """An hour with one service and one talk among staff."""
    return DayRun((SERVICE, STAFF), visits, hints, outages, 1.0)


def test_what_was_said_and_heard_is_recall_and_what_was_not_said_costs_precision() -> None:
    shown = dict(figures(day(judged(9, 45, hello="heard", ask_need="not_heard", hand_back="heard", goodbye="unknown"))))
    assert shown["visits: found, missed, divided"] == "1 of 1, 0, 0"
    assert shown["recall; precision of owed phrases"] == "0.500; 1.000"
    assert (
        shown["all four: said and heard (unknown, not heard, no visit); not said and heard"]
        == "2 of 4 (1, 1, 0); 0 of 0"
    )


def test_visits_that_are_divided_missed_or_no_service_are_told_apart() -> None:
    assert dict(figures(day(judged(9, 23), judged(39, 45))))["visits: found, missed, divided"] == "1 of 1, 0, 1"
    assert dict(figures(day()))["visits: found, missed, divided"] == "0 of 1, 1, 0"
    chatter = dict(figures(day(judged(9, 45), judged(99, 106))))
    assert chatter["false visits, of 1 staff"] == "staff 1"


def test_a_visit_that_was_cut_counts_only_accusations() -> None:
    cut = day(judged(9, 45, hello="heard", ask_need="not_heard"), outages=((30.0, 35.0),))
    shown = dict(figures(cut))
    assert shown["recall; precision of owed phrases"] == "none; none"
    assert (
        shown["of their owed phrases: heard, unknown, **not heard** (an accusation)"] == "1, 0, **1**, of which said 1"
    )


def test_an_accusation_is_false_where_nothing_forbidden_was_said() -> None:
    visit = judged(9, 45)
    visit.accused = [(21.0, "busy", "forbidden"), (41.0, "hurry-up", "forbidden"), (12.0, "annoyed", "unknown")]
    shown = dict(figures(day(visit)))
    assert shown["offences: found as what they are, found at all, only doubtful"] == "1, 1, 0 of 1"
    assert shown["false accusations"] == "1, 1.00 an hour (hurry-up 1)"
    assert shown["doubtful offences where none was said"] == "1"


@pytest.mark.parametrize(
    ("phrase", "start", "kind"),
    [
        ("hello", 20.0, "said already"),
        ("hello", 13.5, "early"),
        ("goodbye", 38.0, "early"),
        ("goodbye", 101.0, "outside"),
        ("complaint-solve", 30.0, "due"),
    ],
)
def test_a_hint_is_due_early_or_false(phrase: str, start: float, kind: str) -> None:
    assert hint_kind(ShownHint(phrase, start, start + 3), day()) == kind


def test_false_hints_are_counted_by_the_hour() -> None:
    hints = (ShownHint("hello", 20.0, 24.0), ShownHint("goodbye", 101.0, 104.0), ShownHint("goodbye", 38.0, 40.0))
    shown = dict(figures(day(hints=hints)))
    assert shown["false hints an hour (said already, or outside)"] == "2.00 (hello 1, goodbye 1)"


def test_the_fast_clocks_were_right_when_they_began() -> None:
    assert fast_clock(10.0, 100.0, lambda: 103.0)() == 130.0
    began = datetime.now(UTC) - timedelta(seconds=60)
    assert fast_datetime(10.0, began.timestamp()).now(UTC) - began > timedelta(seconds=600)


def test_every_change_of_a_hint_is_seen() -> None:
    file = StringIO()
    seen = Seen(file)
    rule = {"phrase": "hello", "title": "", "say": "", "after": ["opened"], "wait": 2.0, "quiet": 0.0, "until": []}
    seen.note({"standard": {"hints": [rule]}, "device": "", "model": "", "day": None})
    seen.note({"begun": "live-1", "started": None})
    event = {"kind": "visit_opened", "visit": 1, "at": 1.0, "verdict": None, "detail": {}}
    beat = {"beat": 5.0, "settled": 1.0, "level": -30.0, "waited": 0.0, "begun": True}
    for message in ({"event": event}, beat, beat, {"restarting": "killed", "in": 0.5}):
        seen.note(message)
    hints = [line for line in file.getvalue().splitlines() if '"hint"' in line]
    assert len(hints) == 2
    assert '"hint": "hello"' in hints[0]
    assert '"hint": null' in hints[1]


def test_a_day_has_its_hours_and_each_script_about_as_often() -> None:
    scripts = read_scripts()
    numbers = order(scripts, 80, random.Random(1))  # noqa: S311 - reproducible draws, not secrets
    assert len(numbers) == 80
    assert {numbers.count(number) for number in range(len(scripts))} <= {1, 2, 3}
    before = gaps([30.0] * 80, 4.0, random.Random(1))  # noqa: S311
    assert 4 * 3600 - 60 < sum(before) + 80 * 30 <= 4 * 3600
    assert min(before) >= AT_ONCE[0]


def test_clerks_are_voices_of_the_tests_and_nobody_is_two_people() -> None:
    assert set(CLERKS.values()) <= set(NATURAL_TEST_VOICES)
    assert all(set(voices_in(other)).isdisjoint(NATURAL_TEST_VOICES) for other in OTHERS)
    for number, script in enumerate(read_scripts()):
        voices = [voice for voice, _ in cast(script, number).values()]
        assert len(set(voices)) == len(voices)


def test_the_truth_names_phrases_of_the_phrase_set() -> None:
    phrases, _ = read_phrase_set(bundled_folder("phrase_sets") / "bank-counter.toml")
    known = {phrase.id for phrase, _ in phrases.phrases()}
    offences = {each.id for each in phrases.forbidden} | {rule.id for rule in phrases.rule}
    said = [one for script in read_scripts() for _, _, _, ids in script.said for one in ids]
    assert {one.rstrip("?") for one in said if not one.startswith("!")} <= known
    assert {one[1:] for one in said if one.startswith("!")} <= offences


def test_kills_and_losses_are_the_same_for_a_seed_and_a_lost_microphone_returns() -> None:
    planned = disturbances([(100.0, 160.0), (900.0, 960.0)], 4.0, 1)
    assert planned == disturbances([(100.0, 160.0), (900.0, 960.0)], 4.0, 1)
    kinds = [one.kind for one in planned]
    assert kinds.count("lose") == kinds.count("return") > 0
    assert {"listener", "program"} <= set(kinds)


def test_the_words_alone_become_visits() -> None:
    lines = [
        {"who": "clerk", "text": "您好，请问您要办理什么业务", "said": ["hello", "ask-need"], "start": 5.0, "end": 8.0},
        {"who": "clerk", "text": "请您收好证件，请慢走", "said": ["hand-back", "goodbye"], "start": 30.0, "end": 33.0},
    ]
    shown = dict(figures(as_text({"parts": [{"kind": "visit", "name": "a", "lines": lines}]}, "bank-counter")))
    assert shown["recall; precision of owed phrases"] == "1.000; 1.000"

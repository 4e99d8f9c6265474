"""Volume, speech rate, interruptions and silence: each against made-up speech whose figures are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.small_counter import FULL, SMALL, closed, end_of, matcher_of, said, talk, verdicts

from counter_listener.domain import Event, Gap, PhraseSetError, Sound, Speaker, Timing, Utterance, Word
from counter_listener.judging import OtherSet, figures_from, judge_hits, manner_lines, score_after
from counter_listener.phrases.phrase_file import checked_set
from counter_listener.pipeline import judge_events, merge_channels, with_ticks

LIMITS = """
[[manner]]
id = "louder"
title = "太轻"
figure = "volume"
limit = -40
[[manner]]
id = "slower"
title = "太快"
figure = "rate"
limit = 6
better = "慢一点"
[[manner]]
id = "let-finish"
title = "打断"
figure = "interruptions"
limit = 0
[[manner]]
id = "keep-company"
title = "干等"
figure = "silence"
limit = 60
"""
SCORED = SMALL + LIMITS.replace("limit =", 'scored = true\nseverity = "serious"\nlimit =')


def spoken(  # noqa: PLR0913 - what a stretch of speech is
    start: float,
    syllables: int,
    rate: float,
    speaker: Speaker = "clerk",
    level: float | None = -30.0,
    *,
    letter: str = "嗯",
) -> Utterance:
    """Speech without a pause, a channel to itself where the speaker is known."""
    length = syllables / rate
    words = tuple(Word(letter, start + at / rate, start + (at + 1) / rate) for at in range(syllables))
    sound = None if level is None else Sound(length, level, 30.0, level)
    channel = {"clerk": 0, "customer": 1}.get(speaker)
    return Utterance(start, start + length, words, speaker, sound=sound, channel=channel)


def manner(items: Iterable[Utterance | Gap], toml: str = SMALL + LIMITS) -> dict[str, Any]:
    """The figures of a stream that is one visit."""
    events = list(
        judge_events(with_ticks(sorted(items, key=lambda item: item.start)), matcher_of(toml), one_visit=True)
    )
    found = closed(events)[-1].detail["manner"]
    assert isinstance(found, dict)
    return found


def test_volume_is_the_mean_power_of_the_words_and_the_quiet_share_that_below_the_limit() -> None:
    found = manner([spoken(0, 40, 5, level=-30), spoken(20, 40, 5, level=-50)])
    assert found["level"] == pytest.approx(-33.0, abs=0.1)  # half of the time at -30 dB, the other next to nothing
    assert (found["quiet"], found["over"]) == (0.5, [])
    quiet = manner([spoken(0, 40, 5, level=-50)])
    assert (quiet["level"], quiet["quiet"], quiet["over"]) == (-50.0, 1.0, ["louder"])


@given(rate=st.floats(2.0, 9.0), pause=st.floats(0.3, 20.0), parts=st.integers(1, 6))
def test_the_rate_is_that_of_the_speech_whatever_its_pauses(rate: float, pause: float, parts: int) -> None:
    items, at = [], 0.0
    for _ in range(parts):
        items.append(spoken(at, 50, rate))
        at = items[-1].end + pause
    found = manner(items)
    assert found["rate"] == pytest.approx(rate, abs=0.01)
    assert ("slower" in found["over"]) == (found["rate"] > 6)


def test_a_pause_within_an_utterance_is_no_speech() -> None:
    first, second = spoken(0, 25, 5), spoken(7, 25, 5)
    both = replace(first, end=second.end, words=(*first.words, *second.words))
    assert manner([both])["rate"] == 5.0


@pytest.mark.parametrize(
    ("items", "figure"),
    [
        ([spoken(0, 15, 5)], "level"),
        ([spoken(0, 15, 2)], "rate"),
        ([spoken(0, 50, 5, level=None)], "level"),
        ([replace(spoken(0, 50, 5), timing="turn")], "rate"),
        ([replace(spoken(0, 50, 5), timing="none")], "rate"),
        ([replace(spoken(0, 50, 5), timing="none")], "silence"),
        ([spoken(0, 50, 5)], "interruptions"),
        ([spoken(0, 50, 5, "unknown"), spoken(20, 50, 5, "unknown")], "interruptions"),
        ([spoken(0, 50, 5, "customer")], "rate"),
        ([], "silence"),
    ],
    ids=["brief", "few", "no sound", "turns", "text", "text silence", "alone", "one channel", "customer", "nothing"],
)
def test_what_cannot_be_told_is_none_and_never_nought(items: list[Utterance], figure: str) -> None:
    assert manner(items)[figure] is None


def test_a_visit_that_was_not_understood_has_no_figure() -> None:
    noise = [replace(spoken(at, 10, 5), sound=Sound(10.0, -30.0, 3.0, -30.0)) for at in (0.0, 20.0, 40.0)]
    found = manner(noise)
    assert {found[name] for name in ("level", "quiet", "rate", "interruptions", "silence", "waits")} == {None}


def test_speech_is_the_clerks_where_the_speaker_is_known_and_else_everybodys() -> None:
    apart = manner([spoken(0, 50, 5), spoken(20, 50, 8, "customer", -60.0)])
    assert (apart["voice"], apart["rate"], apart["level"]) == ("clerk", 5.0, -30.0)
    together = manner([spoken(0, 40, 5, "unknown"), spoken(20, 40, 8, "unknown")])
    assert (together["voice"], together["rate"]) == ("unknown", pytest.approx(80 / 13, abs=0.01))


def overlap(begins: float, length: float, *, letter: str = "啊", before: float | None = None) -> int | None:
    """Interruptions where a customer speaks from second 10 to 20, and the clerk begins and goes on for some seconds."""
    clerk = [spoken(begins, round(5 * length), 5, letter=letter)]
    clerk += [] if before is None else [spoken(before, 5, 5)]
    found = manner([spoken(10, 50, 5, "customer"), *clerk])["interruptions"]
    assert found is None or isinstance(found, int)
    return found


@pytest.mark.parametrize(
    ("begins", "length", "count"),
    [(14.0, 3.0, 1), (14.0, 0.8, 0), (10.2, 4.0, 0), (8.0, 6.0, 0), (19.4, 5.0, 0), (18.8, 5.0, 1), (20.2, 5.0, 0)],
    ids=["over", "a sign", "together", "the customer", "its end", "before its end", "after"],
)
def test_an_interruption_begins_within_the_customers_speech_and_both_go_on(
    begins: float, length: float, count: int
) -> None:
    assert overlap(begins, length) == count


def test_who_only_paused_for_breath_does_not_interrupt_and_a_channel_that_hears_the_other_neither() -> None:
    assert overlap(14.0, 3.0, before=12.5) == 0
    assert overlap(14.0, 3.0, before=11.0) == 1
    assert overlap(14.0, 3.0, letter="嗯") == 0


def test_the_longest_silence_is_between_words_of_anybody_and_lost_audio_ends_it() -> None:
    items = [spoken(0, 10, 5), spoken(72, 10, 5, "customer"), spoken(94, 10, 5)]
    found = manner(items)
    assert (found["silence"], found["waits"], found["over"]) == (70.0, 1, ["keep-company"])
    lost = manner([*items, Gap(30.0, 10.0, "lost")])
    assert (lost["silence"], lost["waits"]) == (32.0, 0)
    alone = manner([spoken(50, 10, 5)])
    assert (alone["silence"], alone["waits"]) == (0.0, 0)


@given(st.lists(st.tuples(st.floats(0, 300), st.integers(1, 30)), min_size=1, max_size=8), st.randoms())
def test_the_order_in_which_channels_come_changes_nothing(turns: list[tuple[float, int]], random: Any) -> None:
    sides: tuple[Speaker, Speaker] = ("clerk", "customer")
    items = [spoken(at, size, 5, sides[number % 2]) for number, (at, size) in enumerate(turns)]
    channels = [[item for item in items if item.speaker == side] for side in sides]
    once = list(merge_channels(channels))
    random.shuffle(items)
    again = list(merge_channels([[item for item in items if item.speaker == side] for side in sides]))
    made = [closed(list(judge_events(each, matcher_of(SMALL + LIMITS), one_visit=True))) for each in (once, again)]
    assert made[0][-1].detail["manner"] == made[1][-1].detail["manner"]


def visit(*more: Utterance, toml: str = SCORED, speaker: Speaker = "clerk") -> list[Event]:
    """A full visit, and what else is said in it."""
    items = [replace(item, speaker=speaker) for item in talk(FULL[:-1]) if isinstance(item, Utterance)]
    farewell = replace(said(FULL[-1], max(end_of(each) for each in (*items, *more)) + 1), speaker=speaker)
    return list(judge_events(with_ticks([*items, *more, farewell]), matcher_of(toml)))


def figure(events: list[Event], name: str, of: str = "manner") -> object:
    """A figure of the first visit that was closed."""
    found = closed(events)[0].detail[of]
    assert isinstance(found, dict)
    return found[name]


def test_a_limit_that_is_scored_is_a_rule_and_others_cost_nothing() -> None:
    hasty = spoken(30, 200, 9)
    shown, ruled = visit(hasty, toml=SMALL + LIMITS), visit(hasty)
    assert closed(shown)[0].score == 100
    assert figure(shown, "over") == ["slower"]
    assert not [event for event in shown if event.kind == "rule" and event.phrase == "slower"]
    assert verdicts(ruled)["slower"] == "broken"
    assert verdicts(ruled)["keep-company"] == "heard"
    assert "let-finish" not in verdicts(ruled), "it cannot be told"
    assert closed(ruled)[0].score == 90
    assert figure(ruled, "broken", "counts") == 1


def test_in_one_channel_a_rate_accuses_nobody_and_a_silence_does() -> None:
    found = visit(spoken(100, 200, 9, "unknown"), speaker="unknown")
    assert (verdicts(found)["slower"], verdicts(found)["keep-company"]) == ("unknown", "broken")
    assert "one channel" in str(next(event for event in found if event.phrase == "slower").detail["reason"])


def test_talk_that_is_no_service_is_judged_by_no_limit() -> None:
    found = list(judge_events(with_ticks([spoken(0, 200, 9, "unknown")], 300), matcher_of(SCORED)))
    assert closed(found)[0].detail["outcome"] == "no_service"
    assert not [event for event in found if event.kind == "rule"]


def test_a_review_and_another_set_change_what_a_limit_costs() -> None:
    events = {str(number): event for number, event in enumerate(visit(spoken(30, 200, 9)))}
    assert score_after(events, [], matcher_of(SCORED).phrases).score == 90
    other = matcher_of(SCORED.replace("limit = 6", "limit = 9.5")).phrases
    made = judge_hits(events, OtherSet(other, (), lambda _event: True))
    assert [event.verdict for event in made.values() if event.phrase == "slower"] == ["heard"]


def test_what_a_record_holds_is_read_back_and_damage_is_nothing() -> None:
    found = manner([spoken(0, 50, 7)])
    assert figures_from(found).rate == found["rate"]
    assert figures_from(None) == figures_from({"rate": "fast", "voice": 3, "waits": True}) == figures_from({})


def test_the_figures_are_told_in_words() -> None:
    phrases = matcher_of(SMALL + LIMITS).phrases
    lines = {line.figure: line for line in manner_lines(figures_from(manner([spoken(0, 80, 7)])), phrases, str)}
    assert (lines["rate"].text, lines["rate"].over, lines["rate"].better) == (
        "7.0 syllables a second",
        "太快",
        "慢一点",
    )
    assert (lines["interruptions"].text, lines["interruptions"].is_told) == ("cannot be told", False)
    assert lines["silence"].text == "0:00"


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("limit = 6", "limit = 60", "[[manner]] 'slower', 'limit' is 60; it must be from 1 to 15"),
        ('figure = "rate"', 'figure = "speed"', "[[manner]] 2 \"slower\", 'figure'"),
        ("limit = 6\n", "", "'limit' is missing"),
        ('id = "slower"', 'id = "hello"', "'hello' is used 2 times"),
        ("limit = 6\n", "limit = 6\nlimits = 6\n", "did you mean 'limit'"),
    ],
    ids=["range", "figure", "missing", "id", "key"],
)
def test_a_bad_limit_is_named(was: str, now: str, told: str) -> None:
    import tomllib

    with pytest.raises(PhraseSetError) as error:
        checked_set(tomllib.loads((SMALL + LIMITS).replace(was, now)), Path("test.toml"))
    assert told in str(error.value)


@pytest.mark.parametrize("timing", ["words", "turn", "none"])
def test_the_end_of_a_visit_says_nothing_of_its_words(timing: Timing) -> None:
    found = manner([replace(spoken(0, 50, 5), timing=timing)])
    assert set(found) == {
        *("voice", "speech", "level", "quiet", "rate", "interruptions", "silence", "waits", "over"),
    }

"""Visits of which too little was understood, and talk that is no service: nobody is accused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_counter import FULL, SMALL, Item, closed, end_of, events, matcher_of, said, small, talk, verdicts

from counter_listener.domain import Event, Sound, Utterance, VisitToggle
from counter_listener.judging import understanding
from counter_listener.judging.understanding import LEAST_UNDERSTOOD, LOST_SECONDS, LOST_SHARE
from counter_listener.judging.verdicts import NO_SERVICE
from counter_listener.pipeline import judge_events, with_ticks

OWED = ("hello", "ask-need", "goodbye")
PARTS = ("您好", "请问您办理什么业务", "今天天气不错我们走吧", "这事不归我管", "请慢走")


def heard_with(
    item: Item, confidence: float = 1.0, sound: float = 0.0, level: float = -20.0, contrast: float = 40.0
) -> Utterance:
    """The utterance, recognised with a confidence, within so many seconds of sound at a level above the background."""
    assert isinstance(item, Utterance)
    words = tuple(replace(word, confidence=confidence) for word in item.words)
    return replace(item, words=words, sound=Sound(sound, level, contrast))


def spoiled(texts: Iterable[str], confidence: float = 1.0, **more: float) -> list[Item]:
    """Sentences, each recognised like this."""
    return [heard_with(item, confidence, **more) for item in talk(texts)]


def outcome(recorded: list[Event]) -> object:
    (visit,) = closed(recorded)
    return visit.detail["outcome"]


def accusing(recorded: list[Event]) -> int:
    """How many offences cost points."""
    return sum(event.verdict == "forbidden" for event in recorded)


def gaps(recorded: list[Event]) -> list[object]:
    return [event.detail["reason"] for event in recorded if event.kind == "gap"]


def unknown_reasons(recorded: list[Event]) -> set[object]:
    return {event.detail.get("reason") for event in recorded if event.verdict == "unknown"}


GUESSED = ("今天天气不错我们走吧", "他们都在那边等着呢", "这个东西放到哪里去")


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (spoiled(GUESSED, 0.4), understanding.NOT_UNDERSTOOD),
        (spoiled(GUESSED, 0.4, level=-55.0), understanding.TOO_QUIET),
        (spoiled(GUESSED, 1.0, level=-64.0), understanding.TOO_QUIET),
        (spoiled(GUESSED, 1.0, contrast=5.5), understanding.TOO_NOISY),
        (spoiled(GUESSED, 0.9, sound=5.5), understanding.NOT_UNDERSTOOD),
        (spoiled([*FULL, *GUESSED], 0.4), understanding.NOT_UNDERSTOOD),
    ],
    ids=["guessed", "quiet", "silent", "noisy", "much-sound", "greeted"],
)
def test_a_visit_that_was_not_understood_accuses_nobody_and_has_no_score(items: list[Item], reason: str) -> None:
    found = events(items)
    assert outcome(found) == "not_understood"
    assert "not_heard" not in verdicts(found).values()
    assert closed(found)[0].score is closed(found)[0].detail["passed"] is None
    assert closed(found)[0].detail["lost_audio"] is True
    assert reason in gaps(found)
    assert unknown_reasons(found) <= {reason}


def test_the_line_is_where_the_constant_says() -> None:
    for confidence, expected in ((LEAST_UNDERSTOOD + 0.01, "complete"), (LEAST_UNDERSTOOD - 0.01, "not_understood")):
        found = events([*spoiled(["您好"]), *(heard_with(item, confidence) for item in talk(GUESSED * 9, at=3))])
        share = closed(found)[0].detail["understood"]
        assert outcome(found) == expected, share


def test_an_offence_in_speech_that_was_not_understood_is_in_doubt() -> None:
    clear = events(talk(["您好", "这事不归我管", "请慢走"]))
    assert verdicts(clear)["not-mine"] == "forbidden"
    greeting, offence, farewell = talk(["您好", "这事不归我管", "请慢走"])
    unsure = heard_with(offence, sound=9.0)
    found = events([greeting, unsure, farewell])
    assert verdicts(found)["not-mine"] == "unknown"
    assert understanding.NOT_UNDERSTOOD in unknown_reasons(found)
    assert (accusing(clear), accusing(found)) == (1, 0)


def test_what_may_have_been_said_in_a_stretch_that_was_not_understood_is_unknown() -> None:
    lost = heard_with(said("他们都在那边等着呢我们也过去看看吧然后就回家", 10), LOST_SHARE - 0.01, LOST_SECONDS)
    found = events([*talk(["您好", "请问您办理什么业务"]), lost, *talk(["今天天气不错我们走吧"] * 6, at=20)])
    assert gaps(found) == [understanding.NOT_UNDERSTOOD]
    assert (outcome(found), verdicts(found)["goodbye"]) == ("incomplete", "unknown")
    assert unknown_reasons(found) == {understanding.PARTLY}
    assert closed(found)[0].score is None
    short = heard_with(said("他们都在那边", 10), LOST_SHARE - 0.01, LOST_SECONDS - 1)
    found = events([*talk(["您好", "请问您办理什么业务"]), short, *talk(["今天天气不错我们走吧"] * 6, at=20)])
    assert (gaps(found), verdicts(found)["goodbye"]) == ([], "not_heard")


@pytest.mark.parametrize("factor", [1_000.0, 400.0, 0.001, 0.012])
def test_times_that_cannot_be_are_doubted(factor: float) -> None:
    """Milliseconds taken for seconds, and 3 ms a syllable."""
    items = [stretched(item, factor) for item in talk(["您好", "今天天气不错我们走吧", "他们都在那边等着呢"])]
    found = events(items)
    assert "not_heard" not in [event.verdict for event in found]
    assert understanding.ODD_TIMES in gaps(found)
    assert {visit.detail["outcome"] for visit in closed(found)} == {"not_understood"}


def test_times_of_subtitles_and_of_fast_speakers_are_not_doubted() -> None:
    for factor in (0.5, 8.0):
        found = events([stretched(item, factor) for item in talk(["您好", "今天天气不错我们走吧"])])
        assert {visit.detail["outcome"] for visit in closed(found)} == {"complete"}


def stretched(item: Item, factor: float) -> Utterance:
    """The utterance with all its times multiplied."""
    assert isinstance(item, Utterance)
    words = tuple(replace(word, start=word.start * factor, end=word.end * factor) for word in item.words)
    return replace(item, start=item.start * factor, end=item.end * factor, words=words)


def test_talk_in_which_nothing_of_the_phrase_set_was_heard_is_no_service() -> None:
    found = events(talk(["今天天气不错我们走吧", "他们都在那边等着呢"]))
    assert outcome(found) == "no_service"
    assert verdicts(found) == dict.fromkeys(OWED, "unknown")
    assert unknown_reasons(found) == {NO_SERVICE}
    assert (closed(found)[0].score, closed(found)[0].detail["passed"], gaps(found)) == (None, None, [])


@pytest.mark.parametrize(
    "items",
    [
        talk(["今天天气不错我们走吧", "您好"]),
        talk(["今天天气不错我们走吧", "这事不归我管"]),
        talk(["今天天气不错我们走吧", "在这里签字"]),
        [*talk(["今天天气不错我们走吧"]), said("我要投诉", 9, "customer")],
        [said("今天天气不错我们走吧", 0, "clerk"), said("他们都在那边等着呢", 9, "customer")],
    ],
    ids=["phrase", "offence", "rule", "scenario", "customer"],
)
def test_whoever_was_served_for_certain_is_owed_the_phrases(items: list[Item]) -> None:
    found = events(items)
    assert outcome(found) == "complete"
    assert "not_heard" in verdicts(found).values()


def test_a_courtesy_word_alone_proves_no_service() -> None:
    assert outcome(events(talk(["今天天气不错我们走吧", "请坐一会儿吧"]))) == "no_service"


def test_a_few_recommended_phrases_prove_no_service() -> None:
    texts = ("按手印", "存折带了没", "那边等着")
    more = "".join(f'[[stage.phrase]]\nid = "more-{at}"\nsay = ["{text}"]\n' for at, text in enumerate(texts))
    matcher = matcher_of(SMALL.replace("[[word]]", more + "[[word]]", 1))
    for number, expected in ((2, "no_service"), (3, "complete")):
        items = with_ticks(talk(["今天天气不错我们走吧", *texts[:number]]))
        found = list(judge_events(items, matcher))
        assert sum(event.phrase in {"more-0", "more-1", "more-2"} for event in found) == number
        assert outcome(found) == expected


def test_a_visit_that_a_person_states_is_one_whatever_is_said() -> None:
    texts = talk(["今天天气不错我们走吧", "他们都在那边等着呢"], at=2)
    assert verdicts(events(texts, one_visit=True)) == dict.fromkeys(OWED, "not_heard")
    by_hand = list(judge_events([VisitToggle(1.0), *with_ticks(texts, 60.0)], small()))
    assert verdicts(by_hand) == dict.fromkeys(OWED, "not_heard")


def test_words_that_customers_say_too_prove_no_service() -> None:
    found = events(talk(["今天天气不错我们走吧", "谢谢"]))
    assert outcome(found) == "no_service"
    assert "not_heard" not in verdicts(found).values()


@settings(max_examples=80)
@given(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=6),
    st.lists(st.tuples(st.sampled_from(GUESSED), st.floats(0.0, LOST_SHARE - 0.01)), min_size=1, max_size=6),
)
def test_invariant_2_sound_that_was_not_understood_never_adds_an_accusation(
    texts: list[str], guessed: list[tuple[str, float]]
) -> None:
    clear = talk(texts)
    lost = [
        heard_with(said(text, end_of(clear[-1]) + 1 + 9 * at), confidence, LOST_SECONDS + 1)
        for at, (text, confidence) in enumerate(guessed)
    ]
    before, after = events(clear), events([*clear, *lost])
    accused = [event.phrase for event in before if event.verdict in {"not_heard", "forbidden", "broken"}]
    assert [one for one in accusations(after) if one not in accused] == []


@settings(max_examples=80)
@given(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=6),
    st.integers(0, 5),
    st.sampled_from(["他们", *GUESSED]),
    st.floats(0.0, LOST_SHARE - 0.01),
)
def test_invariant_2_what_is_misheard_as_something_uncertain_never_adds_an_accusation(
    texts: list[str], number: int, guessed: str, share: float
) -> None:
    clear = talk(texts)
    spoken = clear[number % len(clear)]
    misheard = heard_with(said(guessed, spoken.start), share, LOST_SECONDS + 1)
    accused = accusations(events(clear))
    found = accusations(events([misheard if item is spoken else item for item in clear]))
    assert [one for one in found if one not in accused] == []


def accusations(recorded: list[Event]) -> list[str | None]:
    return [event.phrase for event in recorded if event.verdict in {"not_heard", "forbidden", "broken"}]

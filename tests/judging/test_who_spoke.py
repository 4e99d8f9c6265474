"""Who spoke: the clerk's voice is learnt within a shift, and used only where it is sure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from support.small_counter import FULL, said, small, verdicts

from counter_listener.domain import Event, Findings, MatchedUtterance, Speaker, Utterance, Voice
from counter_listener.judging import ShiftVoices, advance, attribute, finish_stream, fitted_scale, initial_state
from counter_listener.matching import match

SIZE = 64


def voice(person: str, rng: Random, frames: int = 200) -> Voice:
    """A vector of a person: near to others of that person, far from everybody else's."""
    own = Random(person)  # noqa: S311 - reproducible draws
    return Voice(tuple(own.gauss(0, 1) + 0.5 * rng.gauss(0, 1) for _ in range(SIZE)), frames)


def spoken(lines: Iterable[tuple[str, str]], start: float = 0.0, seed: int = 1) -> list[Utterance]:
    """Sentences, each by a person, with a second between them."""
    rng = Random(seed)  # noqa: S311 - reproducible draws
    utterances, at = [], start
    for person, text in lines:
        utterances.append(replace(said(text, at), voice=voice(person, rng)))
        at = utterances[-1].end + 1
    return utterances


def run(utterances: Iterable[Utterance]) -> tuple[list[Event], list[Speaker]]:
    """The events of a stream, and who is said to have spoken each utterance."""
    matcher = small()
    events: list[Event] = []
    speakers: list[Speaker] = []
    state = initial_state(matcher.phrases)
    for item in match(iter(utterances), matcher):
        before = state.voices
        state, found = advance(state, item)
        events += found
        if isinstance(item, MatchedUtterance):
            number = state.visit.number if state.visit else state.visit_count
            speakers.append(attribute(before, item, number)[1].utterance.speaker)
    return [*events, *finish_stream(state)[1]], speakers


GREETED = [("clerk", FULL[0]), ("clerk", FULL[1]), ("guest", FULL[2]), ("clerk", FULL[3])]


def test_the_voice_that_says_what_only_a_clerk_says_is_the_clerks() -> None:
    _, speakers = run(spoken([*GREETED, ("clerk", "好的马上"), ("guest", "今天天气不错我们走吧")]))
    assert speakers[-2:] == ["clerk", "customer"]


def test_thanks_count_as_heard_from_the_clerk_alone() -> None:
    by_clerk = run(spoken([*GREETED, ("clerk", "再见")]))[0]
    by_guest = run(spoken([*GREETED, ("guest", "再见")]))[0]
    assert verdicts(by_clerk)["goodbye"] == "heard"
    assert verdicts(by_guest)["goodbye"] == "not_heard"
    assert verdicts(run([replace(one, voice=None) for one in spoken([*GREETED, ("guest", "再见")])])[0])["goodbye"] == (
        "unknown"
    )


def test_an_offence_in_the_words_of_a_customer_accuses_nobody() -> None:
    offence = "这事不归我管"
    assert "forbidden" in {event.verdict for event in run(spoken([*GREETED, ("clerk", offence)]))[0]}
    assert "forbidden" not in {event.verdict for event in run(spoken([*GREETED, ("guest", offence)]))[0]}


def test_a_phrase_that_only_a_clerk_says_is_never_a_customers() -> None:
    found, speakers = run(spoken([*GREETED, ("guest", FULL[4])]))
    assert speakers[-1] != "customer"
    assert verdicts(found)["goodbye"] == "heard"


def test_the_clerk_is_the_voice_of_most_visits_even_if_no_phrase_is_said() -> None:
    voices, rng = ShiftVoices(), Random(3)  # noqa: S311 - reproducible draws
    speakers: list[Speaker] = []
    for visit in range(1, 6):
        for person in ("clerk", f"guest {visit}") * 3:
            utterance = replace(said("好的好的好的", 30.0 * visit), voice=voice(person, rng))
            voices, matched = attribute(voices, MatchedUtterance(utterance, Findings(), 6), visit)
            speakers.append(matched.utterance.speaker)
    assert speakers[-6:] == ["clerk", "customer"] * 3


def test_customers_are_forgotten_after_the_next_visit_and_all_voices_after_the_shift() -> None:
    voices, rng = ShiftVoices(), Random(4)  # noqa: S311 - reproducible draws

    def hear(person: str, at: float, visit: int) -> None:
        nonlocal voices
        utterance = replace(said("好的好的好的", at), voice=voice(person, rng))
        voices = attribute(voices, MatchedUtterance(utterance, Findings(), 6), visit)[0]

    for visit in range(1, 5):
        hear("clerk", 60.0 * visit, visit)
        hear(f"guest {visit}", 60.0 * visit + 10, visit)
    assert len(voices.known) == 3  # the clerk, and the customers of this visit and of the one before
    hear("clerk", 300 + 5 * 3_600, 5)
    assert len(voices.known) == 1


@pytest.mark.parametrize("speaker", ["clerk", "customer"])
def test_what_a_channel_says_stays(speaker: Speaker) -> None:
    utterance = replace(spoken([("guest", "再见")])[0], speaker=speaker)
    voices, matched = attribute(ShiftVoices(), MatchedUtterance(utterance, Findings(), 2), 1)
    assert (voices, matched.utterance) == (ShiftVoices(), utterance)


def test_without_a_vector_nothing_is_learnt() -> None:
    utterance = said("再见", 0.0)
    assert attribute(ShiftVoices(), MatchedUtterance(utterance, Findings(), 2), 1)[0] == ShiftVoices()


def test_the_numbers_are_probabilities_and_odds() -> None:
    scale = fitted_scale()
    assert 0.5 < scale.least < 1
    assert min(scale.cosine, scale.phrase, scale.visit, scale.level, scale.slope) > 0

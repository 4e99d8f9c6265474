"""The bench's simulator: the error rate and the mix that it says, and visits whose truth is what was said in them."""

import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from misheard import MIX, ErrorCounts, inventory, misheard, similar_sounds, split
from noisy_text import SEEDS
from rapidfuzz.distance import Levenshtein
from support.bundled import matcher
from visits import MARK, Visit, exact, half, listed, parsed, script, talk, visits

from counter_listener.domain import Utterance
from counter_listener.judging import typed_utterance
from counter_listener.phrases import Template, template_reader
from counter_listener.phrases.pinyin import split_units, text_syllables


@pytest.fixture(scope="module")
def made() -> list[Visit]:
    return list(visits("tuning", SEEDS["tuning"][0], 50))


def plain(utterance: Utterance | None) -> str:
    return "".join(word.text for word in utterance.words) if utterance else ""


@pytest.mark.parametrize("rate", [0.235, *(pytest.param(rate, marks=pytest.mark.slow) for rate in (0.1, 0.38))])
def test_the_error_rate_and_the_mix_are_those_asked_for(made: list[Visit], rate: float) -> None:
    rng, counts, distance = random.Random(rate), ErrorCounts(), 0  # noqa: S311 - repeatable
    for utterance in (one for visit in made for one in visit.utterances):
        distance += Levenshtein.distance(plain(utterance), plain(misheard(utterance, rate, rng, counts)))
    assert distance / counts.characters == pytest.approx(rate, rel=0.12)
    for kind, share in MIX.items():
        assert counts.mix[kind] == pytest.approx(share, abs=0.05), kind


@given(st.text(alphabet="请您好再见慢走谢的配合没有了钱", max_size=30), st.floats(0, 1), st.integers())
def test_misheard_speech_keeps_its_order_and_its_time(text: str, rate: float, seed: int) -> None:
    utterance = typed_utterance(text)
    heard = misheard(utterance, rate, random.Random(seed), ErrorCounts())  # noqa: S311 - repeatable
    if heard is None:
        assert rate or not text
        return
    edges = [edge for word in heard.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert utterance.start <= heard.start <= heard.end <= utterance.end
    assert all(len(split_units(word.text)) == 1 for word in heard.words)
    if rate == 0:
        assert plain(heard) == text


def test_near_sounds_are_one_confusion_away() -> None:
    assert split("zhuang") == ("zh", "uang")
    known = inventory().by_sound
    assert {"zong", "zhun", "chong"} <= set(similar_sounds("zhong", known)) | {"chong"}
    for sound, others in inventory().similar.items():
        assert sound not in others
        for other in others:
            assert (split(sound)[0] == split(other)[0]) != (split(sound)[1] == split(other)[1])


def test_homophones_sound_alike() -> None:
    for sound, units in islice(inventory().by_sound.items(), 50):
        assert {text_syllables(unit)[0] for unit in units} == {sound}


def test_visits_hold_what_they_say_they_hold(made: list[Visit]) -> None:
    known = {one.id for one, _ in listed().phrases()} | {one.id for one in listed().forbidden}
    for visit in made:
        words = [word for one in visit.utterances for word in one.words]
        assert [word.start for word in words] == sorted(word.start for word in words)
        assert words[-1].end <= visit.seconds
        for said in visit.said:
            assert said.id in known
            assert any(said.start == word.start for word in words)
            assert any(said.end == word.end for word in words)
    owed = [said.id for visit in made for said in visit.said if not said.optional]
    assert {"hello", "ask-need", "hand-back", "goodbye"} <= set(owed)
    assert set(owed) & {one.id for one in listed().forbidden}
    assert 10 < len(owed) / len(made) < 25


def test_many_wordings_are_not_said_word_for_word(made: list[Visit]) -> None:
    patterns = exact([phrase for phrase, _ in listed().phrases()])
    phrases = {one.id for one, _ in listed().phrases()}
    spelled, every = 0, 0
    for visit in made:
        for said in (one for one in visit.said if not one.optional and one.id in phrases):
            inside = (w for one in visit.utterances for w in one.words if said.start <= w.start and w.end <= said.end)
            text = "".join(word.text for word in inside)
            every += 1
            spelled += any(owner == said.id and pattern.search(text) for owner, pattern in patterns)
    assert 0.8 < spelled / every < 0.97


def test_the_same_seed_makes_the_same_visits_and_reporting_seeds_make_others() -> None:
    assert not set(SEEDS["tuning"]) & set(SEEDS["reporting"])
    for name in talk():
        assert not set(half("tuning", name)) & set(half("reporting", name))
    one, again, other = (list(visits(kind, 1, 2)) for kind in ("tuning", "tuning", "reporting"))
    assert one == again
    assert one != other


INSIDE_OTHERS = {"自己看", "下午好", "你好", "早上好", "晚上好", "上午好", "慢走"}
"""Wordings that talk.toml holds inside longer words on purpose, as in 你好久 and 慢慢走."""


def test_what_is_not_marked_in_talk_holds_no_other_wording_that_nothing_excuses() -> None:
    source, bank, excusing = script(listed()), matcher().phrases, list[Template]()
    read, read_frame = template_reader(bank).read, template_reader(bank.frames).read
    for one in (*bank.forbidden, *(phrase for phrase, _ in bank.phrases())):
        excusing += map(read, (*getattr(one, "unless", ()), *one.not_in))
    for frame in bank.frames.frame:
        excusing += map(read_frame, (*frame.before, *frame.after, *frame.around))
    for line in (line for lines in talk().values() for line in lines):
        turn = parsed(line)
        assert turn.text == "".join(split_units(MARK.sub(r"\1", line)))
        for owner, pattern in (*source.owed, *source.forbidden):
            for place in pattern.finditer(turn.text):
                meant = any(one.id == owner for one in turn.marks) or place[0] in INSIDE_OTHERS
                assert meant or any(one.occurs_in(split_units(turn.text)) for one in excusing), (line, place[0])

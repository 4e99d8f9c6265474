"""What sounds like a wording and is written as other words."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bundled import found
from support.bundled import matcher as bank
from support.small_counter import said

from counter_listener.matching.dictionary import LIST, following, is_word
from counter_listener.matching.matching import find_in_utterance
from counter_listener.matching.other_words import competing_word_penalty
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import to_syllables
from counter_listener.phrases.pinyin import split_units
from models.build.language.pairs import pairs
from models.build.language.vocabulary import dictionary_file, read_counts


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("您再见", ["goodbye"]),
        ("您在建", ["goodbye"]),
        ("您在建行上班吗", []),
        ("多些", ["thanks"]),
        ("多些糖味道更甜", []),
        ("大概吧", ["not-sure"]),
        ("大概八", ["not-sure"]),
        ("大概八个人吃饭", []),
    ],
)
def test_a_character_that_makes_a_word_with_its_neighbour_was_hardly_misheard(text: str, told: list[str]) -> None:
    assert found(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("你喊什么喊啊他", ["why-shout"]),
        ("下一格", ["next-one"]),
        ("该填下一格啦小朋友", []),
        ("他真烦人", ["annoyed"]),
        ("真犯人", ["annoyed"]),
        ("电影里的真犯人是谁", []),
    ],
)
def test_nobody_is_accused_in_the_midst_of_a_sentence_by_what_only_sounds_so(text: str, told: list[str]) -> None:
    assert found(text) == told


@given(st.sampled_from([one for one in bank().patterns if one.role in {"phrase", "forbidden"}]), st.integers(0, 2))
def test_nothing_speaks_against_what_is_written_as_the_wording_has_it(pattern: Pattern, sides: int) -> None:
    spoken = to_syllables(said(pattern.wording, 0), 0.3)
    assert competing_word_penalty(pattern, 0, len(spoken), (), sides, spoken) == 0


@given(st.text(alphabet="您在建行上班吗再见满走廊请慢啊好像", min_size=2, max_size=9), st.data())
def test_each_strange_character_can_only_speak_against_it(text: str, data: st.DataObject) -> None:
    spoken = to_syllables(said(text, 0), 0.3)
    strange = data.draw(st.sets(st.integers(0, len(spoken) - 1)))
    more = strange | {data.draw(st.integers(0, len(spoken) - 1))}
    pattern = next(one for one in bank().patterns if one.role == "phrase")
    assert competing_word_penalty(pattern, 0, len(spoken), strange, 1, spoken) <= competing_word_penalty(
        pattern, 0, len(spoken), more, 1, spoken
    )


def test_a_pause_parts_words() -> None:
    text = said("您在建", 0), said("行", 2)
    assert [hit.owner for one in text for hit in find_in_utterance(bank(), one).phrases] == ["goodbye"]


def test_the_list_holds_single_characters_in_order() -> None:
    known = following()
    assert len(known) > 3000
    assert list(known) == sorted(known)
    assert all(
        split_units(first) == (first,) and others == "".join(sorted(set(others))) for first, others in known.items()
    )
    assert is_word("建", "行")
    assert not is_word("再", "见行")
    assert not is_word("?", "行")


@pytest.mark.skipif(not find_spec("jieba"), reason="jieba is missing: pip install -r models/build/requirements.txt")
def test_the_list_is_what_its_program_makes_of_the_dictionary() -> None:
    assert LIST.read_text(encoding="utf-8") == pairs(read_counts(dictionary_file()))

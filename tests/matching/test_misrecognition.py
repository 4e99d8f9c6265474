"""Recognition errors and other words: what speaks against an error, and what is accepted as one."""

from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bundled import matcher
from support.small_counter import said

from counter_listener.matching import Pattern, find_in_utterance, to_syllables
from counter_listener.matching.alignment import align_contiguous
from counter_listener.matching.misrecognition import (
    WORDS,
    competing_word_penalty,
    extended_allowance,
    joins_word,
    word_endings,
)
from counter_listener.phrases import split_units
from models.build.language.pairs import pairs
from models.build.language.vocabulary import dictionary_file, read_counts

OWED = [pattern for pattern in matcher().patterns if pattern.role == "phrase" and None not in pattern.units]
GOODBYE = next(pattern for pattern in OWED if pattern.wording == "您再见")


@given(st.text(alphabet="您在建行上班吗再见满走廊请慢啊好像", min_size=3, max_size=9), st.data())
def test_each_foreign_character_speaks_against_a_wording(text: str, data: st.DataObject) -> None:
    syllables = to_syllables(said(text), 0.3)
    aligned = align_contiguous(GOODBYE, to_syllables(said("您再见"), 0.3), 0)._replace(syllables=syllables)
    foreign = data.draw(st.sets(st.integers(0, len(syllables) - 1)))
    more = foreign | {data.draw(st.integers(0, len(syllables) - 1))}
    less_penalty, penalty = (competing_word_penalty(aligned, 0, len(syllables), units, 1) for units in (foreign, more))
    assert less_penalty <= penalty


def test_a_pause_divides_words() -> None:
    utterances = said("您在建", 0), said("行", 2)
    hits = [hit for utterance in utterances for hit in find_in_utterance(matcher(), utterance).phrases]
    assert [hit.owner for hit in hits] == ["goodbye"]


@given(st.sampled_from(OWED), st.integers(0, 20), st.floats(0, 100))
def test_more_evidence_never_allows_less(pattern: Pattern, homophones: int, surplus: float) -> None:
    amid, alone = (extended_allowance(pattern, homophones, surplus, alone=alone) for alone in (False, True))
    if pattern.has_extension:
        assert pattern.allowed_cost(homophones) <= amid <= alone <= pattern.allowed[-1]
        assert amid <= extended_allowance(pattern, homophones, surplus + 1, alone=False)
    else:
        assert pattern.size < 4


def test_the_list_of_words_has_single_characters_in_order() -> None:
    known = word_endings()
    assert len(known) > 3000
    assert list(known) == sorted(known)
    for first, others in known.items():
        assert split_units(first) == (first,)
        assert others == "".join(sorted(set(others)))
    assert joins_word(0, to_syllables(said("建行"), 0.3))
    assert not joins_word(0, to_syllables(said("行建"), 0.3))


@pytest.mark.skipif(not find_spec("jieba"), reason="jieba is missing: pip install -r models/build/requirements.txt")
def test_the_list_of_words_is_what_its_program_makes_of_the_dictionary() -> None:
    assert WORDS.read_text(encoding="utf-8") == pairs(read_counts(dictionary_file()))

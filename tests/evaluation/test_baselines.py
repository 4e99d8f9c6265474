"""The baselines: what each can and cannot find, so that ours is compared with something that works."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_counter import small

from counter_listener.evaluation.baselines import BASELINES, LEAST, Baseline, find_with, prepare_baseline
from counter_listener.evaluation.scoring import Detection
from counter_listener.judging.examples import typed_utterance

READY = {kind: prepare_baseline(kind, small().phrases) for kind in BASELINES}


def found(kind: Baseline, text: str, threshold: float = LEAST) -> list[str]:
    return [one.id for one in find_with(READY[kind], typed_utterance(text)) if one.score >= threshold]


@pytest.mark.parametrize("kind", BASELINES)
def test_all_find_what_is_said_word_for_word(kind: Baseline) -> None:
    assert found(kind, "您好欢迎光临请问您办理什么业务", 100) == ["ask-need", "hello"]
    assert found(kind, "今天天气不错", 90) == []


def test_exact_text_finds_nothing_else_but_fills_slots() -> None:
    assert found("exact", "宁好") == []
    assert found("exact", "王先生您好") == ["hello"]
    (one,) = find_with(READY["exact"], typed_utterance("王先生您好"))
    assert (one.start, one.end, one.score) == (0.0, 1.25, 100.0)


def test_characters_forgive_some_and_pinyin_forgives_homophones() -> None:
    assert found("characters", "请问您办里什么业物", 75) == ["ask-need"]
    assert found("characters", "青文您办里什么业物", 75) == []
    assert found("pinyin", "青文您办里什么业物", 100) == ["ask-need"]


def test_a_short_utterance_is_not_looked_for_inside_a_wording() -> None:
    for kind in BASELINES:
        assert found(kind, "好", 70) == []


def test_of_wordings_that_overlap_the_longer_one_stays() -> None:
    (one,) = [one for one in find_with(READY["pinyin"], typed_utterance("再见请慢走")) if one.score == 100]
    assert (one.id, one.start, one.end) == ("goodbye", 0.0, 1.25)


def test_words_in_letters_and_no_words_at_all_are_no_trouble() -> None:
    for kind in BASELINES:
        assert found(kind, "OK OK") == []
        assert find_with(READY[kind], typed_utterance("")) == []


@settings(deadline=None)
@given(
    st.text(alphabet="请您好再见慢走谢的配合没有了钱事不归我管办理什么业务问欢迎光临天啊", min_size=1, max_size=20),
    st.sampled_from(BASELINES),
)
def test_findings_never_overlap_and_lie_inside_the_utterance(text: str, kind: Baseline) -> None:
    utterance = typed_utterance(text)
    spans = sorted(find_with(READY[kind], utterance), key=lambda one: one.start)
    last = Detection("", 0.0, 0.0)
    for one in spans:
        assert last.end <= one.start < one.end <= utterance.end
        assert LEAST <= one.score <= 100
        last = one

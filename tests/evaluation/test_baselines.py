"""The baselines: what each finds and does not find, so that our matcher is compared with something that works."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.small_counter import SMALL, matcher_of, small

from counter_listener.evaluation.baselines import BASELINES, MIN_SCORE, Baseline, find_baseline, prepare_baseline
from counter_listener.evaluation.scoring import Detection
from counter_listener.judging import typed_utterance

PREPARED = {kind: prepare_baseline(kind, small().phrases) for kind in BASELINES}


def found(kind: Baseline, text: str, threshold: float = MIN_SCORE) -> list[str]:
    return [hit.id for hit in find_baseline(PREPARED[kind], typed_utterance(text)) if hit.score >= threshold]


@pytest.mark.parametrize("kind", BASELINES)
def test_all_baselines_find_a_wording_said_word_for_word(kind: Baseline) -> None:
    assert found(kind, "您好欢迎光临请问您办理什么业务", 100) == ["ask-need", "hello"]
    assert found(kind, "今天天气不错", 90) == []


def test_exact_text_fills_slots_and_forgives_nothing() -> None:
    assert found("exact", "宁好") == []
    assert found("exact", "王先生您好") == ["hello"]
    (hit,) = find_baseline(PREPARED["exact"], typed_utterance("王先生您好"))
    assert (hit.start, hit.end, hit.score) == (0.0, 1.25, 100.0)


def test_the_baselines_know_sentences_of_templates() -> None:
    phrases = matcher_of(SMALL.replace('"请慢走"', '"[您](请|您)慢[一点]走{title}"')).phrases
    utterance = typed_utterance("您请慢一点走啊")
    for kind in BASELINES:
        assert "goodbye" in [hit.id for hit in find_baseline(prepare_baseline(kind, phrases), utterance)], kind
    (hit,) = find_baseline(prepare_baseline("exact", phrases), utterance)
    assert (hit.start, hit.end) == (0.0, utterance.end)


def test_characters_forgive_some_and_pinyin_forgives_homophones() -> None:
    assert found("characters", "请问您办里什么业物", 75) == ["ask-need"]
    assert found("characters", "青文您办里什么业物", 75) == []
    assert found("pinyin", "青文您办里什么业物", 100) == ["ask-need"]


def test_a_short_utterance_is_not_searched_in_a_wording() -> None:
    for kind in BASELINES:
        assert found(kind, "好", 70) == []


def test_of_overlapping_wordings_the_longer_one_is_found() -> None:
    (hit,) = [hit for hit in find_baseline(PREPARED["pinyin"], typed_utterance("再见请慢走")) if hit.score == 100]
    assert (hit.id, hit.start, hit.end) == ("goodbye", 0.0, 1.25)


def test_words_in_letters_and_an_empty_utterance_match_nothing() -> None:
    for kind in BASELINES:
        assert found(kind, "OK OK") == []
        assert find_baseline(PREPARED[kind], typed_utterance("")) == []


@given(
    st.text(alphabet="请您好再见慢走谢的配合没有了钱事不归我管办理什么业务问欢迎光临天啊", min_size=1, max_size=20),
    st.sampled_from(BASELINES),
)
def test_findings_never_overlap_and_lie_inside_the_utterance(text: str, kind: Baseline) -> None:
    utterance = typed_utterance(text)
    spans = sorted(find_baseline(PREPARED[kind], utterance), key=lambda hit: hit.start)
    last = Detection("", 0.0, 0.0)
    for hit in spans:
        assert last.end <= hit.start < hit.end <= utterance.end
        assert MIN_SCORE <= hit.score <= 100
        last = hit

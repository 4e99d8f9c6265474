"""Figures of spoken sentences: what is found of what was owed, and how often a word of a confidence is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from counter_listener.domain import Word
from models.build.held_out import NATURAL_TEST_VOICES as VOICES
from models.build.measuring.confidence import calibration, judged_words
from models.build.measuring.own_words import (
    Found,
    Sentence,
    SpokenSentence,
    is_right,
    own_words_figures,
    speaker_of,
)
from models.build.measuring.tables import table


def test_own_words_are_counted_end_to_end_and_of_what_is_found_as_text() -> None:
    def spoken(kind: str, meaning: str, voice: str = VOICES[0]) -> SpokenSentence:
        return SpokenSentence(Sentence(kind, meaning, "", "您好"), Path("a.wav"), voice, ())

    def found(*phrases: str, accused: bool = False) -> Found:
        return Found(frozenset(phrases), accused)

    sentences = [spoken("owed", "hello"), spoken("owed", "hello", VOICES[1]), spoken("owed", "wait")]
    sentences += [spoken("rude", "rude"), spoken("innocent", "customer")]
    as_text = [found("hello"), found("hello"), found(), found(accused=True), found()]
    in_sound = [found("hello", "wait"), found("wait"), found("wait"), found(), found("hello")]
    figures = own_words_figures(sentences, as_text, in_sound, frozenset({"hello"}))
    assert (figures["owed"]["end_to_end"]["hits"], figures["owed"]["end_to_end"]["of"]) == (2, 3)
    assert (figures["owed"]["of_text"]["hits"], figures["owed"]["of_text"]["of"]) == (1, 2)
    assert figures["required"]["end_to_end"]["of"] == 2
    assert figures["owed"]["voices"][VOICES[1]]["hits"] == 0
    assert figures["rude"]["end_to_end"]["share"] == 0
    assert figures["rude"]["as_text"]["share"] == 1
    assert figures["innocent"]["taken"]["hits"] == 1
    assert not is_right(sentences[3].sentence, found("rude"))
    assert speaker_of(sentences[4].sentence) == "customer"
    assert speaker_of(sentences[3].sentence) == "clerk"


def test_a_word_is_right_if_all_its_syllables_were_said_at_its_place() -> None:
    words = [Word("请问", 0, 1, 0.9), Word("您号", 1, 2, 0.8), Word("吗", 2, 3, 0.2), Word("再见", 3, 4, 0.5)]
    assert judged_words("请问您好再减", words) == [(0.9, True), (0.8, True), (0.2, False), (0.5, True)]


def test_calibration_compares_confidence_with_what_is_right() -> None:
    judged = [(1.0, True)] * 99 + [(1.0, False)] + [(0.25, False)] * 4
    found = calibration(judged)
    assert found["words"] == 104
    assert [entry["words"] for entry in found["bins"]] == [4, 100]
    assert found["bins"][1]["right"] == pytest.approx(0.99)
    assert found["error"] == pytest.approx((100 * 0.01 + 4 * 0.25) / 104)
    assert calibration([])["bins"] == []


def test_the_table_has_a_row_for_each_voice_and_bin_of_confidence() -> None:
    def spoken(voice: str) -> SpokenSentence:
        return SpokenSentence(Sentence("owed", "hello", "", "您好"), Path("a.wav"), voice, ())

    sentences, found = [spoken(VOICES[0]), spoken(VOICES[1])], [Found(frozenset({"hello"}), accused=False)] * 2
    part = {**own_words_figures(sentences, found, found, frozenset()), "confidence": calibration([(0.9, True)] * 3)}
    rows = table({"model": "m", "own-words-spoken": part})
    assert "| own words, owed: end to end, zf_xiaoni (woman) | 1.000" in rows
    assert "| own words, owed: end to end, zm_yunyang (man) | 1.000" in rows
    assert "| own-words-spoken: words of confidence 0.90 to 0.95, mean 0.90 (3) | 100.0 % right |" in rows

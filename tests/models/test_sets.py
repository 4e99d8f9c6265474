"""Test sets: scripts of visits, the selection of recorded words, and labels."""

from __future__ import annotations

import copy
import ctypes.util
import json
import tomllib
import wave
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter_listener.evaluation import Label, read_labels
from counter_listener.phrases import read_phrase_set
from models.build.errors import BuildError
from models.build.held_out import TEST_VARIANTS, ExcludedDataError
from models.build.lexicon import Reading
from models.build.manifest import ManifestError, read_manifest
from models.build.sets.labels import (
    Kind,
    Line,
    SpokenLine,
    Wording,
    label,
    label_line,
    plain,
    tables,
    wording_patterns,
)
from models.build.sets.visits import visits
from models.build.sets.word_selection import index_words, select_words

PROJECT = Path(__file__).resolve().parents[2]
PHRASES = PROJECT / "phrase_sets" / "bank-counter.toml"
"""The set that `eval` uses."""
SAID = PROJECT / "bench" / "listed.toml"
"""The plain sentences that are said."""
SETS = PROJECT / "models" / "build" / "sets"
READINGS = dict(
    zip(
        "您好请问号是试验办理业务物了聊",
        (
            "nin2",
            "hao3",
            "qing3",
            "wen4",
            "hao4",
            "shi4",
            "shi4",
            "yan4",
            "ban4",
            "li3",
            "ye4",
            "wu4",
            "wu4",
            "le5",
            "liao2",
        ),
        strict=True,
    )
)
CONTEXTS = {"no-exchange": {"unless": ["抱歉"]}, "hello": {"not_in": ["晚上好像"]}}
PACE = 0.25
"""Seconds per character."""


@cache
def phrases() -> dict[str, Any]:
    return tomllib.loads(SAID.read_text(encoding="utf-8"))


@cache
def wordings() -> tuple[Wording, ...]:
    """All wordings, and contexts of two of the phrases."""
    found = copy.deepcopy(phrases())
    for table in tables(found):
        table.update(CONTEXTS.get(table["id"], {}))
    return wording_patterns(found)


@cache
def other_speech() -> dict[str, dict[str, list[str]]]:
    speech: dict[str, dict[str, list[str]]] = tomllib.loads((SETS / "other_speech.toml").read_text(encoding="utf-8"))
    return speech


def spoken(*lines: tuple[str, str | None], pause: float = 0.6) -> list[SpokenLine]:
    """Lines of PACE seconds per character, each with the id of the phrase that it is meant to be."""
    end, result = 0.0, []
    for text, owner in lines:
        kind: Kind = "phrase" if owner else "new"
        times = tuple((end + PACE * index, end + PACE * (index + 1)) for index in range(len(text)))
        result.append(SpokenLine(Line("clerk", text, kind, owner), "f3", times))
        end = times[-1][1] + pause
    return result


def labelled(*lines: tuple[str, str | None], pause: float = 0.6) -> dict[str, list[bool]]:
    """By id, whether each of its labels is optional."""
    labels: dict[str, list[bool]] = {}
    for phrase in label(spoken(*lines, pause=pause), wordings()):
        labels.setdefault(phrase.id, []).append(phrase.optional)
    return labels


def reading(text: str) -> Reading:
    return tuple((READINGS[character][:-1], READINGS[character][-1]) for character in text)


def selected(
    sentence: str, words: Sequence[str], ambiguous: str = "", speaker_readings: dict[str, Reading] | None = None
) -> list[str] | None:
    """The recorded words for a sentence; the characters in `ambiguous` have two readings."""
    recorded = index_words(words, reading, lambda word: 2 if word in ambiguous else 1, speaker_readings or {})
    return select_words(sentence, recorded, reading)


def written_label(folder: Path) -> Label:
    """The only label in labels.jsonl of a folder."""
    (read,) = read_labels(folder / "labels.jsonl", read_phrase_set(PHRASES)[0].titles())
    return read


def test_an_intended_wording_is_owed_and_a_wording_inside_it_is_optional() -> None:
    assert labelled(("谢谢您的光临", "thanks-coming")) == {"thanks-coming": [False], "thanks": [True, True]}
    assert labelled(("今天天气不错", None)) == {}


def test_a_wording_that_is_part_of_another_phrase_is_not_owed() -> None:
    assert labelled(("对不起请您稍等", "sorry-hold")) == {"sorry-hold": [False], "wait": [True]}


def test_a_wording_across_two_lines_is_optional() -> None:
    assert labelled(("请您", None), ("慢走", None)) == {"goodbye": [True, True, True]}


def test_an_offence_next_to_a_courtesy_that_excuses_it_is_optional() -> None:
    rude, excuse = ("我们不换的", "no-exchange"), ("真是抱歉啊", None)
    assert labelled(rude)["no-exchange"] == [False]
    assert labelled(excuse, rude)["no-exchange"] == [True]
    assert labelled(rude, excuse)["no-exchange"] == [True]
    assert labelled(excuse, rude, pause=9.0)["no-exchange"] == [False]


def test_a_wording_inside_a_longer_word_was_not_said() -> None:
    assert labelled(("晚上好像要下雨", None)) == {}
    assert labelled(("晚上好", "hello"), ("像要下雨", None)) == {"hello": [True]}


def test_a_filled_slot_is_part_of_the_wording_and_times_are_those_of_the_characters() -> None:
    (owed,) = (phrase for phrase in label(spoken(("收您三千五百元", "say-amount")), wordings()) if not phrase.optional)
    assert (owed.id, owed.start, owed.end) == ("say-amount", 0.0, 7 * PACE)


@pytest.mark.parametrize("wording", ["(请|麻烦)坐", "请[您]坐", "<please>坐", "请坐{nowhere}"])
def test_a_template_is_refused_because_the_sets_need_plain_sentences(wording: str) -> None:
    with pytest.raises(BuildError, match="is a template"):
        wording_patterns({"stage": [{"phrase": [{"id": "seat", "say": [wording]}]}]})


def test_the_phrases_that_are_said_are_phrases_of_the_bank_counter() -> None:
    assert {table["id"] for table in tables(phrases())} <= set(read_phrase_set(PHRASES)[0].titles())


@settings(max_examples=20)
@given(st.integers(0, 1_000))
def test_every_visit_owes_its_fixed_phrases_and_its_labels_are_in_order_of_time(seed: int) -> None:
    (lines,) = visits(phrases(), other_speech(), 1, str(seed))
    assert {"hello", "ask-need", "hand-back", "goodbye"} <= {line.owner for line in lines}
    assert all(plain(line.text) == line.text and "{" not in line.text for line in lines)
    labels = label(spoken(*((line.text, line.owner) for line in lines)), wordings())
    assert all(phrase.start < phrase.end for phrase in labels)
    assert all(before.start <= after.start for before, after in pairwise(labels))
    assert {phrase.id for phrase in labels if not phrase.optional} <= {line.owner for line in lines}


def test_the_same_seed_gives_the_same_visits_and_all_phrases_are_used_in_turn() -> None:
    first, second = (list(visits(phrases(), other_speech(), 24, "a")) for _ in range(2))
    assert first == second != list(visits(phrases(), other_speech(), 24, "b"))
    owners = [line.owner for visit in first for line in visit if line.owner]
    assert len(set(owners)) > 100
    assert len(owners) >= 200


def test_other_speech_contains_no_wording() -> None:
    for kind in ("known", "new"):
        for text in (text for side in other_speech()[kind].values() for text in side):
            assert not [word.owner for word in wordings() if word.role == "said" and word.pattern.search(text)], text


def test_eval_reads_the_labels(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    line = label_line("a.wav", 9.0, label(spoken(("谢谢您的光临", "thanks-coming")), wordings()))
    (tmp_path / "labels.jsonl").write_text(line, encoding="utf-8")
    said = written_label(tmp_path).phrases
    assert {phrase.id: phrase.optional for phrase in said} == {"thanks-coming": False, "thanks": True}


def test_the_longest_recorded_words_are_selected() -> None:
    assert selected("请问您好", ["请问", "请", "问", "您好", "您", "好"]) == ["请问", "您好"]


def test_a_word_that_was_not_recorded_is_replaced_by_a_homophone() -> None:
    assert selected("业务", ["业", "物"]) == ["业", "物"]
    assert selected("试验", ["是", "验"]) == ["是", "验"]
    assert selected("业务", ["业"]) is None


def test_a_syllable_that_was_not_recorded_in_its_tone_is_taken_in_another() -> None:
    assert selected("好", ["号"]) == ["号"]
    assert selected("好", ["号", "好"]) == ["好"]


def test_an_ambiguous_character_is_replaced_by_an_unambiguous_one() -> None:
    assert selected("是", ["是", "试"], ambiguous="是") == ["试"]
    assert selected("是", ["是", "试"]) == ["是"]
    assert selected("是", ["是"], ambiguous="是") == ["是"]


def test_a_character_that_the_speaker_read_differently_is_not_used_for_its_usual_reading() -> None:
    speaker: dict[str, Reading] = {"了": (("liao", "2"),)}
    assert selected("了", ["了"], speaker_readings=speaker) is None
    assert selected("聊", ["了"], speaker_readings=speaker) == ["了"]


@given(st.text(st.sampled_from("您好请问是试业务物"), min_size=1, max_size=12))
def test_the_selected_words_sound_like_the_sentence(sentence: str) -> None:
    words = ["您好", "请问", "您", "好", "请", "问", "是", "业务", "业", "物"]
    selection = selected(sentence, words)
    assert selection is not None
    assert reading("".join(selection)) == reading(sentence)


def test_a_manifest_lists_recordings_and_other_licences_are_refused(tmp_path: Path) -> None:
    head = "path\ttext\tspeaker\tlicence\tattribution\n"
    (tmp_path / "manifest.tsv").write_text(
        head + 'a.wav\t说"好"\tyue_tan\tCC BY-SA 3.0 (us)\tSomebody\n', encoding="utf-8"
    )
    (recording,) = read_manifest(tmp_path)
    assert (recording.path, recording.text, recording.licence) == (tmp_path / "a.wav", '说"好"', "CC-BY-SA-3.0")
    (tmp_path / "manifest.tsv").write_text(head + "a.wav\t好\tx\tCC-BY-NC-4.0\ty\n", encoding="utf-8")
    with pytest.raises(ExcludedDataError, match="CC-BY-NC"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", [None, "path\ttext\n", "\xff"])
def test_a_missing_or_invalid_manifest_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.tsv").write_bytes(content.encode("latin-1"))
    with pytest.raises(ManifestError, match=r"manifest\.tsv"):
        read_manifest(tmp_path)
    assert issubclass(ManifestError, BuildError)


@pytest.mark.slow
@pytest.mark.skipif(not ctypes.util.find_library("espeak-ng"), reason="espeak-ng is not installed")
def test_a_visit_is_synthesised_in_the_test_voices_with_labels(tmp_path: Path) -> None:
    for library in ("numpy", "scipy"):
        pytest.importorskip(library, reason="models/build/requirements.txt is not installed")
    from models.build.sets.__main__ import main

    assert main(["--audio", str(tmp_path), "--out", str(tmp_path), "--only", "voices", "--visits", "1"]) == 0
    read = written_label(tmp_path / "voices")
    truth = json.loads((tmp_path / "voices" / "truth.jsonl").read_text(encoding="utf-8"))
    with wave.open(str(read.path)) as file:
        assert file.getframerate() == 16_000
        assert file.getnframes() / 16_000 == pytest.approx(read.seconds, abs=0.01)
    spans = [span for line in truth["lines"] for span in line["characters"]]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] + 1e-6 for before, after in pairwise(spans))
    assert {line["voice"] for line in truth["lines"]} <= set(TEST_VARIANTS)
    assert spans[-1][1] < read.seconds


def test_known_sentences_are_in_the_text_of_the_language_model_and_new_ones_are_not() -> None:
    files = sorted((PROJECT / "models" / "build" / "language").rglob("*.txt"))
    text = plain("".join(file.read_text(encoding="utf-8") for file in files))
    assert [sentence for side in other_speech()["known"].values() for sentence in side if sentence not in text] == []
    assert [sentence for side in other_speech()["new"].values() for sentence in side if sentence in text] == []

"""Test sets: what is said in a visit, how it is spelt from recorded words, and what its labels tell."""

from __future__ import annotations

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

from counter_listener.evaluation.labels import read_labels, scorable_ids
from counter_listener.phrases.phrase_file import read_phrase_set
from models.build.errors import BuildError
from models.build.held_out import TEST_VARIANTS, Refused
from models.build.lexicon import Reading
from models.build.manifest import ManifestError, read_manifest
from models.build.sets.labels import Kind, Line, Spoken, Wording, label, label_line, plain, wordings
from models.build.sets.spelling import recorded, spell
from models.build.sets.visits import visits

TOP = Path(__file__).resolve().parents[2]
PHRASES = TOP / "phrase_sets" / "bank-counter.toml"
SETS = TOP / "models" / "build" / "sets"
SOUNDS = dict(zip("您好请问号是试验办理业务物了聊", "nin2 hao3 qing3 wen4 hao4 shi4 shi4 yan4 ban4 li3 ye4 wu4 wu4 le5 liao2".split(), strict=True))  # fmt: skip  # noqa: E501, SIM905
PACE = 0.25


@cache
def phrases() -> dict[str, Any]:
    return tomllib.loads(PHRASES.read_text(encoding="utf-8"))


@cache
def listed() -> tuple[Wording, ...]:
    return wordings(phrases())


@cache
def talk() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = tomllib.loads((SETS / "talk.toml").read_text(encoding="utf-8"))
    return found


def said(*lines: tuple[str, str | None], pause: float = 0.6) -> list[Spoken]:
    """Lines, each with the phrase it is meant as, at an even pace."""
    now, spoken = 0.0, []
    for text, owner in lines:
        kind: Kind = "phrase" if owner else "new"
        times = tuple((now + PACE * i, now + PACE * (i + 1)) for i in range(len(text)))
        spoken.append(Spoken(Line("clerk", text, kind, owner), "f3", times))
        now = times[-1][1] + pause
    return spoken


def labelled(*lines: tuple[str, str | None], pause: float = 0.6) -> dict[str, list[bool]]:
    """Id to whether each of its labels is optional."""
    found: dict[str, list[bool]] = {}
    for one in label(said(*lines, pause=pause), listed()):
        found.setdefault(one.id, []).append(one.optional)
    return found


def reading(text: str) -> Reading:
    return tuple((SOUNDS[character][:-1], SOUNDS[character][-1]) for character in text)


def spelt(
    sentence: str, words: Sequence[str], unsure: str = "", heard: dict[str, Reading] | None = None
) -> list[str] | None:
    return spell(sentence, recorded(words, reading, lambda one: 2 if one in unsure else 1, heard or {}), reading)


def test_what_was_meant_is_owed_and_what_it_holds_may_be_found() -> None:
    assert labelled(("谢谢您的光临", "thanks-coming")) == {"thanks-coming": [False], "thanks": [True, True]}
    assert labelled(("今天天气不错", None)) == {}


def test_a_wording_within_the_words_of_another_phrase_is_not_owed_twice() -> None:
    assert labelled(("对不起请您稍等", "sorry-hold")) == {"sorry-hold": [False], "wait": [True]}


def test_a_wording_across_two_lines_may_be_found() -> None:
    assert labelled(("请您", None), ("慢走", None)) == {"goodbye": [True, True, True]}


def test_an_offence_that_courtesy_excuses_may_be_found_but_need_not_be() -> None:
    rude, excuse = ("我们不换的", "no-exchange"), ("真是抱歉啊", None)
    assert labelled(rude)["no-exchange"] == [False]
    assert labelled(excuse, rude)["no-exchange"] == [True]
    assert labelled(rude, excuse)["no-exchange"] == [True]
    assert labelled(excuse, rude, pause=9.0)["no-exchange"] == [False]


def test_a_longer_word_takes_the_wording_within_it() -> None:
    assert labelled(("晚上好像要下雨", None)) == {}
    assert labelled(("晚上好", "hello"), ("像要下雨", None)) == {"hello": [True]}


def test_slots_are_filled_and_times_are_those_of_the_characters() -> None:
    (one,) = [each for each in label(said(("收您三千五百元", "say-amount")), listed()) if not each.optional]
    assert (one.id, one.start, one.end) == ("say-amount", 0.0, 7 * PACE)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000))
def test_visits_owe_all_that_they_must_and_their_labels_never_go_back(seed: int) -> None:
    (lines,) = visits(phrases(), talk(), 1, str(seed))
    assert {"hello", "ask-need", "hand-back", "goodbye"} <= {line.owner for line in lines}
    assert all(plain(line.text) == line.text and "{" not in line.text for line in lines)
    found = label(said(*((line.text, line.owner) for line in lines)), listed())
    assert all(one.start < one.end for one in found)
    assert all(before.start <= after.start for before, after in pairwise(found))
    assert {one.id for one in found if not one.optional} <= {line.owner for line in lines}


def test_the_same_seed_gives_the_same_visits_and_all_phrases_come_in_turn() -> None:
    first, second = (list(visits(phrases(), talk(), 24, "a")) for _ in range(2))
    assert first == second != list(visits(phrases(), talk(), 24, "b"))
    owners = [line.owner for visit in first for line in visit if line.owner]
    assert len(set(owners)) > 100
    assert len(owners) >= 200


def test_our_own_talk_holds_no_wording() -> None:
    for kind in ("known", "new"):
        for text in (text for side in talk()[kind].values() for text in side):
            assert not [one.owner for one in listed() if one.role == "said" and one.pattern.search(text)], text


def test_labels_are_those_that_eval_reads(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    line = label_line("a.wav", 9.0, label(said(("谢谢您的光临", "thanks-coming")), listed()))
    (tmp_path / "labels.jsonl").write_text(line, encoding="utf-8")
    (read,) = read_labels(tmp_path / "labels.jsonl", scorable_ids(read_phrase_set(PHRASES)[0]))
    assert {one.id: one.optional for one in read.said} == {"thanks-coming": False, "thanks": True}


def test_a_sentence_is_spelt_with_the_longest_words() -> None:
    assert spelt("请问您好", ["请问", "请", "问", "您好", "您", "好"]) == ["请问", "您好"]


def test_what_was_not_recorded_is_spelt_by_its_sound_and_tone() -> None:
    assert spelt("业务", ["业", "物"]) == ["业", "物"]
    assert spelt("试验", ["是", "验"]) == ["是", "验"]
    assert spelt("业务", ["业"]) is None


def test_a_tone_that_was_never_recorded_is_taken_from_another() -> None:
    assert spelt("好", ["号"]) == ["号"]
    assert spelt("好", ["号", "好"]) == ["好"]


def test_a_character_of_several_readings_gives_way_to_one_that_is_sure() -> None:
    assert spelt("是", ["是", "试"], unsure="是") == ["试"]
    assert spelt("是", ["是", "试"]) == ["是"]
    assert spelt("是", ["是"], unsure="是") == ["是"]


def test_a_character_recorded_in_another_reading_is_not_used_for_its_own() -> None:
    heard: dict[str, Reading] = {"了": (("liao", "2"),)}
    assert spelt("了", ["了"], heard=heard) is None
    assert spelt("聊", ["了"], heard=heard) == ["了"]


@given(st.text(st.sampled_from("您好请问是试业务物"), min_size=1, max_size=12))
def test_what_is_spelt_sounds_like_the_sentence(sentence: str) -> None:
    words = ["您好", "请问", "您", "好", "请", "问", "是", "业务", "业", "物"]
    spelling = spelt(sentence, words)
    assert spelling is not None
    assert reading("".join(spelling)) == reading(sentence)


def test_a_manifest_tells_recordings_and_refuses_a_licence_that_will_not_do(tmp_path: Path) -> None:
    head = "path\ttext\tspeaker\tlicence\tattribution\n"
    (tmp_path / "manifest.tsv").write_text(
        head + 'a.wav\t说"好"\tyue_tan\tCC BY-SA 3.0 (us)\tSomebody\n', encoding="utf-8"
    )
    (one,) = read_manifest(tmp_path)
    assert (one.path, one.text, one.licence) == (tmp_path / "a.wav", '说"好"', "CC-BY-SA-3.0")
    (tmp_path / "manifest.tsv").write_text(head + "a.wav\t好\tx\tCC-BY-NC-4.0\ty\n", encoding="utf-8")
    with pytest.raises(Refused, match="CC-BY-NC"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", [None, "path\ttext\n", "\xff"])
def test_a_manifest_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.tsv").write_bytes(content.encode("latin-1"))
    with pytest.raises(ManifestError, match=r"manifest\.tsv"):
        read_manifest(tmp_path)
    assert issubclass(ManifestError, BuildError)


@pytest.mark.slow
@pytest.mark.skipif(not ctypes.util.find_library("espeak-ng"), reason="espeak-ng is not installed")
def test_a_visit_in_the_test_voices_is_made_with_its_labels(tmp_path: Path) -> None:
    for library in ("numpy", "scipy"):
        pytest.importorskip(library, reason="the model build's own requirements are not installed")
    from models.build.sets.__main__ import main

    assert main(["--audio", str(tmp_path), "--out", str(tmp_path), "--only", "voices", "--visits", "1"]) == 0
    (read,) = read_labels(tmp_path / "voices" / "labels.jsonl", scorable_ids(read_phrase_set(PHRASES)[0]))
    truth = json.loads((tmp_path / "voices" / "truth.jsonl").read_text(encoding="utf-8"))
    with wave.open(str(read.path)) as file:
        assert file.getframerate() == 16_000
        assert file.getnframes() / 16_000 == pytest.approx(read.seconds, abs=0.01)
    spans = [span for line in truth["lines"] for span in line["characters"]]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] + 1e-6 for before, after in pairwise(spans))
    assert {line["voice"] for line in truth["lines"]} <= set(TEST_VARIANTS)
    assert spans[-1][1] < read.seconds


def test_known_talk_stands_in_the_text_of_the_language_model_and_new_talk_does_not() -> None:
    files = sorted((TOP / "models" / "build" / "language").rglob("*.txt"))
    if not files:
        pytest.skip("the language model's text is not in this checkout")
    text = plain("".join(file.read_text(encoding="utf-8") for file in files))
    assert [one for side in talk()["known"].values() for one in side if one not in text] == []
    assert [one for side in talk()["new"].values() for one in side if one in text] == []

"""Test sets by natural voices: who speaks, how far away, and the sentences of clerks in their own words."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="models/build/requirements.txt is not installed")

from counter_listener.domain import SAMPLE_RATE
from models.build.errors import BuildError
from models.build.measuring.own_words import Sentence, read_round, read_spoken
from models.build.sets import natural, own_words, rendering, sound
from models.build.sets.labels import Line, SpokenLine
from models.build.sets.natural import VOICES, Spoken, cast_visit, load_speech, natural_renderer, spoken_line

TONE = (8_000 * np.sin(np.arange(SAMPLE_RATE) * 0.2)).astype(np.float32)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - reproducible draws, not secrets


def keep(sentence: Spoken, folder: Path) -> None:
    """Stores a second of sound as the speech of a sentence."""
    edges = np.linspace(0.1, 0.9, len(sentence.text) + 1)
    folder.mkdir(parents=True, exist_ok=True)
    with sentence.file(folder).open("wb") as file:
        np.savez(file, samples=TONE.astype("<i2"), characters=np.stack([edges[:-1], edges[1:]], 1))


def keep_all(sentences: Iterable[Spoken], folder: Path) -> None:
    for sentence in sentences:
        keep(sentence, folder)


def test_a_woman_and_a_man_take_turns_as_the_clerk() -> None:
    clerks = Counter(cast_visit(number)["clerk"][0] for number in range(48))
    assert clerks == {VOICES[0]: 24, VOICES[1]: 24}
    for number in range(48):
        cast = cast_visit(number)
        assert {voice for voice, _ in cast.values()} == set(VOICES)
        assert cast == cast_visit(number)


def test_a_line_is_spoken_once_and_read_from_the_folder(tmp_path: Path) -> None:
    line = Line("clerk", "请您稍等", "phrase", "wait")
    sentence = spoken_line(line, cast_visit(3))
    keep(sentence, tmp_path)
    samples, characters, voice = natural_renderer(3, tmp_path)(line, seeded(1))
    assert voice == cast_visit(3)["clerk"][0]
    assert len(samples) == SAMPLE_RATE
    assert len(characters) == 4
    natural.speak([sentence, sentence], tmp_path)  # needs no speech network: it is there
    assert load_speech(sentence, tmp_path)[1] == characters


def test_another_voice_speed_or_text_is_another_file(tmp_path: Path) -> None:
    one = Spoken("您好", VOICES[0], 1.1)
    others = [one._replace(text="你好"), one._replace(voice=VOICES[1]), one._replace(speed=1.2)]
    assert len({sentence.file(tmp_path) for sentence in (one, *others)}) == 4


def test_far_away_speech_is_weaker_and_the_hiss_as_much_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "in_room", lambda samples, _: samples)
    spoken = SpokenLine(Line("clerk", "您好", "known"), VOICES[0], ((0.0, 0.5), (0.5, 1.0)))
    take = rendering.Take("a", np.concatenate([TONE, np.zeros_like(TONE)]), (spoken,))
    far = rendering.far_away(take, seeded(1))
    weaker = sound.distance_db(sound.FAR_MICROPHONE)
    assert weaker == pytest.approx(12.0, abs=0.3), "3 m instead of 0.75 m"
    loss = 10 * np.log10(sound.power(TONE) / sound.power(far.samples[:SAMPLE_RATE]))
    assert loss == pytest.approx(weaker, abs=0.3)
    hiss = 10 * np.log10(sound.power(far.samples[:SAMPLE_RATE]) / sound.power(far.samples[SAMPLE_RATE:]))
    low, high = rendering.HISS_DB
    assert low - weaker - 1 < hiss < high - weaker + 1


def test_a_set_of_own_words_says_who_spoke_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["kind\tmeaning\tcharacter\tsentence", "owed\thello\ta\t您、您好……", "rude\trude\tb\t烦不烦"]
    rows += ["innocent\tcustomer\tc\t我有3张VIP卡"]
    file = tmp_path / "round.tsv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    monkeypatch.setattr(own_words, "speak", keep_all)
    summary = own_words.write_own_words(tmp_path / "set", tmp_path / "spoken", file)
    assert summary.startswith("2 of 3 sentences")
    spoken = read_spoken(tmp_path / "set")
    assert [one.sentence for one in spoken] == read_round(file)[:2]
    assert {one.voice for one in spoken} == set(VOICES)
    assert spoken[0].characters[0][0] == pytest.approx(own_words.SILENCE + 0.1)
    assert all(len(sound.read(one.path)) == pytest.approx(2.2 * SAMPLE_RATE, abs=2) for one in spoken)


def test_a_round_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "round.tsv").write_text("a\tb\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"round\.tsv is not a round"):
        read_round(tmp_path / "round.tsv")
    with pytest.raises(BuildError, match="make the sets with"):
        read_spoken(tmp_path)


def test_a_sentence_of_a_set_is_one_line_of_json() -> None:
    line = own_words.sentence_line("0001.wav", Sentence("owed", "hello", "a", "您好"), VOICES[0], [(0.0, 0.25)])
    assert json.loads(line)["text"] == "您好"
    assert line.endswith("\n")

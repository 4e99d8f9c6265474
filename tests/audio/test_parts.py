"""Files with several recordings in them, and WAV files with several stretches of audio: all of it is read, or told."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from support.recordings import chunk, encode, heard, hertz, noise, put, seconds, tone, wav

from counter_listener.audio.files import open_file
from counter_listener.audio.losses import UNCLOSED, UNREAD
from counter_listener.audio.parts import find_parts
from counter_listener.audio.recording import probe

FIRST, SECOND = tone(1.5, hertz=440), tone(1.5, hertz=880)


def riff(*chunks: bytes) -> bytes:
    """A WAV file of these chunks."""
    return chunk(b"RIFF", b"WAVE" + b"".join(chunks))


def form(rate: int = 16_000, bits: int = 16) -> bytes:
    """The chunk that tells the format of the audio behind it."""
    return chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, rate * bits // 8, bits // 8, bits))


def rf64(sound: bytes) -> bytes:
    """A WAV file with sizes of 64 bits."""
    sizes = struct.pack("<QQQI", len(sound) + 72, len(sound), len(sound) // 2, 0)
    return b"RF64" + wav(sound, declared=0xFFFFFFFF, before=chunk(b"ds64", sizes))[4:]


WAVS = [
    pytest.param(wav(FIRST) + wav(SECOND), id="joined"),
    pytest.param(wav(FIRST) + bytes(777) + wav(SECOND), id="joined with zeros between"),
    pytest.param(wav(FIRST, after=chunk(b"LIST", b"INFO")) + wav(SECOND), id="joined behind a LIST"),
    pytest.param(wav(FIRST, declared=0) + wav(SECOND), id="joined behind a killed recorder"),
    pytest.param(wav(FIRST) + wav(SECOND, before=chunk(b"bext", bytes(602))), id="joined, with a date"),
    pytest.param(rf64(FIRST) + wav(SECOND), id="joined behind RF64"),
    pytest.param(wav(b"") + wav(FIRST + SECOND), id="joined behind nothing"),
    pytest.param(riff(form(), chunk(b"data", FIRST), chunk(b"data", SECOND)), id="two data chunks"),
    pytest.param(riff(form(), chunk(b"data", b""), chunk(b"data", FIRST + SECOND)), id="an empty data chunk first"),
    pytest.param(
        riff(form(), chunk(b"data", FIRST), chunk(b"LIST", b"INFO"), chunk(b"data", SECOND)), id="a LIST between"
    ),
    pytest.param(riff(form(), chunk(b"data", FIRST), form(), chunk(b"data", SECOND)), id="two formats"),
    pytest.param(
        riff(form(), chunk(b"LIST", b"wavl" + chunk(b"data", FIRST) + chunk(b"data", SECOND))), id="a list of audio"
    ),
]


@pytest.mark.parametrize("content", WAVS)
def test_all_audio_of_a_wav_file_is_read(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path, content)
    sound, gaps = heard(path)
    assert sound == FIRST + SECOND
    assert all((gap.seconds, gap.reason) == (0.0, UNCLOSED) for gap in gaps)
    assert probe(path).seconds == pytest.approx(3, abs=0.001)


def test_parts_may_have_different_formats(tmp_path: Path) -> None:
    eight = tone(1.5, 8_000, hertz=880)
    for content in (
        wav(FIRST) + wav(eight, rate=8_000),
        riff(form(), chunk(b"data", FIRST), form(8_000), chunk(b"data", eight)),
    ):
        sound, gaps = heard(put(tmp_path, content))
        assert seconds(sound) == pytest.approx(3, abs=0.01)
        assert not gaps
        assert hertz(sound[:48_000]) == pytest.approx(440, abs=3)
        assert hertz(sound[-48_000:]) == pytest.approx(880, abs=3)


def test_a_thousand_pieces(tmp_path: Path) -> None:
    pieces = [chunk(b"data", FIRST[start : start + 40]) for start in range(0, len(FIRST), 40)]
    assert heard(put(tmp_path, riff(form(), *pieces))) == (FIRST, [])


JOINED = [
    ("m4a", "aac", 16_000),
    ("mov", "alac", 16_000),
    ("3gp", "aac", 16_000),
    ("aiff", "pcm_s16be", 16_000),
    ("caf", "pcm_s16le", 16_000),
    ("w64", "pcm_s16le", 16_000),
    ("au", "pcm_s16be", 16_000),
    ("voc", "pcm_u8", 16_000),
    ("wma", "wmav2", 16_000),
    ("flv", "aac", 44_100),
    ("avi", "libmp3lame", 44_100),
    ("mp3", "libmp3lame", 16_000),
    ("aac", "aac", 16_000),
    ("mp2", "mp2", 16_000),
    ("oga", "flac", 16_000),
    ("opus", "libopus", 48_000),
    ("flac", "flac", 16_000),
    ("mkv", "aac", 16_000),
    ("ts", "aac", 16_000),
]


@pytest.mark.parametrize(("end", "codec", "rate"), JOINED)
def test_a_recording_joined_behind_another_is_read(tmp_path: Path, end: str, codec: str, rate: int) -> None:
    first = encode(tmp_path / f"a.{end}", codec, tone(2, rate), rate=rate)
    second = encode(tmp_path / f"b.{end}", codec, tone(2, rate, hertz=880), rate=rate)
    alone = seconds(heard(first)[0]) + seconds(heard(second)[0])
    sound, gaps = heard(put(tmp_path, first.read_bytes() + second.read_bytes(), f"c.{end}"))
    assert seconds(sound) == pytest.approx(alone, abs=0.15)
    assert gaps == []
    assert hertz(sound[:50_000]) == pytest.approx(440, rel=0.01)
    assert hertz(sound[-50_000:]) == pytest.approx(880, rel=0.01)


def test_amr_joined_behind_amr(tmp_path: Path) -> None:
    frames = b"".join(bytes([0x3C]) + noise(1)[at : at + 31] for at in range(0, 3_100, 31))
    one = seconds(heard(put(tmp_path, b"#!AMR\n" + frames, "a.amr"))[0])
    sound, _ = heard(put(tmp_path, 2 * (b"#!AMR\n" + frames), "b.amr"))
    assert seconds(sound) == pytest.approx(2 * one)


def test_what_is_joined_and_cannot_be_read_is_told(tmp_path: Path) -> None:
    good = encode(tmp_path / "a.m4a", "aac", tone(2)).read_bytes()
    for broken in (good[:60], good[:36] + noise(1), wav(FIRST)[:40]):
        whole = good if broken[4:8] == b"ftyp" else wav(FIRST)
        sound, gaps = heard(put(tmp_path, whole + broken, "b.m4a"))
        assert seconds(sound) == pytest.approx(2 if whole is good else 1.5, abs=0.1)
        assert [gap.reason for gap in gaps] == [UNREAD]


def test_sound_that_holds_the_head_of_a_file_by_its_own_is_one_recording(tmp_path: Path) -> None:
    """The header counts it, so it is not searched for others."""
    sound = FIRST[:1_000] + wav(b"")[:44] + FIRST[1_000:]
    assert heard(put(tmp_path, wav(sound))) == (sound, [])


def test_a_file_that_its_header_counts_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for end, codec in (("wav", "pcm_s16le"), ("m4a", "aac"), ("aiff", "pcm_s16be"), ("w64", "pcm_s16le")):
        with open_file(encode(tmp_path / f"a.{end}", codec, noise(60))) as file:
            read: list[int] = []
            plain = file.read_at
            monkeypatch.setattr(
                file, "read_at", lambda at, size, plain=plain, read=read: read.append(size) or plain(at, size)
            )
            assert len(find_parts(file)) == 1
            assert sum(read) < 100_000


def test_more_joints_than_anybody_makes_are_not_all_looked_for(tmp_path: Path) -> None:
    with open_file(put(tmp_path, b"#!AMR\n" * 100_000, "a.amr")) as file:
        assert len(find_parts(file)) == 1_000

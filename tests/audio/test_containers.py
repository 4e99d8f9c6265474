"""The same sound in every container: video beside it, offsets, ends that are cut off, files that are no recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.recordings import encode, heard, noise, put, remux, seconds, tone, video, wav

from counter_listener.audio.losses import TRUNCATED, UNCLOSED
from counter_listener.audio.recording import is_sound, probe
from counter_listener.domain import AudioError

VIDEOS = ["mp4", "mov", "m4v", "mkv", "avi", "ts", "flv", "wmv", "mpg"]


@pytest.mark.parametrize("end", VIDEOS)
@pytest.mark.parametrize("begin", [0.0, 5.0])
def test_pictures_that_go_on_longer_are_no_loss_of_sound(tmp_path: Path, end: str, begin: float) -> None:
    codec = {"wmv": "wmav2", "mpg": "mp2"}.get(end, "aac")
    path = video(tmp_path / f"a.{end}", 20, codec, noise(6), begin)
    sound, gaps = heard(path)
    assert seconds(sound) == pytest.approx(6, abs=0.2)
    assert gaps == []
    assert probe(path).sides == 1


@pytest.mark.parametrize("end", ["m4a", "mkv", "ts", "webm", "opus", "flv", "avi", "wma"])
def test_sound_that_begins_late_or_has_its_beginning_cut_off(tmp_path: Path, end: str) -> None:
    codec, rate = {
        "webm": ("libopus", 48_000),
        "opus": ("libopus", 48_000),
        "wma": ("wmav2", 16_000),
        "flv": ("aac", 44_100),
    }.get(end, ("aac", 16_000))
    source = encode(tmp_path / f"a.{end}", codec, noise(6, rate), rate=rate)
    late, gaps = heard(remux(source, tmp_path / f"late.{end}", lambda _: 3.0))
    assert seconds(late) == pytest.approx(6, abs=0.2)
    assert not gaps
    cut, gaps = heard(remux(source, tmp_path / f"cut.{end}", keep=lambda at: at > 2))
    assert seconds(cut) == pytest.approx(4, abs=0.2)
    assert not gaps


CUT = [
    ("au", "pcm_s16be", 16_000),
    ("caf", "pcm_s16le", 16_000),
    ("w64", "pcm_s16le", 16_000),
    ("aiff", "pcm_s16be", 16_000),
    ("flac", "flac", 16_000),
    ("mp3", "libmp3lame", 16_000),
    ("m4a", "aac", 16_000),
    ("3gp", "aac", 16_000),
    ("mkv", "aac", 16_000),
    ("webm", "libopus", 48_000),
    ("wma", "wmav2", 16_000),
    ("flv", "aac", 44_100),
    ("avi", "libmp3lame", 44_100),
]


@pytest.mark.parametrize(("end", "codec", "rate"), CUT)
def test_an_end_that_is_cut_off_is_told(tmp_path: Path, end: str, codec: str, rate: int) -> None:
    content = encode(tmp_path / f"a.{end}", codec, noise(8, rate), rate=rate).read_bytes()
    sound, gaps = heard(put(tmp_path, content[: len(content) // 2], f"b.{end}"))
    assert 2 < seconds(sound) < 6
    assert seconds(sound) + sum(gap.seconds for gap in gaps) == pytest.approx(8, abs=0.3)
    assert gaps[-1].reason == TRUNCATED


@pytest.mark.parametrize(
    ("end", "codec"), [("mp4", "aac"), ("mkv", "aac"), ("wmv", "wmav2"), ("flv", "aac"), ("avi", "aac")]
)
def test_an_end_that_is_cut_off_a_video_is_told(tmp_path: Path, end: str, codec: str) -> None:
    content = video(tmp_path / f"a.{end}", 8, codec, noise(8)).read_bytes()
    sound, gaps = heard(put(tmp_path, content[: len(content) // 2], f"b.{end}"))
    assert seconds(sound) + sum(gap.seconds for gap in gaps) == pytest.approx(8, abs=0.5)
    assert gaps[-1].reason == TRUNCATED


def test_recorders_that_were_killed(tmp_path: Path) -> None:
    avi = bytearray(encode(tmp_path / "a.avi", "libmp3lame", noise(4, 44_100), rate=44_100).read_bytes())
    avi[4:8] = bytes(4)
    sound, gaps = heard(put(tmp_path, bytes(avi), "b.avi"))
    assert seconds(sound) == pytest.approx(4, abs=0.2)
    assert [(gap.seconds, gap.reason) for gap in gaps] == [(0.0, UNCLOSED)]
    m4a = encode(tmp_path / "a.m4b", "aac", noise(4)).read_bytes()  # its index is at the end
    cut = put(tmp_path, m4a[: len(m4a) // 2], "b.m4a")
    with pytest.raises(AudioError, match="no index of its sound"):
        heard(cut)


CAUSES = [
    pytest.param(b"\x02#!SILK_V3\x1d\0" + bytes(200), r"WeChat.*SILK.*graiax\.silkcoder decode", id="WeChat"),
    pytest.param(b"#!SILK_V3\x1d\0" + bytes(200), "SILK", id="Skype"),
    pytest.param(b"PK\x03\x04" + noise(1), "archive; unpack", id="zip"),
    pytest.param(b"Rar!\x1a\x07\x01\0" + noise(1), "archive; unpack", id="rar"),
    pytest.param(b"\n<!DOCTYPE html><html>404</html>", "web page", id="download that failed"),
    pytest.param(bytes(200_000), "nothing but zeros", id="zeros"),
    pytest.param(b"%PDF-1.7 " + noise(1), "no known sound format", id="something else"),
]


@pytest.mark.parametrize(("content", "cause"), CAUSES)
def test_the_error_names_what_the_file_is(tmp_path: Path, content: bytes, cause: str) -> None:
    path = put(tmp_path, content, "visit.amr")
    with pytest.raises(AudioError, match=cause) as error:
        heard(path)
    assert "\n" not in str(error.value)
    assert is_sound(path) == (b"SILK" in content)


def test_whether_a_file_is_sound_does_not_depend_on_its_name(tmp_path: Path) -> None:
    for end, codec in (("mpg", "mp2"), ("ts", "aac"), ("caf", "pcm_s16le"), ("wav", "pcm_s16le")):
        path = encode(tmp_path / f"a.{end}", codec, tone(2))
        assert is_sound(path.rename(tmp_path / f"{end}.bin"))
    texts = {
        "a.csv": b"1,2,3\n" * 5_000,
        "b.bin": noise(9),
        "c.txt": b"hello",
        "d": b"",
        "e.zip": b"PK\x03\x04" + noise(3),
    }
    for name, content in texts.items():
        assert not is_sound(put(tmp_path, content, name))
    assert is_sound(video(tmp_path / "f.mp4", 1, "aac", noise(1)).rename(tmp_path / "f"))
    assert not is_sound(put(tmp_path, wav(b""), "g.wav"))
    assert not is_sound(tmp_path / "missing.wav")

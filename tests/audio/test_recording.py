"""Recordings of every format, bad ones, and blocks."""

from __future__ import annotations

import os
import random
import struct
from array import array
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import chunk, encode, gsm, heard, hertz, noise, put, speex, tone, wav

from counter_listener.audio import files
from counter_listener.audio.chunking import blocks
from counter_listener.audio.losses import UNCLOSED
from counter_listener.audio.recording import probe, read_recording, sound_endings
from counter_listener.domain import BLOCK_SAMPLES, AudioError, Gap

BLOCK = BLOCK_SAMPLES * 2


WAVS = [
    ("pcm_s16le", rate, layout)
    for rate in (8_000, 11_025, 16_000, 22_050, 44_100, 48_000)
    for layout in ("mono", "stereo")
]
WAVS += [
    (codec, rate, "mono")
    for codec in (
        "pcm_u8",
        "pcm_s24le",
        "pcm_s32le",
        "pcm_f32le",
        "pcm_f64le",
        "pcm_alaw",
        "pcm_mulaw",
        "adpcm_ima_wav",
    )
    for rate in (8_000, 16_000)
]
OTHERS = [
    ("mp3", "libmp3lame", 16_000, "mono"),
    ("mp3", "libmp3lame", 44_100, "stereo"),
    ("m4a", "aac", 44_100, "stereo"),
    ("mp4", "aac", 16_000, "mono"),
    ("ogg", "vorbis", 44_100, "stereo"),
    ("ogg", "libopus", 48_000, "mono"),
    ("opus", "libopus", 16_000, "stereo"),
    ("flac", "flac", 16_000, "mono"),
    ("flac", "flac", 44_100, "stereo"),
    ("wma", "wmav2", 16_000, "mono"),
    ("wma", "wmav2", 44_100, "stereo"),
    ("amr", "libopencore_amrnb", 8_000, "mono"),
    ("3gp", "libopencore_amrnb", 8_000, "mono"),
    ("webm", "libopus", 48_000, "mono"),
    ("aiff", "pcm_s16be", 16_000, "mono"),
    ("caf", "pcm_s16le", 16_000, "mono"),
    ("au", "pcm_mulaw", 8_000, "mono"),
    ("au", "pcm_s16be", 16_000, "stereo"),
    ("w64", "pcm_s16le", 16_000, "mono"),
    ("voc", "pcm_u8", 8_000, "mono"),
    ("mp2", "mp2", 16_000, "mono"),
    ("mpg", "mp2", 44_100, "stereo"),
    ("ts", "aac", 16_000, "mono"),
    ("m2ts", "mp2", 48_000, "mono"),
    ("mkv", "aac", 16_000, "mono"),
    ("mka", "flac", 16_000, "mono"),
    ("avi", "libmp3lame", 16_000, "mono"),
    ("mov", "alac", 44_100, "mono"),
    ("m4v", "aac", 16_000, "mono"),
    ("flv", "aac", 44_100, "mono"),
    ("oga", "flac", 16_000, "mono"),
]
LOOSE = {"libmp3lame", "libopencore_amrnb", "mp2", "aac", "ac3"}


@pytest.mark.parametrize(("codec", "rate", "layout"), WAVS)
def test_wav_of_every_kind(tmp_path: Path, codec: str, rate: int, layout: str) -> None:
    path = encode(tmp_path / "a.wav", codec, tone(1.5, rate, 1 + (layout == "stereo")), rate=rate, layout=layout)
    sound, gaps = heard(path)
    assert len(sound) / 32_000 == pytest.approx(1.5, abs=0.05)
    assert hertz(sound) == pytest.approx(440, abs=3)
    assert gaps == []
    assert probe(path).channels == 1 + (layout == "stereo")


@pytest.mark.parametrize(("suffix", "codec", "rate", "layout"), OTHERS)
def test_other_formats(tmp_path: Path, suffix: str, codec: str, rate: int, layout: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV cannot write {codec}")
    sound = tone(2.0, rate, 1 + (layout == "stereo"))
    path = encode(tmp_path / f"a.{suffix}", codec, sound, rate=rate, layout=layout)
    read, gaps = heard(path)
    assert len(read) / 32_000 == pytest.approx(2.0, abs=0.15 if codec in LOOSE else 0.05)
    assert hertz(read) == pytest.approx(440, abs=3)
    assert gaps == []
    assert probe(path).seconds == pytest.approx(2.0, abs=0.25 if suffix == "mpg" else 0.15)
    assert path.suffix in sound_endings()


def test_telephone_formats_without_an_encoder(tmp_path: Path) -> None:
    blocks_of_gsm = random.Random(1).randbytes(65 * 50)  # noqa: S311
    gsm_in_wav = struct.pack("<HHIIHHHH", 0x31, 1, 8_000, 1_625, 65, 0, 2, 320)
    body = b"WAVE" + chunk(b"fmt ", gsm_in_wav) + chunk(b"data", blocks_of_gsm)
    for name, content in (
        ("a.gsm", gsm(100)),
        ("a.wav", chunk(b"RIFF", body)),
        ("a.spx", speex(100)),
    ):
        sound, gaps = heard(put(tmp_path, content, name))
        assert len(sound) / 32_000 == pytest.approx(2.0, abs=0.05)
        assert not gaps
        assert probe(tmp_path / name).seconds == pytest.approx(2.0, abs=0.05)


def test_real_audio(tmp_path: Path) -> None:
    sound, gaps = heard(encode(tmp_path / "a.ra", "real_144", tone(2.0, 8_000), rate=8_000))
    assert len(sound) / 32_000 == pytest.approx(2.0, abs=0.05)
    assert hertz(sound) == pytest.approx(440, abs=3)
    assert not gaps


def test_amr_without_an_encoder(tmp_path: Path) -> None:
    dice = random.Random(1)  # noqa: S311
    frames = b"".join(bytes([0x3C]) + dice.randbytes(31) for _ in range(100))
    sound, _ = heard(put(tmp_path, b"#!AMR\n" + frames, "a.amr"))
    assert len(sound) / 32_000 == pytest.approx(2.0, abs=0.05)


def test_main_path_is_exact_to_the_sample(tmp_path: Path) -> None:
    sound = noise(1.2345)
    assert heard(put(tmp_path, wav(sound))) == (sound, [])


def test_channels_are_mixed(tmp_path: Path) -> None:
    left = array("h", tone(0.5))
    both = array("h", (value for sample in left for value in (sample, 0))).tobytes()
    sound = array("h", heard(put(tmp_path, wav(both, channels=2)))[0])
    assert max(sound) == pytest.approx(max(left) / 2, rel=0.02)


def test_extensible_and_rf64(tmp_path: Path) -> None:
    sound = tone(1.0)
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 16_000, 32_000, 2, 16, 22, 16, 4) + guid
    body = b"WAVE" + chunk(b"fmt ", fmt) + chunk(b"data", sound)
    assert heard(put(tmp_path, chunk(b"RIFF", body))) == (sound, [])
    lengths = chunk(b"ds64", struct.pack("<QQQI", len(sound) + 72, len(sound), len(sound) // 2, 0))
    rf64 = b"RF64" + wav(sound, declared=0xFFFFFFFF, before=lengths)[4:]
    assert heard(put(tmp_path, rf64)) == (sound, [])
    short, gaps = heard(put(tmp_path, rf64[:-16_000]))
    assert (short, [gap.seconds for gap in gaps]) == (sound[:-16_000], [0.5])


def cut_short(seconds: float) -> bytes:
    """A WAV file of 1.5 s that ends so many seconds early."""
    return wav(tone(1.5))[: -int(seconds * 32_000) or None]


WRONG_HEADERS = [
    pytest.param(cut_short(0.5), 1.0, [0.5], "breaks off", id="truncated"),
    pytest.param(cut_short(0.5)[:-1], 0.9999, [0.50003125], "breaks off", id="truncated within a sample"),
    pytest.param(wav(tone(1.5), declared=0), 1.5, [0.0], "never closed", id="recorder killed"),
    pytest.param(wav(tone(1.5), declared=0x7FFFF000), 1.5, [0.0], "never closed", id="placeholder"),
    pytest.param(wav(tone(1.5), declared=0xFFFFFFFF), 1.5, [], "", id="pipe"),
    pytest.param(wav(tone(1.5), declared=16_000), 0.5, [1.0], "not read", id="more than declared"),
    pytest.param(wav(tone(1.5), declared=48_044), 1.5, [], "", id="header counted as sound"),
    pytest.param(wav(tone(1.5), after=chunk(b"LIST", b"INFO")), 1.5, [], "", id="LIST"),
    pytest.param(wav(tone(1.5) + b"\0", after=b"\0" + chunk(b"LIST", b"INFO")), 1.5, [], "", id="padded"),
    pytest.param(wav(tone(1.5) + b"\0", after=chunk(b"LIST", b"INFO")), 1.5, [], "", id="unpadded"),
    pytest.param(wav(tone(1.5), after=bytes(100_000)), 1.5, [], "", id="zeros behind"),
    pytest.param(wav(tone(1.5), before=chunk(b"junk", bytes(333))), 1.5, [], "", id="odd chunk before"),
]


@pytest.mark.parametrize(("content", "seconds", "lost", "reason"), WRONG_HEADERS)
def test_wav_headers_that_are_wrong(
    tmp_path: Path, content: bytes, seconds: float, lost: list[float], reason: str
) -> None:
    sound, gaps = heard(put(tmp_path, content))
    assert sound == tone(1.5)[: len(sound)]
    assert len(sound) / 32_000 == pytest.approx(seconds, abs=0.0001)
    assert [gap.seconds for gap in gaps] == pytest.approx(lost, abs=1e-6)
    assert all(reason in gap.reason and gap.start == len(sound) / 32_000 for gap in gaps)


BAD = [
    pytest.param(b"", "empty", id="empty"),
    pytest.param(b"just some text, no sound\n" * 40, "no known sound format", id="text"),
    pytest.param(b"RIFF\x24\0", "cut short", id="six bytes"),
    *(pytest.param(wav(tone(0.1))[:size], "cut short", id=f"{size} bytes") for size in (4, 12, 20, 36, 43)),
    pytest.param(wav(tone(0.1))[:44], "no audio at all", id="header only"),
    pytest.param(wav(b""), "no audio at all", id="no samples"),
    pytest.param(wav(b"", after=chunk(b"LIST", b"INFO")), "no audio at all", id="no samples but a LIST"),
    pytest.param(wav(bytes(32_000)), "muted or unplugged", id="zeros"),
    pytest.param(wav(b"\x80" * 8_000, bits=8, rate=11_025), "muted or unplugged", id="zeros of 8 bits"),
    pytest.param(wav(b"\xd5" * 8_000, tag=6, bits=8, rate=8_000), "muted or unplugged", id="A-law zeros"),
    pytest.param(wav(tone(0.1), rate=1), "damaged", id="1 Hz"),
    pytest.param(wav(tone(0.1), tag=0x99), "cannot be decoded|could be decoded", id="unknown codec"),
    pytest.param(b"#EXTM3U\n#EXTINF:9,\nvisit.wav\n#EXT-X-ENDLIST\n", "no known sound format", id="playlist"),
    pytest.param(b"ffconcat version 1.0\nfile visit.wav\n", "no known sound format", id="list of files"),
]


@pytest.mark.parametrize(("content", "reason"), BAD)
def test_bad_recordings_are_one_sentence(tmp_path: Path, content: bytes, reason: str) -> None:
    path = put(tmp_path, content)
    with pytest.raises(AudioError, match=reason) as error:
        heard(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_path_that_is_not_a_file(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "a.wav", "does not exist"), (tmp_path, "is a folder")):
        for read in (heard, probe):
            with pytest.raises(AudioError, match=reason):
                read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="not a file"):
        heard(tmp_path / "a.wav")


@pytest.fixture
def plain_user() -> Iterator[None]:
    """Root may read everything, so the test runs as nobody."""
    if not hasattr(os, "geteuid"):
        pytest.skip("rights are not modes here")
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    yield
    if root:
        os.seteuid(0)


def test_unreadable_file(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = put(tmp_path, wav(tone(0.1)))
    path.chmod(0)
    request.getfixturevalue("plain_user")
    for read in (heard, probe):
        with pytest.raises(AudioError, match="cannot be read"):
            read(path)


def test_disk_that_fails_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 200_000:
                raise OSError(5, "Input/output error")
            return super().read(size) or b""

    monkeypatch.setattr(files, "FileIO", Failing)
    sound, gaps = heard(put(tmp_path, wav(noise(10))))
    assert sound == noise(10)[: len(sound)]
    assert len(sound) / 32_000 + gaps[-1].seconds == pytest.approx(10, abs=0.01)
    assert gaps[-1].start == len(sound) / 32_000


CUT = [
    ("flac", "flac"),
    ("m4a", "aac"),
    ("mp3", "libmp3lame"),
    ("webm", "libopus"),
    ("wma", "wmav2"),
    ("aiff", "pcm_s16be"),
]


@pytest.mark.parametrize(("suffix", "codec"), CUT)
def test_truncated_files_of_other_formats(tmp_path: Path, suffix: str, codec: str) -> None:
    rate = 48_000 if codec == "libopus" else 16_000
    path = encode(tmp_path / f"a.{suffix}", codec, noise(8, rate), rate=rate)
    content = path.read_bytes()
    sound, gaps = heard(put(tmp_path, content[: len(content) // 2], path.name))
    assert 2 < len(sound) / 32_000 < 6
    assert len(sound) / 32_000 + sum(gap.seconds for gap in gaps) == pytest.approx(8, abs=0.3)
    assert gaps[0].start == pytest.approx(len(sound) / 32_000, abs=0.05)


def test_ogg_that_was_never_closed(tmp_path: Path) -> None:
    content = encode(tmp_path / "a.opus", "libopus", noise(8, 48_000), rate=48_000).read_bytes()
    sound, gaps = heard(put(tmp_path, content[: len(content) // 2], "a.opus"))
    lost, end = gaps  # the page that was cut, whose header is whole, and what may have come behind it
    assert lost.start == len(sound) / 32_000
    assert lost.seconds == pytest.approx(1.0, abs=0.05)
    assert (end.reason, end.seconds) == (UNCLOSED, 0.0)


@pytest.mark.parametrize(("suffix", "codec"), [("flac", "flac"), ("m4a", "aac"), ("mp3", "libmp3lame"), ("aac", "aac")])
def test_damage_in_the_middle(tmp_path: Path, suffix: str, codec: str) -> None:
    content = bytearray(encode(tmp_path / f"a.{suffix}", codec, noise(8)).read_bytes())
    hole = len(content) // 10
    middle = len(content) // 2
    content[middle : middle + hole] = random.Random(2).randbytes(hole)  # noqa: S311
    sound, gaps = heard(put(tmp_path, bytes(content), f"a.{suffix}"))
    assert gaps
    assert all(3.4 < gap.start < 5.2 for gap in gaps)
    assert len(sound) / 32_000 + sum(gap.seconds for gap in gaps) == pytest.approx(8, abs=0.8)


def test_missing_pages_are_a_gap(tmp_path: Path) -> None:
    content = encode(tmp_path / "a.opus", "libopus", noise(8, 48_000), rate=48_000).read_bytes()
    middle = len(content) // 2
    sound, gaps = heard(put(tmp_path, content[:middle] + content[middle + 4_000 :], "a.opus"))
    assert len(gaps) == 1
    assert gaps[0].start == pytest.approx(3, abs=0.05)
    assert len(sound) / 32_000 + gaps[0].seconds == pytest.approx(8, abs=0.1)


def test_progress(tmp_path: Path) -> None:
    read: list[float] = []
    path = put(tmp_path, wav(tone(3.0)))
    assert len(list(read_recording(path, read.append))) == len(read)
    assert read == sorted(read)
    assert read[-1] == 3.0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="nowhere to count open files")
@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac"])
def test_file_is_closed_on_every_path(tmp_path: Path, suffix: str) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    codec = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac"}[suffix]
    path = encode(tmp_path / f"a.{suffix}", codec, tone(3.0))
    before = opened()
    reading = read_recording(path)
    next(reading)
    assert opened() > before
    reading.close()  # type: ignore[attr-defined]
    for content in (wav(bytes(32_000)), b"text" * 100, wav(tone(1))[:30]):
        with pytest.raises(AudioError):
            heard(put(tmp_path, content))
    probe(path)
    assert opened() == before


def bext(date: bytes, time: bytes) -> bytes:
    """The chunk in which recorders for broadcast put the date."""
    return chunk(b"bext", bytes(320) + date + time + bytes(602 - 338))


NAIVE = datetime(2026, 1, 15, 9, 30, 5)  # noqa: DTZ001


def test_probe_finds_the_time_stamp(tmp_path: Path) -> None:
    stamped = put(tmp_path, wav(tone(1.0), before=bext(b"2026-01-15", b"09:30:05")))
    assert probe(stamped).stamped == NAIVE
    assert probe(stamped).seconds == 1.0
    assert heard(stamped)[0] == tone(1.0)
    for date, time in ((b"2026:01:15", b"09-30-05"), (b"2026_01_15", b"09.30.05")):
        assert probe(put(tmp_path, wav(tone(1.0), before=bext(date, time)))).stamped == NAIVE
    for date, time in ((bytes(10), bytes(8)), (b"0000-00-00", b"00:00:00"), (b"2026-13-15", b"09:30:05")):
        assert probe(put(tmp_path, wav(tone(1.0), before=bext(date, time)))).stamped is None


def test_probe_reads_tags(tmp_path: Path) -> None:
    m4a = encode(tmp_path / "a.m4a", "aac", tone(1.0), creation_time="2026-01-15T09:30:05Z")
    assert probe(m4a).stamped == NAIVE.replace(tzinfo=UTC)
    flac = encode(tmp_path / "a.flac", "flac", tone(1.0), date="2026-01-15 09:30:05")
    assert probe(flac).stamped == NAIVE
    mp3 = encode(tmp_path / "a.mp3", "libmp3lame", tone(1.0), date="2026-01-15")
    assert probe(mp3).stamped is None


def damage(content: bytes, dice: random.Random) -> bytes:
    """The same with some bytes changed, deleted or repeated."""
    damaged = bytearray(content)
    at, size = dice.randrange(len(damaged)), dice.randrange(1_000)
    match dice.randrange(4):
        case 0:
            del damaged[at : at + size]
        case 1:
            damaged[at:at] = damaged[:size]
        case _:
            reach = dice.choice((300, len(damaged)))
            for _ in range(dice.choice((1, 5, 50))):
                damaged[dice.randrange(min(reach, len(damaged)))] = dice.randrange(256)
    return bytes(damaged)


MUTATED = [
    ("wav", "pcm_s16le", 16_000),
    ("wav", "pcm_alaw", 8_000),
    ("mp3", "libmp3lame", 16_000),
    ("m4a", "aac", 16_000),
    ("opus", "libopus", 48_000),
    ("flac", "flac", 16_000),
    ("wma", "wmav2", 16_000),
    ("webm", "libopus", 48_000),
]


@pytest.mark.parametrize(("suffix", "codec", "rate"), MUTATED)
def test_invariant_5_any_bytes_give_sound_or_one_sentence(
    tmp_path: Path, suffix: str, codec: str, rate: int, capfd: pytest.CaptureFixture[str]
) -> None:
    content = encode(tmp_path / f"a.{suffix}", codec, tone(2.5, rate), rate=rate).read_bytes()
    dice = random.Random(suffix)  # noqa: S311
    good = 0
    for _ in range(60):
        path = put(tmp_path, damage(content, dice), f"b.{suffix}")
        try:
            sound, gaps = heard(path)
        except AudioError:
            continue
        good += 1
        assert len(sound) % 2 == 0
        assert all(gap.start >= 0 and 0 <= gap.seconds <= 86_400 for gap in gaps)
    assert good > 5
    assert capfd.readouterr().err == ""


@given(st.binary(max_size=300), st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"ID3", b"OggS", b"fLaC", b"#!AMR\n"]))
def test_random_bytes_as_a_file(tmp_path_factory: pytest.TempPathFactory, content: bytes, head: bytes) -> None:
    path = put(tmp_path_factory.mktemp("n"), head + content)
    with suppress(AudioError):
        probe(path)
    with suppress(AudioError):
        assert sum(map(len, heard(path))) < 10_000_000


sounds = st.binary(max_size=3 * BLOCK)
GAP = Gap(1.0, 2.0, "lost")


def cuts(sound: bytes, places: list[int]) -> list[bytes]:
    """The audio cut at these positions; some pieces are empty."""
    edges = [0, *sorted(min(place, len(sound)) for place in places), len(sound)]
    return [sound[start:end] for start, end in pairwise(edges)]


@given(sounds, sounds, st.lists(st.integers(0, 3 * BLOCK), max_size=8), st.lists(st.integers(0, 3 * BLOCK), max_size=8))
def test_blocks_do_not_depend_on_how_the_chunks_were_cut(
    first: bytes, second: bytes, some: list[int], others: list[int]
) -> None:
    whole = list(blocks([first, GAP, second]))
    assert list(blocks([*cuts(first, some), GAP, *cuts(second, others)])) == whole
    gap = whole.index(GAP)
    for part, sound in ((whole[:gap], first), (whole[gap + 1 :], second)):
        pieces = [piece for piece in part if isinstance(piece, bytes)]
        assert b"".join(pieces) == sound[: len(sound) // 2 * 2]
        assert all(len(piece) == BLOCK for piece in pieces[:-1])
        assert all(0 < len(piece) <= BLOCK for piece in pieces)


def test_blocks_are_lazy() -> None:
    def endless() -> Iterator[bytes | Gap]:
        while True:
            yield b"\1\0" * 1_000

    stream = blocks(endless())
    assert [len(next(stream)) for _ in range(3)] == [BLOCK] * 3  # type: ignore[arg-type]


def test_blocks_of_a_recording_are_whole_up_to_a_gap(tmp_path: Path) -> None:
    items = list(blocks(read_recording(put(tmp_path, cut_short(0.5)))))
    assert [len(item) for item in items if isinstance(item, bytes)] == [BLOCK] * 5
    assert isinstance(items[-1], Gap)

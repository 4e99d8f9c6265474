"""One undamaged input of every kind, and ways to damage it; run as a worker that must survive anything.

The cases are numbered, and a number always gives the same bytes: a failure names the numbers to look at.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from counter_listener.asr import read_transcript
from counter_listener.asr.model_archive import inspect_archive, unpack
from counter_listener.audio import is_sound, probe
from counter_listener.batch import CheckResult
from counter_listener.batch.stored_transcripts import read_stored_transcript, store_transcript
from counter_listener.cli.commands.anchor import read_anchor
from counter_listener.domain import CounterListenerError
from counter_listener.evaluation.labels import read_labels
from counter_listener.live.config import read_config
from counter_listener.phrases import read_phrase_set
from counter_listener.record import open_key, open_record
from support.command import transcript
from support.record_cases import NOW, recorded_as, visit_events
from support.recordings import encode, gsm, heard, noise, put, seconds, speex, tracks, video, wav
from support.small_counter import SMALL

LENGTH: Final = 4.0
"""Seconds of every recording."""
CODECS: Final[Mapping[str, tuple[str, int]]] = {
    "aiff": ("pcm_s16be", 16_000),
    "caf": ("pcm_s16le", 16_000),
    "au": ("pcm_mulaw", 16_000),
    "w64": ("pcm_s16le", 16_000),
    "voc": ("pcm_u8", 8_000),
    "flac": ("flac", 16_000),
    "mp3": ("libmp3lame", 16_000),
    "mp2": ("mp2", 16_000),
    "aac": ("aac", 16_000),
    "m4a": ("aac", 16_000),
    "mov": ("alac", 16_000),
    "mka": ("aac", 16_000),
    "webm": ("libopus", 48_000),
    "opus": ("libopus", 48_000),
    "oga": ("flac", 16_000),
    "wma": ("wmav2", 16_000),
    "avi": ("libmp3lame", 44_100),
    "flv": ("aac", 44_100),
    "ts": ("aac", 16_000),
    "mpg": ("mp2", 16_000),
    "amr": ("libopencore_amrnb", 8_000),
}


def read_record(path: Path) -> None:
    """Verifies a record and reads all of it."""
    with open_record(path, create=False) as record:
        record.verify()
        list(record.read())
        list(record.recordings())


def read_archive(path: Path) -> None:
    """Unpacks the archive of a model."""
    into = path.with_suffix(".unpacked")
    try:
        unpack(inspect_archive(path), into, lambda *_: None)
    finally:
        shutil.rmtree(into, ignore_errors=True)


READERS: Final[Mapping[str, Callable[[Path], object]]] = {
    "jsonl": lambda path: list(read_transcript(path)),
    "srt": lambda path: list(read_transcript(path)),
    "vtt": lambda path: list(read_transcript(path)),
    "labels": lambda path: read_labels(path, ["hello"]),
    "phrases": read_phrase_set,
    "settings": read_config,
    "kept": read_stored_transcript,
    "anchor": lambda path: read_anchor(str(path)),
    "key": lambda path: open_key(path, create=False),
    "db": read_record,
    "zip": read_archive,
}
"""Inputs that are no recordings, and what reads them."""
NO_LENGTH: Final = frozenset({"mp2", "ts", "mpg", "amr", "gsm", "spx"})
"""Formats that do not declare how much sound there is: nobody can tell what is missing behind the last packet."""


NO_START: Final = frozenset({"mkv", "mka", "two", "webm", "flv", "wma"})
"""Formats whose time may begin anywhere, so that nobody can tell what is missing before the first packet."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a damaged input came to."""

    number: int
    kind: str
    damage: str
    place: float = 0.0
    """Where the damage begins, as a share of the file."""
    refused: str = ""
    """The sentence with which it was refused."""
    seconds: float = 0.0
    """Of sound that was read."""
    gaps: tuple[tuple[float, float], ...] = ()
    """Start and length of each."""
    took: float = 0.0


def make_inputs(folder: Path) -> None:
    """Writes an input of every kind into a folder, named after its kind."""
    for kind, (codec, rate) in CODECS.items():
        encode(folder / f"a.{kind}", codec, noise(LENGTH, rate), rate=rate)
    put(folder, wav(noise(LENGTH)), "a.wav")
    put(folder, wav(noise(LENGTH, 8_000)[::2], tag=6, bits=8, rate=8_000), "a.alaw")
    put(folder, gsm(round(LENGTH * 50)), "a.gsm")
    put(folder, speex(round(LENGTH * 50)), "a.spx")
    video(folder / "a.mp4", LENGTH, "aac", noise(LENGTH))
    video(folder / "a.mkv", LENGTH, "aac", noise(LENGTH))
    tracks(folder / "a.two.mka", [noise(LENGTH)] * 2, "aac").rename(folder / "a.two")
    put_texts(folder)
    put_archive(folder)
    put_record(folder)


def put_texts(folder: Path) -> None:
    """Writes the inputs that are text."""
    transcript(folder / "a.jsonl")
    label = '{{"file": "a.{}", "seconds": 30, "said": [{{"id": "hello", "start": 0, "end": 2}}]}}\n'
    put(folder, "".join(map(label.format, ("jsonl", "srt", "vtt"))).encode(), "a.labels")
    put(folder, SMALL.encode(), "a.phrases")
    put(folder, b'counter = "3"\nchannel = 1\nscreen = false\nmemory_limit = 900\n', "a.settings")
    cues = [f"{at}\n00:00:{at:02},000 --> 00:00:{at + 1:02},500\n坐席：您好\n" for at in range(1, 9)]
    put(folder, "\n".join(cues).encode(), "a.srt")
    put(folder, ("WEBVTT\n\n" + "\n".join(cues).replace(",", ".")).encode(), "a.vtt")
    heard = CheckResult(folder, (), "a", 27.0, model="transcript", items=tuple(read_transcript(folder / "a.jsonl")))
    store_transcript(folder / "kept", heard, {})
    (folder / "kept" / "a.jsonl").replace(folder / "a.kept")


def put_archive(folder: Path) -> None:
    """Writes the archive of a model, as far as its files matter to unpacking."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for name in ("am/final.mdl", "conf/model.conf", "graph/words.txt"):
            files.writestr(zipfile.ZipInfo(f"m/{name}"), name.encode() * 50)
    put(folder, archive.getvalue(), "a.zip")


def put_record(folder: Path) -> None:
    """Writes a signed record, its key and an anchor."""
    with open_record(folder / "a.db", key_file=folder / "a.key") as record:
        for number in range(5):
            recording, origin = recorded_as(number)
            record.add_recording(recording, visit_events(number), origin, NOW)
        head = record.head(NOW)
    assert head is not None
    put(folder, head.as_json().encode(), "a.anchor")


def cut(content: bytes, dice: random.Random) -> bytes:
    """Without its end."""
    return content[: dice.randrange(len(content))]


def overwrite(content: bytes, dice: random.Random) -> bytes:
    """With something else in the place of a part of it."""
    size = dice.randrange(1, len(content) // 4)
    at = dice.randrange(len(content) - size)
    middle = dice.choice((bytes(size), dice.randbytes(size), b"\xff" * size))
    return content[:at] + middle + content[at + size :]


def delete(content: bytes, dice: random.Random) -> bytes:
    """Without a part of it."""
    at = dice.randrange(len(content))
    return content[:at] + content[at + dice.randrange(1, len(content) // 4) :]


def insert(content: bytes, dice: random.Random) -> bytes:
    """With something between."""
    at = dice.randrange(len(content))
    return content[:at] + dice.choice((content[: dice.randrange(999)], dice.randbytes(999))) + content[at:]


def flip(content: bytes, dice: random.Random) -> bytes:
    """With some bits turned."""
    damaged = bytearray(content)
    for _ in range(dice.choice((1, 5, 50))):
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
    return bytes(damaged)


def change_header(content: bytes, dice: random.Random) -> bytes:
    """With some bytes of its beginning changed."""
    damaged = bytearray(content)
    for _ in range(dice.choice((1, 3, 9))):
        damaged[dice.randrange(min(300, len(damaged)))] = dice.choice((0, 255, dice.randrange(256)))
    return bytes(damaged)


DAMAGES: Final = (cut, overwrite, delete, insert, flip, change_header)
LOSING: Final = ("cut", "overwrite", "delete")
"""Damages after which sound is missing, and the header says how much there was."""


def run_cases(folder: Path, numbers: range) -> list[Outcome]:
    """The outcome of each case. Raises what should never be raised."""
    return [run_case(folder, number) for number in numbers]


def run_case(folder: Path, number: int) -> Outcome:
    """The outcome of one case; `folder` holds what make_inputs() wrote."""
    dice = random.Random(number)  # noqa: S311
    source = dice.choice(sorted(folder.glob("a.*")))
    damage = dice.choice(DAMAGES)
    kind = source.suffix[1:]
    path = folder / f"{os.getpid()}.{kind}"
    content = source.read_bytes()
    damaged = damage(content, dice)
    path.write_bytes(damaged)
    place = len(os.path.commonprefix((content, damaged))) / len(content)  # noqa: RUF071 - bytes, and no paths
    return read(path, Outcome(number, kind, damage.__name__, place))


def read(path: Path, case: Outcome) -> Outcome:
    """What reading a file as an input of its kind comes to. Raises what should never be raised."""
    began = time.monotonic()
    try:
        if case.kind in READERS:
            READERS[case.kind](path)
            return replace(case, took=time.monotonic() - began)
        is_sound(path)
        probe(path)
        sound, gaps = heard(path)
    except CounterListenerError as error:
        sentence = str(error)
        assert str(path) in sentence, f"{case.number}: {sentence}"
        return replace(case, refused=sentence)
    lost = tuple((gap.start, gap.seconds) for gap in gaps)
    return replace(case, seconds=seconds(sound), gaps=lost, took=time.monotonic() - began)


def quiet_worker(folder: Path) -> None:
    """In a worker: what is printed to standard error goes to a file, for nothing may be."""
    log = os.open(folder / "stderr.txt", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(log, 2)

"""One undamaged input of every kind, and ways to damage it; run as a worker that must survive anything.

The cases are numbered, and a number always gives the same bytes: a failure names the numbers to look at.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from counter_listener.asr import read_transcript
from counter_listener.audio import is_sound, probe
from counter_listener.domain import CounterListenerError
from counter_listener.evaluation.labels import read_labels
from counter_listener.live.config import read_config
from counter_listener.phrases import read_phrase_set
from support.command import transcript
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
TEXTS: Final[Mapping[str, Callable[[Path], object]]] = {
    "jsonl": lambda path: list(read_transcript(path)),
    "labels": lambda path: read_labels(path, ["hello"]),
    "phrases": read_phrase_set,
    "settings": read_config,
}
"""Inputs that are text, and what reads them."""
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
    transcript(folder / "a.jsonl")
    put(folder, b'{"file": "a.jsonl", "phrases": [{"id": "hello", "start": 0, "end": 2}]}\n' * 9, "a.labels")
    put(folder, SMALL.encode(), "a.phrases")
    put(folder, b'counter = "3"\nchannel = 1\nscreen = false\nmemory_limit = 900\n', "a.settings")


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
    began = time.monotonic()
    outcome = Outcome(number, kind, damage.__name__, place)
    try:
        if kind in TEXTS:
            TEXTS[kind](path)
            return outcome
        is_sound(path)
        probe(path)
        sound, gaps = heard(path)
    except CounterListenerError as error:
        sentence = str(error)
        assert str(path) in sentence, f"{number}: {sentence}"
        return replace(outcome, refused=sentence)
    lost = tuple((gap.start, gap.seconds) for gap in gaps)
    return replace(outcome, seconds=seconds(sound), gaps=lost, took=time.monotonic() - began)


def quiet_worker(folder: Path) -> None:
    """In a worker: what is printed to standard error goes to a file, for nothing may be."""
    log = os.open(folder / "stderr.txt", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(log, 2)

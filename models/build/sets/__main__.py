"""Makes the test sets: `python -m models.build.sets --audio FOLDER --out FOLDER`."""

from __future__ import annotations

import argparse
import random
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from counter_listener.domain.errors import CounterListenerError
from counter_listener.domain.types import SAMPLE_RATE
from models.build.errors import BuildError
from models.build.held_out import MEASURING, TEST_VARIANTS
from models.build.manifest import Recording, read_manifest
from models.build.sets import joined, voices
from models.build.sets.labels import Line, Span, Spoken, Wording, label_line, plain, truth_line, wordings
from models.build.sets.sound import CLIP, hiss, level, looped, read, write
from models.build.sets.visits import Talk, visits
from models.build.sets.writing import Take, Voicing, noisy, steady_noises, take, write_lines, write_set

HERE: Final = Path(__file__).resolve().parent
PHRASES: Final = HERE.parents[2] / "phrase_sets" / "bank-counter.toml"
VISITS: Final = 24
DIAL: Final = (
    "您好", "谢谢", "再见", "请慢走", "请稍等", "对不起", "不知道", "没办法", "欢迎光临", "请出示身份证",
)  # fmt: skip
"""What a grammar is asked to find, short and long."""
TUNING: Final = ("S0150",)
"""Who reads the news that false alarms are tuned on."""
STRETCH: Final = 60
"""Seconds of each stretch."""


@dataclass(frozen=True)
class Sources:
    """What sets are made from."""

    audio: Path
    """Folder of folders of recordings, each with its manifest."""
    phrases: dict[str, Any]
    talk: Talk
    visits: int

    @cached_property
    def wordings(self) -> tuple[Wording, ...]:
        return wordings(self.phrases)

    @cached_property
    def noises(self) -> list[Path]:
        return steady_noises(self.audio / "esc10-noise")


def joined_takes(sources: Sources) -> Iterator[Take]:
    """Visits joined from Yue Tan's words."""
    known, files = joined.vocabulary(sources.audio / "yuetan")
    phrases, talk = joined.sayable_phrases(sources.phrases, known), joined.sayable_talk(sources.talk, known)
    say = joined.voicing(known, files, MEASURING["person"][0])
    yield from _takes(visits(phrases, talk, sources.visits, "joined"), lambda _: say)


def voices_takes(sources: Sources) -> Iterator[Take]:
    """Visits spoken by espeak-ng's test variants."""
    yield from _takes(visits(sources.phrases, sources.talk, sources.visits, "voices"), voices.voicing)


def _takes(lines: Iterable[Sequence[Line]], voicing: Callable[[int], Voicing]) -> Iterator[Take]:
    for number, visit in enumerate(lines):
        yield take(f"visit-{number + 1:02}", visit, voicing(number), random.Random(f"take {number}"))  # noqa: S311


def in_noise(takes: Iterable[Take], sources: Sources, *, echo: bool) -> Iterator[Take]:
    """The same visits in noise, each in another."""
    for number, one in enumerate(takes):
        yield noisy(one, sources.noises, random.Random(f"noise {number}"), echo=echo)  # noqa: S311


def make_joined(sources: Sources, out: Path) -> None:
    write_set(out / "joined", "clean", joined_takes(sources), sources.wordings)


def make_joined_noisy(sources: Sources, out: Path) -> None:
    takes = in_noise(joined_takes(sources), sources, echo=True)
    write_set(out / "joined-noisy", "12 dB noise, 0.3 s reverberation", takes, sources.wordings)


def make_voices(sources: Sources, out: Path) -> None:
    write_set(out / "voices", "clean", voices_takes(sources), sources.wordings)


def make_voices_noisy(sources: Sources, out: Path) -> None:
    takes = in_noise(voices_takes(sources), sources, echo=False)
    write_set(out / "voices-noisy", "12 dB noise", takes, sources.wordings)


def make_news(sources: Sources, out: Path) -> None:
    """Read news by a person left out, where the recordings lie: nothing is said in them that is owed or forbidden."""
    _make_read(sources, out / "news", MEASURING["news"])


def make_tuning(sources: Sources, out: Path) -> None:
    """The same by another person: what dials are set by may not be what they are measured on."""
    _make_read(sources, out / "tuning", TUNING)


def _make_read(sources: Sources, out: Path, speakers: Sequence[str]) -> None:
    labels, truth = [], []
    for row in read_manifest(sources.audio / "aishell"):
        if row.speaker in speakers:
            seconds, file = len(read(row.path)) / SAMPLE_RATE, str(row.path.resolve())
            labels.append(label_line(file, seconds, ()))
            truth.append(truth_line(file, "read news", [_read_out(row, seconds)]))
    write_lines(out, labels, truth)


def _read_out(row: Recording, seconds: float) -> Spoken:
    """A sentence of which only the whole length is known."""
    text = plain(row.text)
    spans: tuple[Span, ...] = tuple((0.0, seconds) for _ in text)
    return Spoken(Line("customer", text, "news"), row.speaker, spans)


def make_dial(sources: Sources, out: Path) -> None:
    """Single lines for grammar mode: each of DIAL in every test voice, and as many sentences of talk; half in noise."""
    write_set(out / "dial", "every other one in 12 dB noise", dial_takes(sources), sources.wordings)


def dial_takes(sources: Sources) -> Iterator[Take]:
    lines = [Line("clerk", text, "phrase") for text in DIAL for _ in TEST_VARIANTS]
    talk = [Line("clerk", text, kind) for kind in ("known", "new") for text in sources.talk[kind]["customer"]]
    rng = random.Random("dial")  # noqa: S311 - a draw, no secret
    for number, line in enumerate([*lines, *rng.sample(talk, min(len(talk), len(lines)))]):
        one = take(f"line-{number + 1:03}", [line], voices.voicing(number), rng)
        yield noisy(one, sources.noises, rng, echo=False) if number % 2 else one


def make_stretches(sources: Sources, out: Path) -> None:
    """A minute each of speech, of a quiet room, of exact silence and of noise: what decoding costs."""
    folder, size = out / "stretches", STRETCH * SAMPLE_RATE
    folder.mkdir(parents=True, exist_ok=True)
    speech = np.concatenate([one.samples for one in islice(voices_takes(sources), 2)])
    noises = np.concatenate([looped(read(path), size // len(sources.noises)) for path in sources.noises])
    rng = np.random.default_rng(1)
    write(folder / "speech.wav", speech[:size])
    write(folder / "room.wav", level(hiss(size, rng), -60))
    write(folder / "silence.wav", np.zeros(size, np.float32))
    write(folder / "noise.wav", np.clip(level(noises, -30), -CLIP, CLIP))


MAKERS: Final = {
    "joined": make_joined,
    "joined-noisy": make_joined_noisy,
    "voices": make_voices,
    "voices-noisy": make_voices_noisy,
    "news": make_news,
    "tuning": make_tuning,
    "dial": make_dial,
    "stretches": make_stretches,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 where all sets were made, 1 where one could not be, with one sentence why."""
    parser = argparse.ArgumentParser(prog="python -m models.build.sets", description=__doc__)
    parser.add_argument("--audio", type=Path, required=True, help="folder of folders of recordings with manifests")
    parser.add_argument("--out", type=Path, required=True, help="folder outside the project that gets a folder a set")
    parser.add_argument("--only", nargs="+", choices=MAKERS, default=list(MAKERS), help="sets to make")
    parser.add_argument("--phrases", type=Path, default=PHRASES, help="phrase set (TOML) to label")
    parser.add_argument("--visits", type=int, default=VISITS, help=f"visits a set (default {VISITS})")
    chosen = parser.parse_args(arguments)
    try:
        sources = Sources(chosen.audio, _toml(chosen.phrases), _toml(HERE / "talk.toml"), chosen.visits)
        for name in chosen.only:
            MAKERS[name](sources, chosen.out)
            print(f"{chosen.out / name}: made", flush=True)
    except (BuildError, CounterListenerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BuildError(f"{file} cannot be read ({error}).") from None


if __name__ == "__main__":
    sys.exit(main())

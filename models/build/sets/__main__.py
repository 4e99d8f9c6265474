"""Makes the test sets: `python -m models.build.sets --audio FOLDER --out FOLDER`."""

from __future__ import annotations

import argparse
import random
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from counter_listener.domain import SAMPLE_RATE, CounterListenerError
from models.build.errors import BuildError
from models.build.held_out import HELD_OUT_SPEAKERS, TEST_VARIANTS
from models.build.manifest import Recording, read_manifest
from models.build.sets import joined
from models.build.sets.casts import VISITS as DAY_VISITS
from models.build.sets.days import DAYS, natural_days, people_days
from models.build.sets.labels import Line, Span, SpokenLine, Wording, label_line, plain, truth_line, wording_patterns
from models.build.sets.natural import cast_visit, natural_renderer, speak, spoken_line
from models.build.sets.own_words import write_own_words
from models.build.sets.rendering import (
    Renderer,
    Take,
    far_away,
    record_visit,
    steady_noises,
    with_background,
    write_labels,
    write_set,
)
from models.build.sets.sound import CLIP, hiss, loop, read, set_level, write
from models.build.sets.visits import OtherSpeech, visits
from models.build.sets.voices import voice_renderer

HERE: Final = Path(__file__).resolve().parent
PHRASES: Final = HERE.parents[2] / "bench" / "listed.toml"
"""Formal sentences, one by one: with them the sets stay the same however the phrase set bank-counter is written."""
VISITS: Final = 24
GRAMMAR: Final = (
    "您好", "谢谢", "再见", "请慢走", "请稍等", "对不起", "不知道", "没办法", "欢迎光临", "请出示身份证",
)  # fmt: skip
"""The phrases of the grammar in the set `dial`, short and long ones."""
TUNING: Final = ("S0150",)
"""Who reads the news of the set `tuning`."""
SPOKEN: Final = "spoken"
"""Folder in the folder of all sets."""
STRETCH: Final = 60
"""Seconds of each recording in `stretches`."""


@dataclass(frozen=True)
class Sources:
    """The data that sets are made from."""

    audio: Path
    """Folder of folders of recordings, each with its manifest."""
    phrases: dict[str, Any]
    speech: OtherSpeech
    visits: int
    spoken: Path
    """Folder of the lines that Kokoro-82M spoke."""

    @cached_property
    def wordings(self) -> tuple[Wording, ...]:
        return wording_patterns(self.phrases)

    @cached_property
    def noises(self) -> list[Path]:
        return steady_noises(self.audio / "esc10-noise")


def joined_takes(sources: Sources) -> Iterator[Take]:
    """Visits joined from Yue Tan's words."""
    words, files = joined.vocabulary(sources.audio / "yuetan")
    phrases, speech = joined.available_phrases(sources.phrases, words), joined.available_speech(sources.speech, words)
    render = joined.joined_renderer(words, files, HELD_OUT_SPEAKERS["person"][0])
    yield from _takes(visits(phrases, speech, sources.visits, "joined"), lambda _: render)


def voices_takes(sources: Sources) -> Iterator[Take]:
    """Visits spoken by espeak-ng's test variants."""
    yield from _takes(visits(sources.phrases, sources.speech, sources.visits, "voices"), voice_renderer)


def natural_takes(sources: Sources) -> Iterator[Take]:
    """Twice as many visits by two natural voices, a woman and a man, who take turns as the clerk."""
    scripts = list(visits(sources.phrases, sources.speech, 2 * sources.visits, "natural"))
    lines = (spoken_line(line, cast_visit(number)) for number, script in enumerate(scripts) for line in script)
    speak(lines, sources.spoken)
    yield from _takes(scripts, lambda number: natural_renderer(number, sources.spoken))


def _takes(scripts: Iterable[Sequence[Line]], renderer: Callable[[int], Renderer]) -> Iterator[Take]:
    for number, lines in enumerate(scripts):
        rng = random.Random(f"take {number}")  # noqa: S311 - reproducible draws, not secrets
        yield record_visit(f"visit-{number + 1:02}", lines, renderer(number), rng)


def make_visits(name: str, takes: Callable[[Sources], Iterator[Take]], sources: Sources, out: Path) -> None:
    """Visits in quiet."""
    write_set(out / name, "clean", takes(sources), sources.wordings)


def make_voices_noisy(sources: Sources, out: Path) -> None:
    """The visits of `voices`, each in a noise."""
    takes = _in_noise(voices_takes(sources), sources, reverberation=False)
    write_set(out / "voices-noisy", "12 dB noise", takes, sources.wordings)


def make_noisy(name: str, made: Callable[[Sources], Iterator[Take]], sources: Sources, out: Path) -> None:
    """What is made, each take in a noise and with reverberation."""
    takes = _in_noise(made(sources), sources, reverberation=True)
    write_set(out / name, "12 dB noise, 0.3 s reverberation", takes, sources.wordings)


def make_far(name: str, made: Callable[[Sources], Iterator[Take]], sources: Sources, out: Path) -> None:
    """What is made, 3 m from the microphone."""
    rng = random.Random("far")  # noqa: S311 - reproducible draws, not secrets
    takes = (far_away(take, rng) for take in made(sources))
    write_set(out / name, "3 m from the microphone, 0.3 s reverberation", takes, sources.wordings)


def days_takes(sources: Sources) -> Iterator[Take]:
    """Days of natural voices, as many as there are visits for, at most DAYS."""
    count = min(DAYS, max(1, sources.visits // DAY_VISITS)) if sources.visits < VISITS else DAYS
    scripts = list(visits(sources.phrases, sources.speech, count * DAY_VISITS, "days"))
    yield from natural_days(scripts, sources.speech, sources.spoken)


def make_days_people(sources: Sources, out: Path) -> None:
    """Days in the voices of people who are held out."""
    write_set(out / "days-people", "clean", people_days(sources.audio, DAYS), ())


def make_own_words(sources: Sources, out: Path) -> None:
    """The sentences of clerks in their own words, spoken by the two natural voices."""
    print(f"own-words-spoken: {write_own_words(out / 'own-words-spoken', sources.spoken)}", flush=True)


def _in_noise(takes: Iterable[Take], sources: Sources, *, reverberation: bool) -> Iterator[Take]:
    for number, take in enumerate(takes):
        rng = random.Random(f"noise {number}")  # noqa: S311 - reproducible draws, not secrets
        yield with_background(take, sources.noises, rng, reverberation=reverberation)


def make_read_news(name: str, speakers: Sequence[str], sources: Sources, out: Path) -> None:
    """News read by people, where the recordings lie. It contains no phrase that is owed or forbidden."""
    labels, truth = [], []
    for row in read_manifest(sources.audio / "aishell"):
        if row.speaker in speakers:
            seconds, file = len(read(row.path)) / SAMPLE_RATE, str(row.path.resolve())
            labels.append(label_line(file, seconds, ()))
            truth.append(truth_line(file, "read news", [_news_line(row, seconds)]))
    write_labels(out / name, labels, truth)


def _news_line(row: Recording, seconds: float) -> SpokenLine:
    """A sentence; only its total duration is known."""
    text = plain(row.text)
    spans: tuple[Span, ...] = tuple((0.0, seconds) for _ in text)
    return SpokenLine(Line("customer", text, "news"), row.speaker, spans)


def make_grammar_lines(sources: Sources, out: Path) -> None:
    """Single lines for grammar mode: each phrase of GRAMMAR in every test voice, and as many other sentences."""
    write_set(out / "dial", "every other one in 12 dB noise", grammar_takes(sources), sources.wordings)


def grammar_takes(sources: Sources) -> Iterator[Take]:
    """The lines of `dial`, every second one in noise."""
    lines = [Line("clerk", text, "phrase") for text in GRAMMAR for _ in TEST_VARIANTS]
    others = [Line("clerk", text, kind) for kind in ("known", "new") for text in sources.speech[kind]["customer"]]
    rng = random.Random("dial")  # noqa: S311 - reproducible draws, not secrets
    for number, line in enumerate([*lines, *rng.sample(others, min(len(others), len(lines)))]):
        take = record_visit(f"line-{number + 1:03}", [line], voice_renderer(number), rng)
        yield with_background(take, sources.noises, rng, reverberation=False) if number % 2 else take


def make_stretches(sources: Sources, out: Path) -> None:
    """A minute each of speech, a quiet room, digital silence and noise, to measure the cost of decoding."""
    folder, size = out / "stretches", STRETCH * SAMPLE_RATE
    folder.mkdir(parents=True, exist_ok=True)
    speech = np.concatenate([take.samples for take in islice(voices_takes(sources), 2)])
    noises = np.concatenate([loop(read(path), size // len(sources.noises)) for path in sources.noises])
    rng = np.random.default_rng(1)
    write(folder / "speech.wav", speech[:size])
    write(folder / "room.wav", set_level(hiss(size, rng), -60))
    write(folder / "silence.wav", np.zeros(size, np.float32))
    write(folder / "noise.wav", np.clip(set_level(noises, -30), -CLIP, CLIP))


MAKERS: Final[dict[str, Callable[[Sources, Path], None]]] = {
    "joined": partial(make_visits, "joined", joined_takes),
    "joined-noisy": partial(make_noisy, "joined-noisy", joined_takes),
    "voices": partial(make_visits, "voices", voices_takes),
    "voices-noisy": make_voices_noisy,
    "natural": partial(make_visits, "natural", natural_takes),
    "natural-noisy": partial(make_noisy, "natural-noisy", natural_takes),
    "natural-far": partial(make_far, "natural-far", natural_takes),
    "days": partial(make_visits, "days", days_takes),
    "days-noisy": partial(make_noisy, "days-noisy", days_takes),
    "days-far": partial(make_far, "days-far", days_takes),
    "days-people": make_days_people,
    "own-words-spoken": make_own_words,
    "news": partial(make_read_news, "news", HELD_OUT_SPEAKERS["news"]),
    "tuning": partial(make_read_news, "tuning", TUNING),
    "dial": make_grammar_lines,
    "stretches": make_stretches,
}
"""The sets by name; each is written to the folder of its name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 if all sets were made, 1 with an error message if one could not be made."""
    parser = argparse.ArgumentParser(prog="python -m models.build.sets", description=__doc__)
    parser.add_argument("--audio", type=Path, required=True, help="folder of folders of recordings with manifests")
    parser.add_argument("--out", type=Path, required=True, help="folder outside the project, for one folder per set")
    parser.add_argument("--only", nargs="+", choices=MAKERS, default=list(MAKERS), help="sets to make")
    parser.add_argument("--phrases", type=Path, default=PHRASES, help="phrase set (TOML) of plain sentences to say")
    parser.add_argument(
        "--visits", type=int, default=VISITS, help=f"visits per set (default {VISITS}; `natural` has twice as many)"
    )
    options = parser.parse_args(arguments)
    try:
        speech = _read_toml(HERE / "other_speech.toml")
        sources = Sources(options.audio, _read_toml(options.phrases), speech, options.visits, options.out / SPOKEN)
        for name in options.only:
            MAKERS[name](sources, options.out)
            print(f"{options.out / name}: made", flush=True)
    except (BuildError, CounterListenerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BuildError(f"{file} cannot be read ({error}).") from None


if __name__ == "__main__":
    sys.exit(main())

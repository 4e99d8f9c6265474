"""Days of several visits with one clerk and changing customers: who spoke? In natural voices, and in those of people.

Half of the customers have the clerk's sex. No voice here is one that a model is trained on: each is a test voice of
Kokoro-82M or contains one, and the people are those of held_out.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from counter_listener.domain import SAMPLE_RATE
from models.build.held_out import HELD_OUT_SPEAKERS
from models.build.manifest import Recording, read_manifest
from models.build.sets.casts import VISITS, Cast, cast_day, check_cast
from models.build.sets.labels import Kind, Line, SpokenLine, plain
from models.build.sets.natural import Spoken, load_speech, speak
from models.build.sets.rendering import HISS_DB, RenderedLine, Renderer, Take, record_visit
from models.build.sets.sound import Samples, add_noise, hiss, read, set_level, trim
from models.build.sets.visits import OtherSpeech

DAYS: Final = 8
QUIET: Final = 25.0
"""Seconds from one visit to the next; a farewell and 20 s close a visit."""
ANSWERS: Final = 0.6
"""How often the customer says something after a line of the clerk's, besides what the scripts have."""
LINES: Final = (10, 16)
"""Fewest and most lines of a visit of people."""
JOINED: Final = (1, 3)
"""Fewest and most recordings of words in a line of people."""
WORD_DB: Final = -20.0


def with_answers(script: Sequence[Line], speech: OtherSpeech, rng: random.Random) -> tuple[Line, ...]:
    """A script in which the customer says more: in the scripts of the other sets the clerk has most of the lines."""
    lines: list[Line] = []
    for line, following in pairwise([*script, None]):
        if line is None:
            break
        lines.append(line)
        if line.speaker == "clerk" and following and following.speaker == "clerk" and rng.random() < ANSWERS:
            kind: Kind = rng.choice(("known", "new"))
            lines.append(Line("customer", plain(rng.choice(list(speech[kind]["customer"]))), kind))
    return tuple(lines)


def natural_days(scripts: Sequence[Sequence[Line]], speech: OtherSpeech, folder: Path) -> Iterator[Take]:
    """Days in natural voices, spoken into a folder: `VISITS` scripts for each."""
    count = len(scripts) // VISITS
    rng = random.Random("answers")  # noqa: S311 - reproducible draws, not secrets
    longer = [with_answers(script, speech, rng) for script in scripts]
    days = [list(zip(cast_day(day), longer[day * VISITS :], strict=False)) for day in range(count)]
    speak((spoken_by(cast, line) for day in days for cast, script in day for line in script), folder)
    for number, day in enumerate(days):
        check_cast([cast for cast, _ in day])
        yield join_visits(
            f"day-{number + 1:02}",
            [(script, _natural(cast, folder)) for cast, script in day],
            random.Random(number),  # noqa: S311
        )


def spoken_by(cast: Cast, line: Line) -> Spoken:
    """A line as it is spoken in a visit."""
    return Spoken(line.text, *(cast.clerk if line.speaker == "clerk" else cast.customer))


def _natural(cast: Cast, folder: Path) -> Renderer:
    def render(line: Line, _: random.Random) -> RenderedLine:
        sentence = spoken_by(cast, line)
        return *load_speech(sentence, folder), sentence.voice

    return render


def people_days(audio: Path, days: int) -> Iterator[Take]:
    """Days in the voices of people who are held out: their recordings, whatever they say, as lines of two people."""
    people = recordings_of(audio)
    names = sorted(people)
    for day in range(days):
        rng = random.Random(f"people {day}")  # noqa: S311 - reproducible draws, not secrets
        clerk = names[day % len(names)]
        customers = rng.sample([name for name in names if name != clerk], VISITS)
        visits = [(_turns(rng), _renderer(people, {"clerk": clerk, "customer": name})) for name in customers]
        yield join_visits(f"day-{day + 1:02}", visits, rng)


def recordings_of(audio: Path) -> dict[str, list[Recording]]:
    """The recordings of the people who are held out for measuring, by person."""
    people = {name for names in HELD_OUT_SPEAKERS.values() for name in names}
    found: dict[str, list[Recording]] = {}
    for folder in ("yuetan", "aishell", "dspspeech20"):
        for row in read_manifest(audio / folder):
            if row.speaker in people:
                found.setdefault(row.speaker, []).append(row)
    return found


def _turns(rng: random.Random) -> tuple[Line, ...]:
    """Lines of two people without words: what is said does not matter."""
    return tuple(Line("clerk" if rng.random() < 0.55 else "customer", "", "news") for _ in range(rng.randint(*LINES)))


def _renderer(people: Mapping[str, Sequence[Recording]], cast: Mapping[str, str]) -> Renderer:
    def render(line: Line, rng: random.Random) -> RenderedLine:
        rows = people[cast[line.speaker]]
        count = 1 if len(rows[0].text) > 5 else rng.randint(*JOINED)  # a sentence stands alone
        parts = [set_level(trim(read(row.path)), WORD_DB) for row in rng.sample(list(rows), count)]
        samples = np.concatenate(parts)
        return samples, ((0.0, len(samples) / SAMPLE_RATE),), cast[line.speaker]

    return render


def join_visits(name: str, visits: Sequence[tuple[Sequence[Line], Renderer]], rng: random.Random) -> Take:
    """Visits one after the other as one recording, with the hiss of a room between them."""
    parts: list[Samples] = []
    spoken: list[SpokenLine] = []
    at = 0.0
    for number, (script, render) in enumerate(visits):
        take = record_visit(f"{name}-{number}", script, render, rng)
        parts += [take.samples, np.zeros(round(QUIET * SAMPLE_RATE), np.float32)]
        spoken += [
            replace(line, characters=tuple((start + at, end + at) for start, end in line.characters))
            for line in take.spoken
        ]
        at += (len(parts[-2]) + len(parts[-1])) / SAMPLE_RATE
    samples = np.concatenate(parts)
    noise = hiss(len(samples), np.random.default_rng(rng.getrandbits(32)))
    spans = [(line.start, line.end) for line in spoken]
    return Take(name, add_noise(samples, noise, spans, HISS_DB[1]), tuple(spoken))

"""The steps from nothing to a model folder, each a function of a plan: what they read, what they write.

Everything a step leaves lies in the plan's work folder under the step's name, so that steps can be run alone, and one
that is done is not done again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.alignment import align, speech_spectrum
from models.build.clips import Clip, load_clips, save_clips
from models.build.errors import BuildError
from models.build.espeak import TRAINING_VARIANTS, say
from models.build.export import export, rounded
from models.build.graph import TOP, rebuild
from models.build.language.texts import counter_sentences, ordinary_sentences, own_words
from models.build.language.vocabulary import dictionary_file, read_counts, segmenter
from models.build.lexicon import sayable
from models.build.licence import licence
from models.build.net import load
from models.build.one_phone import noise
from models.build.parity import TOLERANCE, differences
from models.build.recordings import NOISE, VARIANTS, clips_of, listed, noise_of
from models.build.settings import read_settings
from models.build.synthesis import synthesized
from models.build.training import Plan, train

Report = Callable[[str], None]

COMMON: Final = 8_000
"""Words of the dictionary that synthesis says in any order."""
CHUNK: Final = 100
"""Clips that one job of a worker makes."""


@dataclass(frozen=True, slots=True)
class Build:
    """What is to be built, from what, and how long to train."""

    work: Path
    """Folder for what the steps leave."""
    target: Path
    """The model folder."""
    audio: Path | None
    """Folder of folders of recordings; without it the model hears synthetic voices alone."""
    left_out: frozenset[str]
    """People not to be trained on."""
    clips: int
    """To synthesise."""
    bootstrap: int
    first: int
    final: int
    polish: int
    """Steps of the four trainings."""
    hidden: int
    seed: int = 1


def workers() -> ProcessPoolExecutor:
    """As many processes as there are cores; spawned, for a forked one hangs where torch has run."""
    return ProcessPoolExecutor(os.cpu_count() or 1, get_context("spawn"))


def synthesis(build: Build, report: Report) -> None:
    """Clips spoken by espeak-ng."""
    sentences, words = spoken_text()
    seeds = range(build.seed * 1_000, build.seed * 1_000 + max(1, build.clips // CHUNK))
    found: list[Clip] = []
    with workers() as pool:
        jobs = [pool.submit(_synthesized, CHUNK, sentences, words, seed) for seed in seeds]
        for number, job in enumerate(jobs, start=1):
            found += job.result()
            if number % 10 == 0 or number == len(jobs):
                report(f"{len(found)} of {len(jobs) * CHUNK} clips, {hours(found):.1f} h")
    save_clips(found, build.work / "espeak.clips")


def spoken_text() -> tuple[list[str], list[str]]:
    """Sentences of the counter and of every day, and common words, for synthesis.

    The plain sentences are for the graph alone: spoken as well, they would be more than half of it, and gained nothing
    (models/README.md).
    """
    counts = read_counts(dictionary_file())
    cutter = segmenter(counts, own_words())
    counter = counter_sentences(sorted((TOP / "phrase_sets").glob("*.toml")), cutter, sentence=0.0)
    sentences = ["".join(words) for words in (*counter, *ordinary_sentences(cutter, sentence=0.0))]
    frequent = sorted(counts, key=lambda word: -counts[word])[:COMMON]
    return sayable(dict.fromkeys(sentences)), sayable(frequent)


def _synthesized(count: int, sentences: Sequence[str], words: Sequence[str], seed: int) -> list[Clip]:
    return list(synthesized(count, sentences, words, seed))


def recordings(build: Build, report: Report) -> None:
    """Clips of people, and of noise; none where there is no folder of recordings."""
    for folder in VARIANTS:
        there = build.audio and (build.audio / folder).is_dir()
        save_clips(
            _people(build, build.audio / folder, report) if build.audio and there else [],
            build.work / f"{folder}.clips",
        )
    noises = list(listed(build.audio / NOISE)) if build.audio and (build.audio / NOISE).is_dir() else []
    save_clips([noise_of(one) for one in noises], build.work / "noise.clips")
    report(f"{len(noises)} noises")


def _people(build: Build, folder: Path, report: Report) -> list[Clip]:
    wanted = list(listed(folder, build.left_out))
    with workers() as pool:
        parts = pool.map(clips_of, wanted, [folder.name] * len(wanted), chunksize=20)
        found = [clip for clips in parts for clip in clips]
    speakers = len({clip.speaker for clip in found})
    report(f"{folder.name}: {len(wanted)} recordings of {speakers} people, {len(found)} clips, {hours(found):.1f} h")
    return found


def hours(clips: Sequence[Clip]) -> float:
    """Length of all clips."""
    return sum(len(clip.features) for clip in clips) / 360_000


def bootstrap(build: Build, report: Report) -> None:
    """A network that knows synthetic voices, whose alignments are exact; it aligns the people."""
    _train(build, ["espeak.clips"], "bootstrap", Plan(build.bootstrap, hidden=build.hidden, seed=build.seed), report)


def alignment(build: Build, report: Report) -> None:
    """The people aligned by the bootstrap network, their spectrum moved to that of the voices it knows."""
    heard = load_clips(build.work / "espeak.clips")[:300]
    speech = np.stack([speech_spectrum(clip.features.astype(np.float32)) for clip in heard]).mean(0)
    _align(build, "bootstrap", "first", speech, report)


def first(build: Build, report: Report) -> None:
    """A network that knows people too, trained for a short while, to align them better."""
    plan = Plan(build.first, hidden=build.hidden, seed=build.seed + 1, flat=True)
    _train(build, ["espeak.clips", *aligned("first")], "first", plan, report, "bootstrap")


def realignment(build: Build, report: Report) -> None:
    """The people aligned again, by a network that has heard them."""
    _align(build, "first", "final", None, report)


def final(build: Build, report: Report) -> None:
    """The network itself."""
    plan = Plan(build.final, hidden=build.hidden, seed=build.seed + 2)
    _train(build, ["espeak.clips", *aligned("final")], "final", plan, report, "first")


def polish(build: Build, report: Report) -> None:
    """The network trained on from where it stood, at half the rate, on other sessions."""
    plan = Plan(build.polish, rate=1e-3, hidden=build.hidden, seed=build.seed + 3)
    _train(build, ["espeak.clips", *aligned("final")], "polish", plan, report, "final")


def aligned(name: str) -> list[str]:
    """The files of aligned people for a training."""
    return [f"{folder}.{name}.clips" for folder in VARIANTS]


def _align(build: Build, by: str, name: str, spectrum: NDArray[np.float32] | None, report: Report) -> None:
    net, counts = load(build.work / f"{by}.pt")
    for folder, target in zip(VARIANTS, aligned(name), strict=True):
        clips = load_clips(build.work / f"{folder}.clips")
        found = list(align(clips, net, counts, spectrum))
        save_clips(found, build.work / target)
        report(f"{folder}: {len(found)} of {len(clips)} clips aligned")


def _train(  # noqa: PLR0913 - what a training reads and writes
    build: Build, files: Sequence[str], name: str, plan: Plan, report: Report, start: str | None = None
) -> None:
    train(
        [build.work / file for file in files],
        build.work / "noise.clips",
        plan,
        build.work / f"{name}.pt",
        build.work / f"{start}.pt" if start else None,
        report,
    )


def exporting(build: Build, _: Report) -> None:
    """The network as the am/ of a model folder."""
    export(*load(build.work / "polish.pt"), build.target)


def graph(build: Build, report: Report) -> None:
    """The model's graph and settings, by the phrase sets and the texts as they are now."""
    report(rebuild(build.target, [], read_settings()))


def licensing(build: Build, _: Report) -> None:
    """The model's licence, with the attributions of all that it was trained on."""
    text = licence(build.target.name, build.audio, build.left_out)
    (build.target / "LICENSE").write_text(text, encoding="utf-8")


def check(build: Build, report: Report) -> None:
    """What libvosk computes is what PyTorch computes, on noise and on speech. Raises BuildError where it is not."""
    trained, counts = load(build.work / "polish.pt")
    net = rounded(trained)
    spoken = say([("nin", "2"), ("hao", "3"), ("qing", "3"), ("wen", "4")], TRAINING_VARIANTS[0]).samples
    # espeak-ng stops dead; in frames of next to nothing two FFTs differ by their rounding, as in no real room
    spoken = spoken + np.random.default_rng(build.seed).normal(0, 8, len(spoken)).astype(np.float32)
    for name, sound in (("noise", noise()), ("speech", spoken.astype(np.int16))):
        for unit, difference in differences(net, counts, build.target, sound).items():
            report(f"parity on {name}, unit {unit}: {difference:+.1e} a frame")
            if abs(difference) > TOLERANCE:
                raise BuildError(f"libvosk and PyTorch differ by {difference:.1e} a frame on {name} in {unit}.")


STEPS: Final[Mapping[str, tuple[Callable[[Build, Report], None], int]]] = {
    "synthesis": (synthesis, 15),
    "recordings": (recordings, 20),
    "bootstrap": (bootstrap, 30),
    "alignment": (alignment, 20),
    "first": (first, 30),
    "realignment": (realignment, 20),
    "final": (final, 90),
    "polish": (polish, 40),
    "export": (exporting, 2),
    "graph": (graph, 5),
    "licence": (licensing, 1),
    "check": (check, 5),
}
"""The steps in order, and the minutes after which one is given up."""

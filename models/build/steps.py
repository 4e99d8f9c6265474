"""The steps from nothing to a model folder. Each is a function of a Build: what it reads and what it writes.

A step writes its files to the work folder, with its name in theirs. So each step can run alone, and a step that is done
is not repeated.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.build.alignment import Alignment, align_clip, by_recording, label_clips, speech_spectrum
from models.build.clips import Clip, load_clips, save_clips
from models.build.errors import BuildError
from models.build.espeak import TRAINING_VARIANTS, say
from models.build.export import export, round_weights
from models.build.graph import PROJECT, rebuild
from models.build.language.texts import counter_sentences, ordinary_sentences, own_words
from models.build.language.vocabulary import dictionary_file, read_counts, segmenter
from models.build.lexicon import pronounceable
from models.build.licence import licence_text
from models.build.manifest import NAME as MANIFEST
from models.build.net import load_network
from models.build.one_phone import rising_noise
from models.build.parity import TOLERANCE, differences
from models.build.recordings import KOKORO, NOISE, VARIANTS, make_clips, noise_clip, usable_recordings
from models.build.settings import read_settings
from models.build.synthesis import synthesise
from models.build.training import Plan, Report, train
from models.build.voices.making import Order, make_speech, speech_hours

FREQUENT_WORDS: Final = 8_000
"""Words of the dictionary that synthesis speaks in random order."""
CLIPS_PER_JOB: Final = 100
OTHER_SEED: Final = 100
"""Added to the seed of the build for its speech, so that it is not what the command of voices/ makes with that seed."""


@dataclass(frozen=True, slots=True)
class Build:
    """What is to be built, from which data, and how long the trainings are."""

    work: Path
    """Folder for the files of the steps."""
    target: Path
    """The model folder."""
    audio: Path | None
    """Folder of folders of recordings; without it the model is trained on synthetic voices only."""
    left_out: frozenset[str]
    """People not to be trained on."""
    clips: int
    """Number of clips to synthesise."""
    bootstrap: int
    first: int
    final: int
    last: int
    """Steps of the four trainings."""
    hidden: int
    """Channels of each layer in the first three trainings."""
    wide: int
    """Channels of each layer in the last one."""
    hours: float
    """Hours of natural synthetic speech, those in the folder of recordings included."""
    seed: int = 1


def process_pool() -> ProcessPoolExecutor:
    """One process per core. They are spawned, because a forked process hangs once PyTorch has run."""
    return ProcessPoolExecutor(os.cpu_count() or 1, get_context("spawn"))


def synthesise_clips(build: Build, report: Report) -> None:
    """Clips spoken by espeak-ng."""
    sentences, words = synthesis_texts()
    seeds = range(build.seed * 1_000, build.seed * 1_000 + max(1, build.clips // CLIPS_PER_JOB))
    clips: list[Clip] = []
    with process_pool() as pool:
        jobs = [pool.submit(_synthesise, CLIPS_PER_JOB, sentences, words, seed) for seed in seeds]
        for number, job in enumerate(jobs, start=1):
            clips += job.result()
            if number % 10 == 0 or number == len(jobs):
                report(f"{len(clips)} of {len(jobs) * CLIPS_PER_JOB} clips, {hours(clips):.1f} h")
    save_clips(clips, build.work / "espeak.clips")


def synthesis_texts() -> tuple[list[str], list[str]]:
    """Sentences of the counter and of everyday speech, and frequent words, for synthesis.

    The plain sentences are used for the graph only: in the synthesis they would be more than half of all sentences, and
    gave no gain (models/README.md).
    """
    counts = read_counts(dictionary_file())
    cutter = segmenter(counts, own_words())
    counter = counter_sentences(sorted((PROJECT / "phrase_sets").glob("*.toml")), cutter, sentence=0.0)
    sentences = ["".join(words) for words in (*counter, *ordinary_sentences(cutter, sentence=0.0))]
    frequent = sorted(counts, key=lambda word: -counts[word])[:FREQUENT_WORDS]
    return pronounceable(dict.fromkeys(sentences)), pronounceable(frequent)


def _synthesise(count: int, sentences: Sequence[str], words: Sequence[str], seed: int) -> list[Clip]:
    return list(synthesise(count, sentences, words, seed))


def make_voices(build: Build, report: Report) -> None:
    """Natural synthetic speech, as many hours as the folder of recordings lacks."""
    there = sum(speech_hours(folder) for folder in source_folders(build, KOKORO) if folder.parent != build.work)
    if build.hours > there:
        make_speech(Order(build.work / KOKORO, build.hours - there, build.seed + OTHER_SEED), report)
    else:
        report(f"{there:.1f} h are there")


def read_recordings(build: Build, report: Report) -> None:
    """Clips of people and of noise; none without a folder of recordings."""
    for source in VARIANTS:
        found = [clip for folder in source_folders(build, source) for clip in _speech_clips(build, folder, report)]
        save_clips(found, build.work / f"{source}.clips")
    noises = [noise for folder in source_folders(build, NOISE) for noise in usable_recordings(folder)]
    save_clips([noise_clip(recording) for recording in noises], build.work / "noise.clips")
    report(f"{len(noises)} noises")


def source_folders(build: Build, source: str) -> list[Path]:
    """The folders with the recordings of a source: that of the recordings, and for KOKORO that of the step `voices`."""
    folders = [build.audio / source] if build.audio else []
    if source == KOKORO:
        folders.append(build.work / KOKORO)
    return [folder for folder in folders if (folder / MANIFEST).is_file()]


def _speech_clips(build: Build, folder: Path, report: Report) -> list[Clip]:
    recordings = list(usable_recordings(folder, build.left_out))
    with process_pool() as pool:
        parts = pool.map(make_clips, recordings, [folder.name] * len(recordings), chunksize=20)
        found = [clip for clips in parts for clip in clips]
    speakers = len({clip.speaker for clip in found})
    report(f"{folder.name}: {len(recordings)} recordings, {speakers} people, {len(found)} clips, {hours(found):.1f} h")
    return found


def hours(clips: Sequence[Clip]) -> float:
    """The duration of all clips."""
    return sum(len(clip.features) for clip in clips) / 360_000


def train_bootstrap(build: Build, report: Report) -> None:
    """A network trained on synthetic voices, whose alignments are exact; it aligns the recordings of people."""
    _train(build, ["espeak.clips"], "bootstrap", Plan(build.bootstrap, hidden=build.hidden, seed=build.seed), report)


def align_with_bootstrap(build: Build, report: Report) -> None:
    """The people aligned by the bootstrap network, with their mean spectrum moved to that of the synthetic voices."""
    synthetic = load_clips(build.work / "espeak.clips")[:300]
    spectrum = np.stack([speech_spectrum(clip.features.astype(np.float32)) for clip in synthetic]).mean(0)
    _align(build, "bootstrap", "first", spectrum, report)


def train_first(build: Build, report: Report) -> None:
    """A network trained on people too, for a short time, to align them better."""
    plan = Plan(build.first, hidden=build.hidden, seed=build.seed + 1, constant_rate=True)
    _train(build, ["espeak.clips", *aligned_files("first")], "first", plan, report, "bootstrap")


def align_with_first(build: Build, report: Report) -> None:
    """The people aligned again, by a network that was trained on them."""
    _align(build, "first", "final", None, report)


def train_final(build: Build, report: Report) -> None:
    """The network of the model, before it is widened."""
    plan = Plan(build.final, hidden=build.hidden, seed=build.seed + 2)
    _train(build, ["espeak.clips", *aligned_files("final")], "final", plan, report, "first")


def train_wide(build: Build, report: Report) -> None:
    """The network of the model: the final one with more channels, trained further on other sessions."""
    plan = Plan(build.last, hidden=build.wide, seed=build.seed + 3)
    _train(build, ["espeak.clips", *aligned_files("final")], "wide", plan, report, "final")


def aligned_files(training: str) -> list[str]:
    """The files of aligned people for a training."""
    return [f"{folder}.{training}.clips" for folder in VARIANTS]


def _align(build: Build, network: str, training: str, spectrum: NDArray[np.float32] | None, report: Report) -> None:
    """Aligns all recordings. Natural synthetic speech must also agree with its text, once a network knows people."""
    for folder, target in zip(VARIANTS, aligned_files(training), strict=True):
        clips = load_clips(build.work / f"{folder}.clips")
        alignments = _alignments(by_recording(clips), build.work / f"{network}.pt", spectrum)
        checked = folder == KOKORO and spectrum is None
        aligned = list(label_clips(clips, alignments, checked=checked))
        save_clips(aligned, build.work / target)
        report(f"{folder}: {len(aligned)} of {len(clips)} clips aligned")


def _alignments(
    recordings: Mapping[str, Sequence[Clip]], network: Path, spectrum: NDArray[np.float32] | None
) -> dict[str, Alignment | None]:
    """The alignment of each recording, by name."""
    plain = [clips[0] for clips in recordings.values()]
    parts = [plain[first : first + CLIPS_PER_JOB] for first in range(0, len(plain), CLIPS_PER_JOB)]
    with process_pool() as pool:
        found = pool.map(_align_part, parts, [network] * len(parts), [spectrum] * len(parts))
        return dict(zip(recordings, chain.from_iterable(found), strict=True))


def _align_part(clips: Sequence[Clip], network: Path, spectrum: NDArray[np.float32] | None) -> list[Alignment | None]:
    torch.set_num_threads(1)  # there is a process for each core
    net, counts = load_network(network)
    return [align_clip(clip, net, counts, spectrum) for clip in clips]


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


def export_network(build: Build, _: Report) -> None:
    """The network as am/ of the model folder."""
    export(*load_network(build.work / "wide.pt"), build.target)


def build_graph(build: Build, report: Report) -> None:
    """The graph and the settings of the model, from the phrase sets and the texts."""
    report(rebuild(build.target, [], read_settings()))


def write_licence(build: Build, _: Report) -> None:
    """The licence of the model, with the attributions of all data it was trained on."""
    folders = [folder for source in (*VARIANTS, NOISE) for folder in source_folders(build, source)]
    text = licence_text(build.target.name, folders, build.left_out)
    (build.target / "LICENSE").write_text(text, encoding="utf-8")


def check_parity(build: Build, report: Report) -> None:
    """Compares libvosk with PyTorch, on noise and on speech. Raises BuildError if they differ."""
    trained, counts = load_network(build.work / "wide.pt")
    net = round_weights(trained)
    speech = say([("nin", "2"), ("hao", "3"), ("qing", "3"), ("wen", "4")], TRAINING_VARIANTS[0]).samples
    # espeak-ng ends in digital silence, and in frames of almost no energy two FFTs differ by rounding: noise is added.
    speech = speech + np.random.default_rng(build.seed).normal(0, 8, len(speech)).astype(np.float32)
    for name, samples in (("noise", rising_noise()), ("speech", speech.astype(np.int16))):
        for unit, difference in differences(net, counts, build.target, samples).items():
            report(f"parity on {name}, unit {unit}: {difference:+.1e} per frame")
            if abs(difference) > TOLERANCE:
                raise BuildError(f"libvosk and PyTorch differ by {difference:.1e} per frame on {name} in {unit}.")


STEPS: Final[Mapping[str, tuple[Callable[[Build, Report], None], int]]] = {
    "synthesis": (synthesise_clips, 15),
    "voices": (make_voices, 600),
    "recordings": (read_recordings, 40),
    "bootstrap": (train_bootstrap, 30),
    "alignment": (align_with_bootstrap, 40),
    "first": (train_first, 30),
    "realignment": (align_with_first, 40),
    "final": (train_final, 90),
    "wide": (train_wide, 150),
    "export": (export_network, 2),
    "graph": (build_graph, 5),
    "licence": (write_licence, 1),
    "check": (check_parity, 5),
}
"""The steps in order, each with its time limit in minutes."""

"""Sentences of clerks in their own words, from a round of bench/own_words, each spoken by a natural test voice."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from counter_listener.domain import SAMPLE_RATE
from models.build.language.vocabulary import is_chinese
from models.build.measuring.own_words import SENTENCES, Sentence, read_round
from models.build.sets.labels import plain
from models.build.sets.natural import SPEEDS, VOICES, Spoken, load_speech, speak
from models.build.sets.rendering import HISS_DB, LEVEL_DB
from models.build.sets.sound import add_noise, fade, hiss, set_level, write

ROUND: Final = Path(__file__).resolve().parents[3] / "bench" / "own_words" / "round-4.tsv"
"""The round that nobody read."""
SILENCE: Final = 0.6
"""Seconds before and after a sentence."""


def write_own_words(folder: Path, spoken: Path, file: Path = ROUND) -> str:
    """Writes a recording of each sentence of a round, and SENTENCES with one line for each; returns a summary.

    The voices take turns. A sentence with letters or digits is left out, and counted: misaki spells them out in
    English. Raises BuildError.
    """
    sentences = read_round(file)
    said = [(number, one) for number, one in enumerate(sentences) if is_chinese(plain(one.text))]
    planned = [(number, one, _plan(number, one)) for number, one in said]
    speak((plan for _, _, plan in planned), spoken)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = [_record(folder, number, one, plan, spoken) for number, one, plan in planned]
    partial = folder / f"{SENTENCES}.part"
    partial.write_text("".join(lines), encoding="utf-8", newline="\n")
    partial.replace(folder / SENTENCES)
    return f"{len(said)} of {len(sentences)} sentences; the others have letters or digits"


def _plan(number: int, sentence: Sentence) -> Spoken:
    rng = random.Random(f"own words {number}")  # noqa: S311 - reproducible draws, not secrets
    return Spoken(sentence.text, VOICES[number % len(VOICES)], round(rng.uniform(*SPEEDS), 2))


def _record(folder: Path, number: int, sentence: Sentence, plan: Spoken, spoken: Path) -> str:
    """Writes one recording, in the hiss of a quiet room; returns its line."""
    rng = random.Random(f"own words, room {number}")  # noqa: S311 - reproducible draws, not secrets
    samples, characters = load_speech(plan, spoken)
    silence = np.zeros(round(SILENCE * SAMPLE_RATE), np.float32)
    samples = np.concatenate([silence, fade(set_level(samples, rng.uniform(*LEVEL_DB))), silence])
    noise = hiss(len(samples), np.random.default_rng(rng.getrandbits(32)))
    times = [(start + SILENCE, end + SILENCE) for start, end in characters]
    name = f"{number:04}.wav"
    write(folder / name, add_noise(samples, noise, [(times[0][0], times[-1][1])], rng.uniform(*HISS_DB)))
    return sentence_line(name, sentence, plan.voice, times)


def sentence_line(file: str, sentence: Sentence, voice: str, characters: Sequence[tuple[float, float]]) -> str:
    """One line of SENTENCES."""
    fields = {
        "file": file,
        **sentence._asdict(),
        "voice": voice,
        "characters": [[round(start, 3), round(end, 3)] for start, end in characters],
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"

"""How near volume and speech rate come to the truth, on the bundled recordings.

    python bench/manner.py [--model NAME] [--only NAME ...]

The truth of the rate: the syllables of the text that is spoken, over the seconds in which the sound is above the speech
level less 25 dB, pauses shorter than 0.25 s included. The truth of the volume: the active speech level by method B of
ITU-T P.56 (envelope of two exponential averages of 0.03 s, hangover of 0.2 s, margin of 15.9 dB). A row is a recording.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from counter_listener.asr import SpeechModel, find_model
from counter_listener.audio import read_recording
from counter_listener.domain import SAMPLE_RATE
from counter_listener.judging import figures_from, load_matcher
from counter_listener.phrases import split_units
from counter_listener.pipeline import file_source, judge_events

FIXTURES: Final = Path(__file__).parents[1] / "tests" / "fixtures"
LEFT_OUT: Final = ("noise", "truncated", "stereo-44k")
FRAME: Final = 160
BELOW_SPEECH: Final = 25.0
PAUSE: Final = 0.25
TIME_CONSTANT, HANGOVER, MARGIN = 0.03, 0.2, 15.9
"""Of ITU-T P.56, method B: seconds, seconds, decibels."""
Signal = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="counter-cn")
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    model, matcher = SpeechModel(find_model(options.model)), load_matcher("bank-counter")[0]
    errors, differences = [], []
    print("| recording | syllables a second | by the text | error | dBFS | P.56 | difference |")
    print("|---|---|---|---|---|---|---|")
    for name, syllables in spoken_syllables():
        path = FIXTURES / f"{name}.wav"
        if not path.is_file() or name in LEFT_OUT or (options.only and name not in options.only):
            continue
        samples = heard(path)
        level = active_level(samples)
        truth = syllables / speech_seconds(samples, level)
        events = list(judge_events(file_source(path, model), matcher, one_visit=True))
        found = figures_from(events[-1].detail["manner"])
        if found.rate is None or found.level is None:
            print(f"| {name} | not told | {truth:.2f} | | | {level:.1f} | |")
            continue
        errors.append(100 * (found.rate / truth - 1))
        differences.append(found.level - level)
        rate = f"{found.rate:.2f} | {truth:.2f} | {errors[-1]:+.0f} %"
        print(f"| {name} | {rate} | {found.level:.1f} | {level:.1f} | {differences[-1]:+.1f} dB |", flush=True)
    print(f"\nrate: median error {median(errors):+.1f} %, largest {max(errors, key=abs):+.1f} %")
    print(f"volume: median {median(differences):+.1f} dB, largest {max(differences, key=abs):+.1f} dB")


def spoken_syllables() -> Iterator[tuple[str, int]]:
    """Each recording with the number of syllables that are spoken in it."""
    data = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))
    for recording in data["recording"]:
        lines = [line for visit in recording.get("visit", ()) for line in visit["lines"]]
        texts = [line[voice] for line in lines for voice in recording.get("voices", ()) if voice in line]
        yield recording["name"], sum(len(split_units(text)) for text in texts)


def heard(path: Path) -> Signal:
    """The samples of a recording, in 16 kHz, from -1 to 1."""
    chunks = [chunk for chunk in read_recording(path) if isinstance(chunk, bytes)]
    return np.frombuffer(b"".join(chunks), "<i2").astype(np.float64) / 32_768


def active_level(samples: Signal) -> float:
    """The active speech level in dB, by method B of ITU-T P.56."""
    envelope = averaged(averaged(np.abs(samples)))
    power = float(np.square(samples).sum())
    hold = int(HANGOVER * SAMPLE_RATE)
    levels, thresholds = [], []
    for exponent in range(-15, 1):
        threshold = 2.0**exponent
        active = held(envelope >= threshold, hold)
        if not active:
            break
        levels.append(10 * np.log10(power / active))
        thresholds.append(20 * np.log10(threshold))
    margins = [level - threshold for level, threshold in zip(levels, thresholds, strict=True)]
    for number, (before, after) in enumerate(pairwise(margins)):
        if before >= MARGIN > after:
            share = (before - MARGIN) / (before - after)
            return float(levels[number] + share * (levels[number + 1] - levels[number]))
    return float(levels[0])


def averaged(values: Signal) -> Signal:
    """Exponential averages."""
    keep = float(np.exp(-1 / (TIME_CONSTANT * SAMPLE_RATE)))
    made, last = np.empty_like(values), 0.0
    for at, value in enumerate(values.tolist()):
        last = keep * last + (1 - keep) * value
        made[at] = last
    return made


def held(active: NDArray[np.bool_], hold: int) -> int:
    """How many samples are active, or at most `hold` samples after an active one."""
    places = np.flatnonzero(active)
    return int(np.minimum(np.diff(places, append=len(active)), hold + 1).sum()) if places.size else 0


def speech_seconds(samples: Signal, level: float) -> float:
    """Seconds of sound, shorter pauses included."""
    frames = np.square(samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)).mean(axis=1)
    places = np.flatnonzero(frames > 10 ** ((level - BELOW_SPEECH) / 10)) * FRAME / SAMPLE_RATE
    gaps = np.diff(places)
    return float(np.where(gaps < PAUSE, gaps, FRAME / SAMPLE_RATE).sum()) + FRAME / SAMPLE_RATE


if __name__ == "__main__":
    main()

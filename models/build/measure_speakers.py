"""Measures who spoke: `python -m models.build.measure_speakers MODEL SPEAKER_MODEL --sets FOLDER`.

The recordings go through the program's own chain. An utterance belongs to the side that speaks most of it. The figure
is the share of utterances given to the right side, where the program decides for the surest of them (coverage).
With --fit the numbers of counter_listener/judging/voices.json are fitted to the same recordings and written; then each
day is judged with numbers that were fitted to the other half of the days.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, pairwise
from math import log
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from counter_listener.asr import SpeechModel
from counter_listener.domain import CounterListenerError, MatchedItem, MatchedUtterance, StreamItem, Tick, VisitToggle
from counter_listener.judging import ShiftVoices, VoiceScale, advance, fitted_scale, initial_state
from counter_listener.matching import Matcher, match, prepare_matcher
from counter_listener.phrases import read_phrase_set
from counter_listener.pipeline import recognise, recording_source
from models.build.errors import BuildError

PHRASES: Final = Path(__file__).resolve().parents[2] / "phrase_sets" / "bank-counter.toml"
FITTED: Final = Path(__file__).resolve().parents[2] / "counter_listener" / "judging" / "voices.json"
SETS: Final = ("days", "days-noisy", "days-far", "days-people")
COVERAGE: Final = 0.8
BREAK: Final = 15.0
"""Seconds without a line between two visits."""
MIXED: Final = 0.25
"""Share of the speech of an utterance from which the other side also spoke in it."""
LENGTHS: Final = (0.0, 1.0, 2.0, 4.0, float("inf"))
"""Seconds of speech that divide the utterances of the table."""
RIDGE: Final = 1.0
"""Weight of the square of the numbers in a fit."""


@dataclass(frozen=True, slots=True)
class Day:
    """A recording: what was recognised in it, and who spoke when."""

    items: tuple[MatchedItem, ...]
    lines: tuple[tuple[str, str, float, float], ...]
    """Side, voice, start and end of each line."""

    def side(self, start: float, end: float) -> tuple[str, str, float]:
        """Who speaks most between these times: side, voice, share of the other side; empty where nobody does."""
        spoken: dict[str, float] = {}
        voices: dict[str, str] = {}
        for side, voice, first, last in self.lines:
            if (shared := min(end, last) - max(start, first)) > 0:
                spoken[side] = spoken.get(side, 0.0) + shared
                voices[side] = voice
        if not spoken:
            return "", "", 0.0
        most = max(spoken, key=spoken.__getitem__)
        return most, voices[most], 1 - spoken[most] / sum(spoken.values())


@dataclass(frozen=True, slots=True)
class Judged:
    """An utterance, who spoke it, and the probability that it was the clerk."""

    side: str
    other: float
    """Share of its speech that is the other side's."""
    seconds: float
    """Of speech; 0 where there was too little for a vector."""
    odds: float
    """Log-odds, before the calibration, that it was the clerk."""
    probability: float

    @property
    def is_right(self) -> bool:
        return (self.probability > 0.5) == (self.side == "clerk")


def read_days(folder: Path, model: SpeechModel, matcher: Matcher) -> Iterator[Day]:
    """The days of a set, recognised. Raises BuildError."""
    try:
        records = [json.loads(line) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise BuildError(f"{folder} cannot be read ({error}); make it with python -m models.build.sets.") from None
    for record in records:
        lines = tuple(
            (line["speaker"], line["voice"], line["characters"][0][0], line["characters"][-1][1])
            for line in record["lines"]
            if line["characters"]
        )
        source = recording_source(folder / record["file"], model, None, None, skip_silence=True)
        items: Iterable[StreamItem] = recognise(source)
        if folder.name.endswith("people"):  # they say no farewell: a person says where visits begin
            items = with_toggles(items, visit_starts(lines))
        yield Day(tuple(match(items, matcher)), lines)


def visit_starts(lines: Sequence[tuple[str, str, float, float]]) -> list[float]:
    """When each visit begins: after a break."""
    starts, last = [], -BREAK
    for _, _, first, end in lines:
        if first - last >= BREAK:
            starts.append(first)
        last = end
    return starts


def with_toggles(items: Iterable[StreamItem], starts: Sequence[float]) -> Iterator[StreamItem]:
    """The items, with the toggles of a person who opens a visit at each start and closes the one before."""
    waiting = list(starts)
    for item in items:
        at = item.settled if isinstance(item, Tick) else getattr(item, "start", 0.0)
        while waiting and at >= waiting[0] - 1:
            if len(waiting) < len(starts):
                yield VisitToggle(waiting[0] - 1)
            yield VisitToggle(waiting.pop(0) - 0.5)
        yield item


def judge_day(day: Day, matcher: Matcher, scale: VoiceScale) -> Iterator[Judged]:
    """Each utterance with the probability that the clerk said it."""
    state = replace(initial_state(matcher.phrases), voices=ShiftVoices(scale=scale))
    for item in day.items:
        state, _ = advance(state, item)
        if isinstance(item, MatchedUtterance):
            heard = item.utterance
            side, _, other = day.side(heard.start, heard.end)
            probability = state.voices.probability if heard.voice else 0.5
            odds = (log_odds(probability) - scale.offset) / scale.slope if heard.voice else 0.0
            if side:
                yield Judged(side, other, heard.voice.frames / 100 if heard.voice else 0.0, odds, probability)


def log_odds(probability: float) -> float:
    """Of a probability that is neither 0 nor 1."""
    kept = min(1 - 1e-9, max(1e-9, probability))
    return log(kept / (1 - kept))


def figures(judged: Sequence[Judged], coverage: float = COVERAGE) -> dict[str, Any]:
    """The figures of a set."""
    ranked = sorted(judged, key=lambda one: -abs(one.probability - 0.5))
    sure = ranked[: round(coverage * len(ranked))]
    least = max(sure[-1].probability, 1 - sure[-1].probability) if sure else None
    return {
        "utterances": len(judged),
        "clerk": share([one.side == "clerk" for one in judged]),
        "both_speak": share([one.other > MIXED for one in judged]),
        "without_vector": share([not one.seconds for one in judged]),
        "right": share([one.is_right for one in sure]),
        "right_clerk": share([one.is_right for one in sure if one.side == "clerk"]),
        "right_customer": share([one.is_right for one in sure if one.side == "customer"]),
        "right_of_one_voice": share([one.is_right for one in sure if one.other <= MIXED]),
        "right_of_all": share([one.is_right for one in judged]),
        "least": least,
        "by_length": {
            f"{low:g}-{high:g} s": [
                share([one.is_right for one in sure if low <= one.seconds < high]),
                sum(low <= one.seconds < high for one in sure),
            ]
            for low, high in pairwise(LENGTHS)
        },
    }


def share(flags: Sequence[bool]) -> float | None:
    """The share of true ones; None of none."""
    return round(sum(flags) / len(flags), 4) if flags else None


def fit(days: Sequence[Day], matcher: Matcher, scale: VoiceScale) -> VoiceScale:
    """The scale with the odds of the same voice, the calibration and the least probability fitted to days."""
    rows, same = voice_pairs(days)
    bias, cosine, short = logistic(rows, same)
    fitted = replace(scale, bias=bias, cosine=cosine, short=short, slope=1.0, offset=0.0)
    judged = [one for day in days for one in judge_day(day, matcher, fitted) if one.seconds]
    odds = np.array([[1.0, one.odds] for one in judged])
    offset, slope = logistic(odds, np.array([one.side == "clerk" for one in judged]))
    fitted = replace(fitted, slope=max(0.05, slope), offset=offset)
    judged = [one for day in days for one in judge_day(day, matcher, fitted)]
    return replace(fitted, least=round(min(0.98, max(0.8, figures(judged)["least"] or 0.9)), 3))


def voice_pairs(days: Iterable[Day]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Each utterance against what was heard before of each voice of its day: features, and whether it is that voice."""
    rows, same = [], []
    for day in days:
        known: dict[str, tuple[NDArray[np.float64], float]] = {}
        for item in day.items:
            if not isinstance(item, MatchedUtterance) or item.utterance.voice is None:
                continue
            side, voice, other = day.side(item.utterance.start, item.utterance.end)
            if not side or other > MIXED:
                continue
            seconds = item.utterance.voice.frames / 100
            vector = np.array(item.utterance.voice.vector)
            vector /= np.linalg.norm(vector)
            for name, (direction, heard) in known.items():
                cosine = float(vector @ direction / np.linalg.norm(direction))
                rows.append([1.0, cosine, max(0.5, min(seconds, heard)) ** -0.5])
                same.append(name == voice)
            before = known.get(voice, (np.zeros(len(vector)), 0.0))
            known[voice] = (before[0] + seconds * vector, before[1] + seconds)
    return np.array(rows), np.array(same)


def logistic(rows: NDArray[np.float64], right: NDArray[np.bool_]) -> list[float]:
    """The weights of a logistic regression in which both classes weigh the same, by Newton's method."""
    weights = np.zeros(rows.shape[1])
    each = np.where(right, 0.5 / max(1, right.sum()), 0.5 / max(1, (~right).sum())) * len(rows)
    for _ in range(30):
        probability = 1 / (1 + np.exp(-(rows @ weights).clip(-30, 30)))
        gradient = rows.T @ (each * (right - probability)) - RIDGE * weights
        curvature = (rows * (each * probability * (1 - probability))[:, None]).T @ rows
        weights += np.linalg.solve(curvature + RIDGE * np.eye(len(weights)), gradient)
    return [round(float(weight), 4) for weight in weights]


def halves_judged(sets: Mapping[str, Sequence[Day]], matcher: Matcher, scale: VoiceScale) -> dict[str, list[Judged]]:
    """Each day judged with numbers that were fitted to the days of the other half, of all sets."""
    every = list(chain.from_iterable(sets.values()))
    others = [[day for days in sets.values() for day in list(days)[1 - half :: 2]] or every for half in (0, 1)]
    scales = [fit(days, matcher, scale) for days in others]
    return {
        name: [one for number, day in enumerate(days) for one in judge_day(day, matcher, scales[number % 2])]
        for name, days in sets.items()
    }


def write_scale(scale: VoiceScale, target: Path) -> None:
    """Writes the numbers as voices.json holds them."""
    values = asdict(scale)
    groups = {"same": ("bias", "cosine", "short"), "role": ("phrase", "visit", "nobody", "level")}
    table: dict[str, Any] = {name: {key: values[key] for key in keys} for name, keys in groups.items()}
    table["calibration"] = {"slope": scale.slope, "bias": scale.offset}
    table["least"] = scale.least
    target.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 if all was measured, 1 with an error message if not."""
    parser = argparse.ArgumentParser(prog="python -m models.build.measure_speakers", description=__doc__)
    parser.add_argument("model", type=Path, help="folder of a speech model")
    parser.add_argument("speaker_model", type=Path, help="folder of a speaker model")
    parser.add_argument("--sets", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS), help="sets to measure")
    parser.add_argument("--coverage", type=float, default=COVERAGE, help="share of the utterances that are decided")
    parser.add_argument("--fit", action="store_true", help="fit the numbers of voices.json and write them")
    parser.add_argument("--out", type=Path, help="write the figures to this file (JSON)")
    options = parser.parse_args(arguments)
    try:
        phrases, _ = read_phrase_set(PHRASES)
        matcher = prepare_matcher(phrases)
        model = SpeechModel(options.model, options.speaker_model)
        sets = {name: list(read_days(options.sets / name, model, matcher)) for name in options.only}
        scale = fitted_scale()
        if options.fit:
            judged = halves_judged(sets, matcher, scale)
            write_scale(fit(list(chain.from_iterable(sets.values())), matcher, scale), FITTED)
        else:
            judged = {
                name: [one for day in days for one in judge_day(day, matcher, scale)] for name, days in sets.items()
            }
        found = {name: figures(each, options.coverage) for name, each in judged.items()}
        found["all"] = figures(list(chain.from_iterable(judged.values())), options.coverage)
    except (BuildError, CounterListenerError) as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps(found, indent=1, ensure_ascii=False)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

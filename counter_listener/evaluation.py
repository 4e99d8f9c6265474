"""Finds phrases in labelled speech, by ours and by the baselines, ready to be scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from counter_listener.audio import blocks, in_bursts, read_recording
from counter_listener.baselines import BASELINES, Baseline, find_with, prepare_baseline
from counter_listener.batch import Ears
from counter_listener.findings import Heard
from counter_listener.inputs import is_transcript
from counter_listener.labels import Label
from counter_listener.matching import Matcher, match
from counter_listener.pipeline import timed
from counter_listener.recognizer import VoskRecognizer, transcribe
from counter_listener.scoring import File, Found, Method, Said, best, curve, scored
from counter_listener.transcripts import read_transcript
from counter_listener.types import Gap, Tick, Utterance

OURS: Final = "ours"
NAMES: Final[Mapping[Baseline, str]] = {
    "exact": "exact text",
    "characters": "rapidfuzz, characters",
    "pinyin": "rapidfuzz, pinyin",
}

Item = Utterance | Gap | Tick


@dataclass(frozen=True, slots=True)
class Case:
    """One file as it was recognised, and what was said in it."""

    name: str
    seconds: float
    items: tuple[Item, ...]
    """Utterances with time passing between them, as the matcher is told them."""
    said: tuple[Said, ...]

    @property
    def utterances(self) -> Iterator[Utterance]:
        return (item for item in self.items if isinstance(item, Utterance))

    @property
    def losses(self) -> list[str]:
        """What of it could not be read."""
        return [item.reason for item in self.items if isinstance(item, Gap)]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How ours and the baselines did on the same cases."""

    seconds: float
    """Of all cases together."""
    ours: Method
    """With the matcher's own settings."""
    baselines: tuple[Method, ...] = ()
    """Each at the threshold that is best for it on these very cases."""
    curves: Mapping[str, Sequence[Method]] = field(default_factory=dict)
    """Every method at all its thresholds, by name; of ours, from its own line up."""


def hear(label: Label, ears: Ears, progress: Callable[[float], None] | None = None) -> Case:
    """A labelled file, recognised; a transcript is read as it is. `progress` is told the seconds read so far.

    Raises AudioError, TranscriptError, ModelError.
    """
    return Case(str(label.path), label.seconds, tuple(_items(label.path, ears, progress)), label.said)


def _items(path: Path, ears: Ears, progress: Callable[[float], None] | None) -> Iterator[Item]:
    if is_transcript(path):
        return timed(read_transcript(path))
    recognizer = VoskRecognizer(ears.model)
    return transcribe(blocks(in_bursts(read_recording(path, progress))), recognizer)


def found_by_ours(case: Case, matcher: Matcher) -> list[Found]:
    """What the matcher finds of phrases and offences, by `say` and `shared` wordings alike, whoever spoke."""
    heard = (item for item in match(case.items, matcher) if isinstance(item, Heard))
    hits = (hit for item in heard for hit in (*item.findings.phrases, *item.findings.offences))
    return [Found(hit.owner, hit.start, hit.end, hit.score) for hit in hits]


def files_by(kind: Baseline, cases: Iterable[Case], matcher: Matcher) -> list[File]:
    """What a baseline finds in each case, beside what was said."""
    wordings = prepare_baseline(kind, matcher.phrases)
    return [(case.said, [hit for one in case.utterances for hit in find_with(wordings, one)]) for case in cases]


def evaluate(cases: Sequence[Case], matcher: Matcher, kinds: Sequence[Baseline] = BASELINES) -> Evaluation:
    """Ours with its own settings, and each baseline at its best threshold, on the same cases."""
    seconds = sum(case.seconds for case in cases)
    files = [(case.said, found_by_ours(case, matcher)) for case in cases]
    curves = {OURS: curve(OURS, files)}
    for kind in kinds:
        curves[NAMES[kind]] = curve(NAMES[kind], files_by(kind, cases, matcher))
    baselines = tuple(best(methods) for name, methods in curves.items() if name != OURS)
    return Evaluation(seconds, scored(OURS, files), baselines, curves)

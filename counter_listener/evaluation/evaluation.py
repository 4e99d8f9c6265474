"""Finds phrases in labelled recordings with our matcher and with the baselines, and compares them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from counter_listener.asr import SpeechModel
from counter_listener.domain import N_, Gap, Hit, MatchedUtterance, StreamItem, Utterance
from counter_listener.evaluation.baselines import BASELINES, Baseline, Wordings, find_baseline, prepare_baseline
from counter_listener.evaluation.labels import Label
from counter_listener.evaluation.scoring import (
    Detection,
    LabelledPhrase,
    MethodScore,
    best_threshold,
    score_method,
    threshold_curve,
)
from counter_listener.matching import Matcher
from counter_listener.pipeline import Progress, file_source, find_phrases, recognise

OURS: Final = N_("ours")
BASELINE_NAMES: Final[Mapping[Baseline, str]] = {
    "exact": N_("exact text"),
    "characters": N_("rapidfuzz, characters"),
    "pinyin": N_("rapidfuzz, pinyin"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled file after recognition."""

    name: str
    seconds: float
    items: tuple[StreamItem, ...]
    """Utterances, gaps and ticks, as the matcher receives them."""
    phrases: tuple[LabelledPhrase, ...]

    @property
    def utterances(self) -> Iterator[Utterance]:
        return (item for item in self.items if isinstance(item, Utterance))

    @property
    def losses(self) -> list[str]:
        """The reasons of its gaps."""
        return [item.reason for item in self.items if isinstance(item, Gap)]


@dataclass(frozen=True, slots=True)
class Finders:
    """Our matcher and the baselines, prepared for one phrase set."""

    matcher: Matcher
    baselines: tuple[Wordings, ...]


@dataclass(frozen=True, slots=True)
class FileDetections:
    """What every method found in one file, and its labels; small, however long the file is."""

    seconds: float
    phrases: tuple[LabelledPhrase, ...]
    found: Mapping[str, Sequence[Detection]]
    """By the name of the method."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of our matcher and of the baselines on the same files."""

    seconds: float
    """Of all files together."""
    ours: MethodScore
    """With the settings of the phrase set."""
    baselines: tuple[MethodScore, ...]
    """Each at its best threshold on these files."""
    curves: Mapping[str, Sequence[MethodScore]]
    """Every method at all its thresholds, by name; ours begins at the thresholds of the phrase set."""

    @property
    def methods(self) -> tuple[MethodScore, ...]:
        return (*self.baselines, self.ours)


def prepare_finders(matcher: Matcher, kinds: Iterable[Baseline] = BASELINES) -> Finders:
    """Our matcher, and these baselines for its phrase set."""
    return Finders(matcher, tuple(prepare_baseline(kind, matcher.phrases) for kind in kinds))


def load_case(label: Label, model: SpeechModel, progress: Progress | None = None, *, skip_silence: bool = True) -> Case:
    """Recognise a labelled file. Raises AudioError, TranscriptError, ModelError."""
    items = recognise(file_source(label.path, model, skip_silence=skip_silence, progress=progress))
    return Case(str(label.path), label.seconds, tuple(items), label.phrases)


def matcher_hits(case: Case, matcher: Matcher) -> list[Hit]:
    """The phrases and offences that the matcher finds, by `say` and `shared` wordings, for any speaker."""
    matched = (item.findings for item in find_phrases(case.items, matcher) if isinstance(item, MatchedUtterance))
    asides = {aside.id for aside in matcher.phrases.aside}
    every = (hit for findings in matched for hit in (*findings.phrases, *findings.offences))
    return [hit for hit in every if hit.owner not in asides]


def as_detection(hit: Hit) -> Detection:
    """A hit, in the form that is scored."""
    return Detection(hit.owner, hit.start, hit.end, hit.score)


def run_finders(case: Case, finders: Finders) -> FileDetections:
    """Run every method on one case."""
    found = {OURS: [as_detection(hit) for hit in matcher_hits(case, finders.matcher)]}
    for wordings in finders.baselines:
        name = BASELINE_NAMES[wordings.kind]
        found[name] = [hit for utterance in case.utterances for hit in find_baseline(wordings, utterance)]
    return FileDetections(case.seconds, case.phrases, found)


def evaluate(files: Sequence[FileDetections]) -> Evaluation:
    """Score our matcher, and each baseline at its best threshold, over at least one file."""
    by_method = {name: [(file.phrases, file.found[name]) for file in files] for name in files[0].found}
    curves = {name: threshold_curve(name, method_files) for name, method_files in by_method.items()}
    baselines = tuple(best_threshold(methods) for name, methods in curves.items() if name != OURS)
    seconds = sum(file.seconds for file in files)
    return Evaluation(seconds, score_method(OURS, by_method[OURS]), baselines, curves)

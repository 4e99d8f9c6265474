"""Finds phrases in labelled speech, by ours and by the baselines, ready to be scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from counter_listener.asr import SpeechModel
from counter_listener.domain import N_, Gap, Hit, MatchedUtterance, StreamItem, Utterance
from counter_listener.evaluation.baselines import BASELINES, Baseline, Wordings, find_with, prepare_baseline
from counter_listener.evaluation.labels import Label
from counter_listener.evaluation.scoring import Detection, LabelledPhrase, MethodScore, best, curve, score_method
from counter_listener.matching import Matcher
from counter_listener.pipeline import Progress, file_source, find_phrases, recognise

OURS: Final = N_("ours")
NAMES: Final[Mapping[Baseline, str]] = {
    "exact": N_("exact text"),
    "characters": N_("rapidfuzz, characters"),
    "pinyin": N_("rapidfuzz, pinyin"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One file as it was recognised, and what was said in it."""

    name: str
    seconds: float
    items: tuple[StreamItem, ...]
    """Utterances with time passing between them, as the matcher is told them."""
    said: tuple[LabelledPhrase, ...]

    @property
    def utterances(self) -> Iterator[Utterance]:
        return (item for item in self.items if isinstance(item, Utterance))

    @property
    def losses(self) -> list[str]:
        """What of it could not be read."""
        return [item.reason for item in self.items if isinstance(item, Gap)]


@dataclass(frozen=True, slots=True)
class Finders:
    """Ours and the baselines, ready to find."""

    matcher: Matcher
    baselines: tuple[Wordings, ...]


@dataclass(frozen=True, slots=True)
class FileDetections:
    """What every finder found in one case, beside what was said: small, however long the case."""

    seconds: float
    said: tuple[LabelledPhrase, ...]
    found: Mapping[str, Sequence[Detection]]
    """By the name of the finder."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How ours and the baselines did on the same cases."""

    seconds: float
    """Of all cases together."""
    ours: MethodScore
    """With the matcher's own settings."""
    baselines: tuple[MethodScore, ...]
    """Each at the threshold that is best for it on these very cases."""
    curves: Mapping[str, Sequence[MethodScore]]
    """Every finder at all its thresholds, by name; of ours, from its own line up."""

    @property
    def methods(self) -> tuple[MethodScore, ...]:
        return (*self.baselines, self.ours)


def finders(matcher: Matcher, kinds: Iterable[Baseline] = BASELINES) -> Finders:
    """Ours and the asked baselines for the matcher's phrase set."""
    return Finders(matcher, tuple(prepare_baseline(kind, matcher.phrases) for kind in kinds))


def load_case(label: Label, model: SpeechModel, progress: Progress | None = None, *, skip_silence: bool = True) -> Case:
    """A labelled file after recognition. Raises AudioError, TranscriptError, ModelError."""
    items = recognise(file_source(label.path, model, skip_silence=skip_silence, progress=progress))
    return Case(str(label.path), label.seconds, tuple(items), label.said)


def matcher_hits(case: Case, matcher: Matcher) -> list[Hit]:
    """What the matcher finds of phrases and offences, by `say` and `shared` wordings alike, whoever spoke."""
    heard = (item.findings for item in find_phrases(case.items, matcher) if isinstance(item, MatchedUtterance))
    return [hit for findings in heard for hit in (*findings.phrases, *findings.offences)]


def as_found(hit: Hit) -> Detection:
    """A hit, as it is scored."""
    return Detection(hit.owner, hit.start, hit.end, hit.score)


def run_finders(case: Case, asked: Finders) -> FileDetections:
    """Every finder tried on one case."""
    found = {OURS: [as_found(hit) for hit in matcher_hits(case, asked.matcher)]}
    for wordings in asked.baselines:
        found[NAMES[wordings.kind]] = [hit for one in case.utterances for hit in find_with(wordings, one)]
    return FileDetections(case.seconds, case.said, found)


def evaluate(trials: Sequence[FileDetections]) -> Evaluation:
    """Ours with its own settings, and each baseline at its best threshold. Needs one trial at least."""
    files = {name: [(one.said, one.found[name]) for one in trials] for name in trials[0].found}
    curves = {name: curve(name, held) for name, held in files.items()}
    baselines = tuple(best(methods) for name, methods in curves.items() if name != OURS)
    return Evaluation(sum(one.seconds for one in trials), score_method(OURS, files[OURS]), baselines, curves)

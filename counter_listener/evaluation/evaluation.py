"""Finds phrases in labelled speech, by ours and by the baselines, ready to be scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from counter_listener.asr import Ears
from counter_listener.domain import N_, Gap, Heard, Hit, Recognised, Utterance
from counter_listener.evaluation.baselines import BASELINES, Baseline, Wordings, find_with, prepare_baseline
from counter_listener.evaluation.labels import Label
from counter_listener.evaluation.scoring import Found, Method, Said, best, curve, scored
from counter_listener.matching import Matcher, match
from counter_listener.pipeline import hear as recognised

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
    items: tuple[Recognised, ...]
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
class Finders:
    """Ours and the baselines, ready to find."""

    matcher: Matcher
    baselines: tuple[Wordings, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What every finder found in one case, beside what was said: small, however long the case."""

    seconds: float
    said: tuple[Said, ...]
    found: Mapping[str, Sequence[Found]]
    """By the name of the finder."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How ours and the baselines did on the same cases."""

    seconds: float
    """Of all cases together."""
    ours: Method
    """With the matcher's own settings."""
    baselines: tuple[Method, ...]
    """Each at the threshold that is best for it on these very cases."""
    curves: Mapping[str, Sequence[Method]]
    """Every finder at all its thresholds, by name; of ours, from its own line up."""

    @property
    def methods(self) -> tuple[Method, ...]:
        return (*self.baselines, self.ours)


def finders(matcher: Matcher, kinds: Iterable[Baseline] = BASELINES) -> Finders:
    """Ours and the asked baselines for the matcher's phrase set."""
    return Finders(matcher, tuple(prepare_baseline(kind, matcher.phrases) for kind in kinds))


def hear(label: Label, ears: Ears, progress: Callable[[float], None] | None = None) -> Case:
    """A labelled file, recognised; a transcript is read as it is. `progress` is told the seconds read so far.

    Raises AudioError, TranscriptError, ModelError.
    """
    return Case(str(label.path), label.seconds, tuple(recognised(label.path, ears, progress)), label.said)


def hits(case: Case, matcher: Matcher) -> list[Hit]:
    """What the matcher finds of phrases and offences, by `say` and `shared` wordings alike, whoever spoke."""
    heard = (item.findings for item in match(case.items, matcher) if isinstance(item, Heard))
    return [hit for findings in heard for hit in (*findings.phrases, *findings.offences)]


def as_found(hit: Hit) -> Found:
    """A hit, as it is scored."""
    return Found(hit.owner, hit.start, hit.end, hit.score)


def tried(case: Case, asked: Finders) -> Trial:
    """Every finder tried on one case."""
    found = {OURS: [as_found(hit) for hit in hits(case, asked.matcher)]}
    for wordings in asked.baselines:
        found[NAMES[wordings.kind]] = [hit for one in case.utterances for hit in find_with(wordings, one)]
    return Trial(case.seconds, case.said, found)


def evaluate(trials: Sequence[Trial]) -> Evaluation:
    """Ours with its own settings, and each baseline at its best threshold. Needs one trial at least."""
    files = {name: [(one.said, one.found[name]) for one in trials] for name in trials[0].found}
    curves = {name: curve(name, held) for name, held in files.items()}
    baselines = tuple(best(methods) for name, methods in curves.items() if name != OURS)
    return Evaluation(sum(one.seconds for one in trials), scored(OURS, files[OURS]), baselines, curves)

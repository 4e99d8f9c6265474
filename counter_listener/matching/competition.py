"""Owed and forbidden wordings compete for an utterance: of candidates that overlap, the better ones stay."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from counter_listener.domain import Role
from counter_listener.matching.scoring import Candidate
from counter_listener.matching.syllables import Syllables

COMPETING: Final[frozenset[Role]] = frozenset({"phrase", "forbidden"})


def select_best(candidates: Iterable[Candidate], syllables: Syllables) -> list[Candidate]:
    """The candidates that together have the greatest value, none overlapping, in order of time.

    Weighted interval scheduling: the value of a candidate, and of the best ones that end before it begins.
    """
    ranked = sorted(candidates, key=lambda candidate: (candidate.last, candidate.first, candidate.pattern.wording))
    lasts = [candidate.last for candidate in ranked]
    best: list[tuple[float, Candidate | None, int]] = [(0.0, None, 0)]
    for number, candidate in enumerate(ranked):
        before = bisect_right(lasts, candidate.first, 0, number)
        total = best[before][0] + max(1.0, candidate.value) - candidate.tone_penalty(syllables)
        best.append((total, candidate, before) if total > best[-1][0] else (best[-1][0], None, number))
    selected, number = list[Candidate](), len(ranked)
    while number:
        _, chosen, number = best[number]
        if chosen is not None:
            selected.append(chosen)
    return selected[::-1]


def free_spans(span: tuple[int, int], taken: Iterable[Candidate]) -> list[tuple[int, int]]:
    """The parts of a span that these candidates leave."""
    free, begin = [], span[0]
    for first, last in sorted((candidate.first, candidate.last) for candidate in taken):
        if first > begin:
            free.append((begin, first))
        begin = max(begin, last)
    return [*free, (begin, span[1])] if begin < span[1] else free


@dataclass(slots=True)
class CompetingCandidates:
    """The competing candidates of one segment so far. Ask for the wordings with the highest upper bounds first."""

    span: tuple[int, int]
    found: list[tuple[float, Candidate]] = field(default_factory=list)
    """Each with the highest upper bound of a wording that it leaves no room for."""

    def add(self, candidate: Candidate) -> None:
        """Adds a candidate."""
        # One with uncertain ends may lose to two others, each worth less and together more: 请您慢走 with two syllables
        # inside is 请拿好 and 您慢走.
        self.found.append((candidate.value if candidate.has_certain_ends else candidate.value / 2, candidate))

    def free_for(self, min_units: int, upper_bound: float) -> list[tuple[int, int]]:
        """The spans where a wording of at least so many units, of at most this value, can still win."""
        if not self.found:
            return [self.span]
        better = [candidate for value, candidate in self.found if value >= upper_bound]
        if not any(last - first >= min_units for first, last in free_spans(self.span, better)):
            return []
        return free_spans(self.span, (candidate for candidate in better if candidate.has_certain_ends))

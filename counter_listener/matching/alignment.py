"""Aligns all templates with a stretch of an utterance at once: the score of the best way to say each, and where.

Semi-global alignment (S. B. Needleman and C. D. Wunsch, Journal of Molecular Biology 48, 1970) of an acyclic automaton
(C. Lee, C. Grasso, M. F. Sharlow, Bioinformatics 18, 2002: partial order alignment). A score is a log-likelihood ratio
in bits, so the more of a sentence is there, the higher it is. It may begin and end anywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from counter_listener.domain import Role
from counter_listener.matching.automata import Automaton, Entry, Level
from counter_listener.matching.confusion import confusion_model
from counter_listener.matching.syllables import UNALIGNED, Alignment, Step, Syllables
from counter_listener.matching.words import MAX_SPAN, NEVER, Floats, Ints
from counter_listener.phrases import pronounce

MAX_TEMPLATES: Final = 10
"""Alignments of one phrase that are traced back: a bound on the work."""
MAX_TRACED: Final = 120
"""Templates of a stretch that are traced back, the best first."""
ALMOST_EXACT: Final = 0.9
"""Share of the full score from which no other template of a phrase can say more."""
MAX_PEAKS: Final = 24
"""Places in a stretch at which one template is traced back: a bound on the work."""
SLOT_SCORE: Final = -0.1
"""Bits of a syllable in a slot: a slot is as short as it may be."""
TOLERANCE: Final = 1e-3
"""Bits by which equal sums of 32-bit numbers may differ."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of an utterance with the scores of the words of an automaton. Positions count from `begin`."""

    automaton: Automaton
    syllables: Syllables
    begin: int
    size: int
    units: Floats
    """Units of the automaton by positions: bits."""
    rows: Ints
    """For each variant: its row in `scores`; 0 for those of which too little is there."""
    margins: Floats
    """The margins of variants that begin at each position; NEVER where they cannot. The first row is all NEVER."""
    insertions: Floats
    """The sum of the scores of insertions up to each position."""
    exact: bool
    """Whether nothing may be inserted."""


@dataclass(frozen=True, slots=True)
class Part:
    """The states and arcs of some entries of an automaton, numbered anew."""

    entries: tuple[Entry, ...]
    finals: NDArray[np.intp]
    sources: NDArray[np.intp]
    sets: NDArray[np.intp]
    firsts: NDArray[np.intp]
    """For each state: the first arc that ends there; the last number is the end."""
    levels: tuple[Level, ...]


def make_stretch(automaton: Automaton, syllables: Syllables, begin: int, end: int, *, exact: bool = False) -> Stretch:
    """The scores of all words; `exact` allows nothing but the same characters."""
    words, model = automaton.words, confusion_model()
    heard = np.array([model.row(sound) for sound in syllables.sounds[begin:end]], np.int32)
    characters = np.array([words.characters.get(unit, -1) for unit in syllables.units[begin:end]], np.int32)
    other = NEVER if exact else model.scores[words.unit_sounds[:, None], heard]
    units = np.where(words.unit_characters[:, None] == characters, words.unit_bits[:, None], other).astype(np.float32)
    rows, margins = _variant_margins(automaton, units, exact=exact)
    sums = np.concatenate([[0.0], np.cumsum(syllables.insertion_scores[begin:end])]).astype(np.float32)
    return Stretch(automaton, syllables, begin, end - begin, units, rows, margins, sums, exact)


def _variant_margins(automaton: Automaton, units: Floats, *, exact: bool) -> tuple[Ints, Floats]:
    """The rows and margins of a Stretch. The margin of a word is its bits above the least share of its full score."""
    words, size = automaton.words, units.shape[1]
    surplus = units - automaton.min_share * words.unit_bits[:, None]
    best = np.append(surplus.max(axis=1, initial=NEVER), np.float32(0.0))  # the last is for -1: no unit
    bound = words.lost + best[words.units[0]]
    for column in words.units[1:]:
        bound += best[column]
    fits = (bound >= words.floors) & (words.spans <= size)
    if exact:
        fits &= words.lost == 0
    promising = np.flatnonzero(fits).astype(np.int32)
    rows = np.zeros(len(words.variants), np.int32)
    rows[promising] = np.arange(1, len(promising) + 1)
    margins = np.full((len(promising) + 1, size + 1), NEVER, np.float32)
    for span in range(1, MAX_SPAN + 1):
        chosen = promising[words.spans[promising] == span]
        if len(chosen):
            places = size - span + 1
            total = surplus[words.units[0, chosen], :places] + words.lost[chosen, None]
            for at in range(1, span):
                total += surplus[words.units[at, chosen], at : at + places]
            margins[rows[chosen], :places] = total
    return rows, margins


def align_all(stretch: Stretch) -> Iterator[Alignment]:
    """The best alignments of all templates with enough of their full score; those of one template do not overlap.

    Of a phrase that was found almost to the letter, no other template that ends there is traced back.
    """
    automaton = stretch.automaton
    if not (stretch.size and len(automaton.entries)):
        return
    groups, best = _group_margins(stretch)
    admitted = _admitted(stretch, groups, best)
    if not admitted.any():
        return
    part = _restrict(automaton, admitted)
    tracer = _Tracer(stretch, part, *_forward(stretch, part, groups, best))
    tops = (tracer.rows[part.finals, MAX_SPAN:] + stretch.insertions).max(axis=1)
    found = dict[tuple[Role, frozenset[str]], list[Alignment]]()
    for at in np.argsort(-tops, kind="stable")[:MAX_TRACED]:
        if tops[at] < automaton.min_margin:
            return
        entry = part.entries[at]
        known = found.setdefault((entry.role, entry.owners), [])
        if len(known) < MAX_TEMPLATES:
            context = entry.role == "frame"  # one that stands inside an offence must not hide the one after it
            for alignment in tracer.alignments(entry, int(part.finals[at]), () if context else known):
                known.append(alignment)
                yield alignment


def _group_margins(stretch: Stretch) -> tuple[Ints, Floats]:
    """The groups (words of one set with one span) that are there, and for each the best margin at each position."""
    words = stretch.automaton.words
    there = np.sort(words.members_of.of(np.flatnonzero(stretch.rows)))
    groups = words.member_groups[there]
    firsts = np.flatnonzero(np.diff(groups, prepend=-1))
    if not len(firsts):
        return groups, np.empty((0, stretch.size + 1), np.float32)
    return groups[firsts], np.maximum.reduceat(stretch.margins[stretch.rows[words.members[there]]], firsts)


def _admitted(stretch: Stretch, groups: Ints, best: Floats) -> NDArray[np.bool_]:
    """For each entry: whether some way through it can have the least margin, wherever its words are."""
    automaton, words = stretch.automaton, stretch.automaton.words
    gains = _deletion(stretch) if stretch.exact else np.maximum(words.deletion, words.substitution)
    gains[words.slots[:, 1] > 0] = 0.0
    np.maximum.at(gains, words.group_sets[groups], best.max(axis=1, initial=NEVER))
    reached = np.zeros(len(automaton.states_of.values), np.float32)
    arcs = gains[automaton.sets]
    for level in automaton.levels:
        values = reached[automaton.sources[level.arcs]] + arcs[level.arcs]
        reached[level.states] = np.maximum.reduceat(values, level.offsets)
    return reached[automaton.finals] >= automaton.min_margin


def _deletion(stretch: Stretch) -> Floats:
    """For each word set: the margin of hearing none of its words."""
    deletion = stretch.automaton.words.deletion
    return np.where(deletion < 0, NEVER, deletion).astype(np.float32) if stretch.exact else deletion


def _restrict(automaton: Automaton, admitted: NDArray[np.bool_]) -> Part:
    """The automaton of the admitted entries alone."""
    chosen = np.flatnonzero(admitted)
    arcs, states = np.sort(automaton.arcs_of.of(chosen)), np.sort(automaton.states_of.of(chosen))

    def renumbered(known: NDArray[np.integer]) -> NDArray[np.intp]:
        return np.searchsorted(states, known)

    targets = renumbered(automaton.targets[arcs])
    levels = []
    firsts = np.concatenate([[0], np.cumsum(np.bincount(targets, minlength=len(states)))])
    edges = np.searchsorted(states, automaton.level_edges)
    for low, high in pairwise(edges.tolist()):
        if low < high:
            first, last = int(firsts[low]), int(firsts[high])
            levels.append(Level(slice(first, last), slice(low, high), firsts[low:high] - first))
    return Part(
        entries=tuple(automaton.entries[number] for number in chosen),
        finals=renumbered(automaton.finals[chosen]),
        sources=renumbered(automaton.sources[arcs]),
        sets=automaton.sets[arcs],
        firsts=firsts,
        levels=tuple(levels),
    )


def _forward(stretch: Stretch, part: Part, groups: Ints, best: Floats) -> tuple[Floats, NDArray[np.intp], Floats]:
    """The margins of all ways through a part: the table of its words, for each arc its row there, and for each state
    and position the best margin of having come there. The positions begin at column MAX_SPAN.

    All margins are less the insertions up to their position: then an insertion costs nothing, and is a running maximum.
    """
    used, which = np.unique(part.sets, return_inverse=True)
    table = _span_table(stretch, used, groups, best)
    size, width = stretch.size + 1, stretch.size + 1 + MAX_SPAN
    rows = np.full((len(part.firsts) - 1, width), NEVER, np.float32)
    rows[: part.levels[0].states.start, MAX_SPAN:] = -stretch.insertions
    for level in part.levels:
        came = rows.take(part.sources[level.arcs], axis=0)
        # The same rows once for each span, each time shifted by one position.
        shifted = np.ndarray((MAX_SPAN + 1, len(came), size), np.float32, came, 0, (4, 4 * width, 4))
        values = (shifted + table.take(which[level.arcs], axis=1)).max(axis=0)
        found, target = np.maximum.reduceat(values, level.offsets), rows[level.states, MAX_SPAN:]
        if stretch.exact:
            target[:] = found
        else:
            np.maximum.accumulate(found, axis=1, out=target)
    return table, which, rows


def _span_table(stretch: Stretch, used: NDArray[np.intp], groups: Ints, best: Floats) -> Floats:
    """For each span from MAX_SPAN down to 0, each word set used, and each position where it ends: the best margin, less
    the insertions in that span.
    """
    words, size, sums = stretch.automaton.words, stretch.size, stretch.insertions
    table = np.full((MAX_SPAN + 1, len(used), size + 1), NEVER, np.float32)
    table[MAX_SPAN] = _deletion(stretch)[used, None]
    numbers = np.full(len(words.deletion), -1, np.int32)
    numbers[used] = np.arange(len(used))
    sets, spans, slots = numbers[words.group_sets[groups]], words.group_spans[groups], words.slots[used]
    for span in range(1, min(MAX_SPAN, size) + 1):
        chosen = np.flatnonzero((spans == span) & (sets >= 0))
        row = table[MAX_SPAN - span]
        row[sets[chosen], span:] = best[chosen, : size + 1 - span]
        if span == 1 and not stretch.exact:
            np.maximum(row[:, 1:], words.substitution[used, None], out=row[:, 1:])
        row[(slots[:, 0] <= span) & (span <= slots[:, 1]), span:] = SLOT_SCORE * span
        row[:, span:] += sums[: size + 1 - span] - sums[span:]
    return table


@dataclass(frozen=True, slots=True)
class _Tracer:
    """Finds the way that led to a score."""

    stretch: Stretch
    part: Part
    table: Floats
    which: NDArray[np.intp]
    rows: Floats

    def alignments(self, entry: Entry, final: int, known: Sequence[Alignment]) -> Iterator[Alignment]:
        """The best alignments of one entry, none overlapping; `known` are those of the same phrase."""
        row = self.rows[final, MAX_SPAN:] + self.stretch.insertions
        padded = np.concatenate([[NEVER], row, [NEVER]])
        peaks = (row >= self.stretch.automaton.min_margin) & (row >= padded[:-2]) & (row >= padded[2:])
        ends = np.flatnonzero(peaks)
        done = {one.last for one in known if one.bits >= ALMOST_EXACT * one.full}
        taken: list[tuple[int, int]] = []
        for end in ends[np.argsort(-row[ends], kind="stable")][:MAX_PEAKS].tolist():
            at = self.stretch.begin + end
            if at in done or any(first < at <= last for first, last in taken):
                continue
            found = self._alignment(entry, final, end)
            if found and not any(found.first < last and first < found.last for first, last in taken):
                taken.append((found.first, found.last))
                yield found

    def _alignment(self, entry: Entry, final: int, end: int) -> Alignment | None:
        steps, choices = self._trace(final, end)
        heard = [step.partner for step in steps if step.unit and step.partner != UNALIGNED]
        if not heard:
            return None
        full = sum(step.full for step in steps)
        margin = float(self.rows[final, MAX_SPAN + end] + self.stretch.insertions[end])
        bits = margin + self.stretch.automaton.min_share * full
        return Alignment(entry, self.stretch.syllables, heard[0], heard[-1] + 1, bits, full, choices, tuple(steps))

    def _trace(self, state: int, at: int) -> tuple[list[Step], float]:
        """The steps that lead to a state at a position, and the bits of the choices among words."""
        steps, choices, table = list[Step](), 0.0, self.stretch.automaton.words
        sources, rows, starts = self.part.sources, self.rows, self.part.levels[0].states.start
        while state >= starts:
            if (
                not self.stretch.exact
                and at
                and rows[state, MAX_SPAN + at - 1] >= rows[state, MAX_SPAN + at] - TOLERANCE
            ):
                at -= 1
                continue
            first, last = self.part.firsts[state], self.part.firsts[state + 1]
            window = rows[sources[first:last], at : at + MAX_SPAN + 1] + self.table[:, self.which[first:last], at].T
            arc, column = divmod(int(window.argmax()), MAX_SPAN + 1)
            span, words = MAX_SPAN - column, int(self.part.sets[first + arc])
            steps[:0] = self._steps(words, at - span, span)
            choices += float(table.choices[words]) if span else 0.0
            state, at = int(sources[first + arc]), at - span
        return steps, choices

    def _steps(self, words: int, at: int, span: int) -> list[Step]:
        """The syllables of one arc that takes `span` syllables from a position on."""
        table, begin = self.stretch.automaton.words, self.stretch.begin
        if table.slots[words, 1] and span:
            return [Step("", "", begin + at + k, SLOT_SCORE, 0.0) for k in range(span)]
        model = confusion_model()
        if not span:
            lost = table.cheapest[words]
            return [
                Step(unit, sound, UNALIGNED, model.deletion(unit), model.full_bits((sound,))) for unit, sound in lost
            ]
        members = table.members[table.offsets[words] : table.offsets[words + 1]]
        members = members[table.spans[members] == span]
        margins = self.stretch.margins[self.stretch.rows[members], at]
        number = members[int(margins.argmax())]
        variant, units = table.variants[number], table.units[:, number]
        bits = self.stretch.units[units[:span], range(at, at + span)].tolist()
        steps = [
            Step(unit, sound, begin + at + k, bits[k], model.full_bits((sound,)))
            for k, (unit, sound) in enumerate(zip(variant.word, variant.sounds, strict=True))
        ]
        for unit in variant.lost:
            (sound,) = pronounce((unit,))
            steps.insert(variant.lost_at, Step(unit, sound, UNALIGNED, model.deletion(unit), model.full_bits((sound,))))
        return steps

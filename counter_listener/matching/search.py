"""Searches an utterance for the candidates of all wordings, before contexts and rules are applied."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate
from math import inf
from typing import Final

from counter_listener.domain import Role
from counter_listener.matching.alignment import OTHER_CHARACTER_COST, CostCache, align, align_contiguous
from counter_listener.matching.competition import COMPETING, CompetingCandidates, free_spans, select_best
from counter_listener.matching.confusion import parameters
from counter_listener.matching.index import Segment, make_segment, shortlist
from counter_listener.matching.matcher import Matcher
from counter_listener.matching.misrecognition import extended_allowance
from counter_listener.matching.patterns import ROUNDING, Pattern
from counter_listener.matching.scoring import Candidate, score_alignment
from counter_listener.matching.syllables import Syllables

SPANNING: Final[frozenset[Role]] = frozenset({"phrase", "forbidden", "not_in"})
"""Roles that may begin in the previous utterance. A rule is about one clause; a context counts from there anyway."""
MIN_FREE_UNITS: Final = 2
"""Units between two hits from which another wording may stand there."""
MAX_CACHED_UTTERANCES: Final = 8_192
"""Utterances in the cache of a matcher: 30 MB at most."""


def search_candidates(matcher: Matcher, syllables: Syllables) -> tuple[Candidate, ...]:
    """All accepted candidates, overlapping ones included, without those that are parts of longer words."""
    cache = matcher.cache
    if cache is None or not syllables.certain:
        return _search(matcher, syllables)
    # Times do not matter, only where the pauses are.
    key = (syllables.units, syllables.first_in_word, syllables.clauses, (syllables.own_start, matcher.prior))
    found = cache.get(key)
    if found is None:
        found = cache[key] = _search(matcher, syllables)
    with suppress(KeyError):  # another thread of a cluster's worker may remove it now
        cache.move_to_end(key)
        if len(cache) > MAX_CACHED_UTTERANCES:
            cache.popitem(last=False)
    return found


def _search(matcher: Matcher, syllables: Syllables) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    step, cost_cache = matcher.max_units, CostCache()
    for begin in range(0, max(1, len(syllables) - step), step):
        segment = make_segment(syllables, begin, min(len(syllables), begin + 2 * step), cost_cache)
        found += _search_segment(segment, matcher)
    if len(syllables) > 2 * step:
        found = list(dict.fromkeys(found))
    winners = select_best((candidate for candidate in found if candidate.pattern.role in COMPETING), syllables)
    if winners:
        found += _search_between(winners, matcher, syllables)
    return tuple(drop_partial_words(found, syllables))


def _search_between(winners: Sequence[Candidate], matcher: Matcher, syllables: Syllables) -> Iterator[Candidate]:
    """Owed wordings in the parts of an utterance that the winners leave.

    People say one sentence right after the other, so the end of a winner counts as the end of a clause here.
    """
    edges = {edge for winner in winners for edge in (winner.first, winner.last)}
    clauses = syllables.clauses
    starts = (at in edges or (at > 0 and clauses[at] != clauses[at - 1]) for at in range(len(syllables)))
    divided = replace(syllables, clauses=tuple(accumulate(starts)))
    cost_cache = CostCache()
    for begin, end in free_spans((syllables.own_start, len(syllables)), winners):
        if end - begin >= MIN_FREE_UNITS:
            for candidate in _search_segment(make_segment(divided, begin, end, cost_cache), matcher):
                if candidate.pattern.role == "phrase":  # the end of others' words must accuse nobody
                    yield candidate


def _search_segment(segment: Segment, matcher: Matcher) -> Iterator[Candidate]:
    """The candidates of a segment, highest upper bounds first, so that wordings that cannot win are not aligned."""
    patterns = matcher.patterns
    ranked: list[tuple[float, int, int, int]] = []
    for number, missing, homophones in shortlist(matcher.index, patterns, matcher.min_pairs, segment):
        bound = upper_bound(patterns[number], missing, homophones)
        if bound is not None:
            ranked.append((-bound, number, missing, homophones))
    rivals = CompetingCandidates((segment.begin, segment.end))
    for negative_bound, number, missing, homophones in sorted(ranked):
        pattern = patterns[number]
        competing = pattern.role in COMPETING
        spans = rivals.free_for(pattern.min_units, -negative_bound) if competing else [rivals.span]
        for candidate in find_candidates(pattern, segment, missing, homophones, spans) if spans else ():
            if is_admissible(candidate, segment.syllables):
                yield candidate
                if competing:
                    rivals.add(candidate)


def is_admissible(candidate: Candidate, syllables: Syllables) -> bool:
    """Whether a candidate ends in the utterance itself, and begins there or may begin in the previous one.

    An offence may begin there only where every syllable was heard: the words of two voices must not be joined to one.
    """
    role = candidate.pattern.role
    may_span = role in SPANNING and (role != "forbidden" or candidate.cost <= 0)
    return candidate.last > syllables.own_start and (candidate.first >= syllables.own_start or may_span)


def drop_partial_words(found: Sequence[Candidate], syllables: Syllables) -> Iterator[Candidate]:
    """The candidates without those that are part of a longer word (`not_in`), and without the longer words."""
    wholes = [
        candidate
        for candidate in found
        if candidate.pattern.role == "not_in"
        and syllables.clauses[candidate.first] == syllables.clauses[candidate.last - 1]
    ]
    for candidate in found:
        role, owners = candidate.pattern.role, candidate.pattern.owners
        if role == "unless" or (
            role != "not_in"
            and not any(owners <= whole.pattern.owners and candidate.part_of(whole, syllables) for whole in wholes)
        ):
            yield candidate


def find_candidates(
    pattern: Pattern, segment: Segment, missing: int, homophones: int, spans: Iterable[tuple[int, int]]
) -> Iterator[Candidate]:
    """The accepted candidates of one wording on these spans of the segment, none overlapping.

    In the whole segment `missing` of its sounds are absent, and at least `homophones` are in other characters.
    """
    todo = list(spans)
    may_have_edits: bool | None = None
    while todo:
        begin, end = todo.pop()
        if end - begin < pattern.min_units:
            continue
        candidate = None if missing else _first_contiguous(pattern, segment, begin, end)
        if candidate is None and may_have_edits is None:
            may_have_edits = pattern.tolerates_edits and may_be_accepted(pattern, segment, missing, homophones)
        if candidate is None and may_have_edits:
            candidate = _best_with_edits(pattern, segment, begin, end)
        if candidate is not None:
            yield candidate
            todo += [(begin, candidate.first), (candidate.last, end)]


def upper_bound(pattern: Pattern, missing: int, homophones: int) -> float | None:
    """The highest value that a candidate can have, from counts alone; None where too much is missing."""
    allowed = pattern.extended_allowed
    most = allowed[homophones] if homophones < len(allowed) else allowed[-1]
    if missing > pattern.light_count + ROUNDING + most:
        return None
    return pattern.max_value - pattern.homophone_bits * homophones - pattern.missing_bits * missing


def may_be_accepted(pattern: Pattern, segment: Segment, missing: int, homophones: int) -> bool:
    """Whether the sounds in the segment can be enough for the wording, in whatever order they are."""
    min_costs, figures = segment.min_costs, parameters()
    limit = pattern.extended_allowed[min(homophones, len(pattern.allowed) - 1)] + ROUNDING
    cost, lost_bits = 0.0, 0.0
    for sound, deletion, missing_cost, bits in pattern.syllables:
        substitution = min_costs.get(sound)
        if substitution is None:
            cost += missing_cost
            lost_bits += bits
        elif substitution:
            cost += min(substitution, deletion)
            lost_bits += bits * substitution
        if cost > limit:
            return False
    bound = pattern.max_value - lost_bits - figures.character_bits * missing - pattern.homophone_bits * homophones
    bound -= figures.error_bits * cost
    if cost > pattern.allowed_cost(homophones) + ROUNDING:
        return bound > 0 and cost <= extended_allowance(pattern, homophones, bound, alone=True) + ROUNDING
    return bound >= -ROUNDING or pattern.threshold is not None or not (cost or homophones)


def _first_contiguous(pattern: Pattern, segment: Segment, begin: int, end: int) -> Candidate | None:
    """The first accepted candidate where every syllable follows the one before and none is lost."""
    found, positions = ((1 << end - begin) - 1) << begin - segment.begin, segment.positions
    for at, sound in enumerate(pattern.sounds):
        if sound is not None:
            found &= positions.get(sound, 0) >> at
        if not found:
            return None
    size = len(pattern.sounds)
    max_cost = pattern.allowed[-1] + ROUNDING if size > 1 else inf
    while found:
        lowest = found & -found
        found ^= lowest
        first = lowest.bit_length() - 1 + segment.begin
        if first + size > end:
            return None
        aligned = align_contiguous(pattern, segment.syllables, first)
        if aligned.cost <= max_cost:
            candidate = score_alignment(aligned)
            if candidate.accepted:
                return candidate
    return None


def _best_with_edits(pattern: Pattern, segment: Segment, begin: int, end: int) -> Candidate | None:
    """The best candidate where syllables are deleted, inserted or substituted, if it is accepted."""
    span = ((1 << end - begin) - 1) << begin - segment.begin
    masks = [span if sound is None else span & segment.positions.get(sound, 0) for sound in pattern.sounds]
    rest_costs, homophones = minimum_costs(pattern, segment.characters, masks)
    tolerance = ROUNDING + OTHER_CHARACTER_COST * len(pattern.sounds)
    discount = pattern.max_alignment_cost - pattern.allowed[-1]
    extended = pattern.extended_allowed
    max_cost = extended[min(homophones, len(extended) - 1)] + discount + tolerance
    if rest_costs[0] > max_cost:
        return None
    aligned = align(pattern, segment.syllables, begin, end, segment.cost_cache, max_cost, rest_costs)
    if aligned is None or aligned.first == aligned.last:
        return None
    candidate = score_alignment(aligned)
    return candidate if candidate.accepted else None


def minimum_costs(pattern: Pattern, characters: Mapping[str, int], masks: Sequence[int]) -> tuple[list[float], int]:
    """The least cost of each position and all after it together, and the most homophones there can be.

    A syllable of which neither the sound nor the character is there is deleted or a mismatch; one whose sound is there
    only in its own character is not a homophone.
    """
    places = list(zip(masks, pattern.units, pattern.deletion_costs, pattern.mismatch_costs, strict=True))
    costs = [
        0.0 if unit is None or mask or unit in characters else min(deletion, mismatch)
        for mask, unit, deletion, mismatch in places
    ]
    homophones = sum(unit is not None and mask & ~characters.get(unit, 0) != 0 for mask, unit, _, _ in places)
    return list(accumulate(reversed(costs), initial=0.0))[::-1], homophones

"""Every place in what was said where a wording stands that may count, before contexts have their say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate
from typing import Final

from counter_listener.domain import Role
from counter_listener.matching.alignment import CostCache
from counter_listener.matching.candidates import Segment, make_segment, shortlist
from counter_listener.matching.competition import COMPETING, CompetingCandidates, free_spans, select_best
from counter_listener.matching.matcher import Matcher
from counter_listener.matching.scoring import Candidate, find_candidates, upper_bound
from counter_listener.matching.syllables import Syllables

SPANNING: Final[frozenset[Role]] = frozenset({"phrase", "forbidden", "not_in"})
"""What may begin in the utterance before. A rule asks about one clause, and a context counts from before anyway."""
MIN_FREE_UNITS: Final = 2
"""Units between two wordings from which another may stand there."""
REMEMBERED: Final = 8_192
"""Utterances of which is known what stands in them: 30 MB at most."""


def search_candidates(matcher: Matcher, spoken: Syllables) -> tuple[Candidate, ...]:
    """Every place where a wording stands that may count, overlapping ones included, parts of longer words left out.

    When something was said matters nothing, only where pauses are, and how sure the recogniser was.
    """
    known = matcher.known
    if known is None or not spoken.certain:
        return tuple(drop_partial_words(_searched(matcher, spoken), spoken))
    same = (spoken.units, spoken.first_in_word, spoken.clauses, (spoken.own, matcher.expected))
    found = known.get(same)
    if found is None:
        found = known[same] = tuple(drop_partial_words(_searched(matcher, spoken), spoken))
    with suppress(KeyError):  # another thread of a cluster's worker may forget it just now
        known.move_to_end(same)
        if len(known) > REMEMBERED:
            known.popitem(last=False)
    return found


def _searched(matcher: Matcher, spoken: Syllables) -> list[Candidate]:
    found = _at_first(matcher, spoken)
    winners = select_best((place for place in found if place.pattern.role in COMPETING), spoken)
    return [*found, *_between(winners, matcher, spoken)] if winners else found


def _between(winners: Sequence[Candidate], matcher: Matcher, spoken: Syllables) -> Iterator[Candidate]:
    """Owed wordings in what the winners leave of an utterance.

    People say one sentence right after the other: where one ends the next may begin, so what stands between two of
    them stands as alone as between two pauses.
    """
    edges = {edge for place in winners for edge in (place.first, place.last)}
    clauses, edged = spoken.clauses, (at in edges for at in range(len(spoken)))
    steps = (edge or (at > 0 and clauses[at] != clauses[at - 1]) for at, edge in enumerate(edged))
    parted = replace(spoken, clauses=tuple(accumulate(steps)))
    against: CostCache = {}
    for begin, end in free_spans((spoken.own, len(spoken)), winners):
        if end - begin >= MIN_FREE_UNITS:
            for place in _standing_on(make_segment(parted, begin, end, against), matcher):
                if place.pattern.role == "phrase":  # nobody is accused by where others' words end
                    yield place


def _at_first(matcher: Matcher, spoken: Syllables) -> list[Candidate]:
    found: list[Candidate] = []
    step = matcher.longest
    against: CostCache = {}
    for begin in range(0, max(1, len(spoken) - step), step):
        ground = make_segment(spoken, begin, min(len(spoken), begin + 2 * step), against)
        found += _standing_on(ground, matcher)
    return found if len(spoken) <= 2 * step else list(dict.fromkeys(found))


def _standing_on(ground: Segment, matcher: Matcher) -> Iterator[Candidate]:
    """Where wordings stand on this ground, the likeliest first, so that what cannot win is not looked at closely."""
    patterns = matcher.patterns
    hopes: list[tuple[float, int, int, int]] = []
    for number, missing, garbled in shortlist(matcher.index, ground):
        most = upper_bound(patterns[number], missing, garbled)
        if most is not None:
            hopes.append((-most, number, missing, garbled))
    rivals = CompetingCandidates((ground.begin, ground.end))
    for least_loss, number, missing, garbled in sorted(hopes):
        pattern = patterns[number]
        competing = pattern.role in COMPETING
        stretches = rivals.leave(pattern.fewest, -least_loss) if competing else rivals.whole
        for place in find_candidates(pattern, ground, missing, garbled, stretches) if stretches else ():
            if is_admissible(place, ground.spoken):
                yield place
                if competing:
                    rivals.add(place)


def is_admissible(place: Candidate, spoken: Syllables) -> bool:
    """Whether a place ends in the utterance itself, and begins there too or may begin in the one before.

    An accusation may only where every syllable of it was heard: what two voices said one after the other must not be
    put together to an offence that nobody said.
    """
    role = place.pattern.role
    spans = role in SPANNING and (role != "forbidden" or place.cost <= 0)
    return place.last > spoken.own and (place.first >= spoken.own or spans)


def drop_partial_words(found: Sequence[Candidate], spoken: Syllables) -> Iterator[Candidate]:
    """The places left when those that are only a part of a longer word (`not_in`) are taken out."""
    wholes = [
        place
        for place in found
        if place.pattern.role == "not_in" and spoken.clauses[place.first] == spoken.clauses[place.last - 1]
    ]
    for place in found:
        role, owners = place.pattern.role, place.pattern.owners
        if role == "unless" or (
            role != "not_in"
            and not any(owners <= whole.pattern.owners and place.part_of(whole, spoken) for whole in wholes)
        ):
            yield place

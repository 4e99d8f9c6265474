"""Vetoes: reasons to refuse a wording however similar the speech is, because it is another sentence."""

from collections.abc import Iterable, Sequence
from typing import Literal

from counter_listener.matching.alignment import UNALIGNED, Alignment, matching_characters
from counter_listener.matching.confusion import parameters
from counter_listener.matching.misrecognition import count_insertions, has_adjacent_deletions
from counter_listener.matching.patterns import CONTEXTS, Pattern

Veto = Literal["broken_off", "impolite", "contrary", "fragmented"]


def find_veto(aligned: Alignment, homophones: int, *, starts_clause: bool, ends_clause: bool) -> Veto | None:
    """The veto on an alignment, if any; `homophones` is the number of its syllables in other characters."""
    if breaks_off(aligned):
        return "broken_off"
    if not is_polite(aligned, homophones, starts_clause=starts_clause):
        return "impolite"
    if aligned.pattern.role not in CONTEXTS and is_contrary(aligned):
        return "contrary"
    if is_fragmented(aligned, starts_clause=starts_clause, ends_clause=ends_clause):
        return "fragmented"
    return None


def breaks_off(aligned: Alignment) -> bool:
    """Whether the part that was heard also begins another phrase, by its sound: 麻烦您 alone is not 麻烦您了.

    A light last syllable may be lost; a stressed one, or several, are hardly lost so that just that part remains.
    """
    pattern, size = aligned.pattern, len(aligned.partners)
    while size and aligned.partners[size - 1] == UNALIGNED:
        size -= 1
    if size not in pattern.ambiguous_prefixes or max(aligned.costs[:size]) >= 1.0:
        return False
    return len(pattern.units) - size != 1 or pattern.units[-1] in parameters().light_syllables


def is_fragmented(aligned: Alignment, *, starts_clause: bool, ends_clause: bool) -> bool:
    """Whether too much of it is missing amid other words, so that the rest belongs to another sentence.

    Of a short owed wording two neighbours: 我来办理 is not 我来帮您处理. Where its clause goes on, the last syllable of
    a very short one (请您那个 is not 请您拿好), or the 您 of any. Of an offence its first or last syllable, or any
    insertion: 您不要叫外卖 is not 您不要叫了, 把资料寄给我 is not 把资料给我.
    """
    figures, pattern = parameters(), aligned.pattern
    if pattern.threshold is not None or (starts_clause and ends_clause):
        return False
    first_lost = aligned.partners[0] == UNALIGNED and not starts_clause
    last_lost = aligned.partners[-1] == UNALIGNED and not ends_clause
    if pattern.role == "phrase":
        short = pattern.size < figures.last_deletion_from and None not in pattern.units
        cut = (last_lost and short) or (not ends_clause and lacks_address(aligned))
        return cut or (pattern.size < figures.adjacent_deletions_from and has_adjacent_deletions(aligned))
    return pattern.role == "forbidden" and (first_lost or last_lost or count_insertions(aligned) > 0)


def lacks_address(aligned: Alignment) -> bool:
    """Whether every character is identical but the one that says who is addressed, which was lost."""
    addresses = parameters().addresses
    if not addresses & aligned.pattern.characters:
        return False
    units = zip(aligned.pattern.units, aligned.partners, strict=True)
    heard = [(unit, at) for unit, at in units if unit and at != UNALIGNED]
    return all(unit not in addresses and aligned.syllables.units[at] == unit for unit, at in heard)


def is_polite(aligned: Alignment, homophones: int, *, starts_clause: bool) -> bool:
    """Whether the courtesies of an owed wording were heard: a request without 请 is another sentence.

    Clerks leave 请 out more often than recognisers lose it, so something must stand for it, unless other syllables were
    misrecognised too. Of a longer courtesy more than half must be heard (部意思 for 不好意思), or half of its
    characters must be identical: the 歉 of 抱歉, and not the 钱 of 换钱.
    """
    for first, last in aligned.pattern.courtesies:
        size, heard = last - first, sum(cost < 1.0 for cost in aligned.costs[first:last])
        if size == 1:
            lost = homophones < parameters().please_lost_homophones
            if lost and not _heard_please(first, aligned, starts_clause=starts_clause):
                return False
        elif 2 * heard <= size:
            units, partners = aligned.pattern.units[first:last], aligned.partners[first:last]
            if 2 * matching_characters(units, partners, aligned.syllables) < size:
                return False
    return True


def _heard_please(at: int, aligned: Alignment, *, starts_clause: bool) -> bool:
    """Whether 请 was heard, or a syllable in its place that no other sentence has there (惩您出示).

    A character of the words before it (申请, 再见) or the next syllable of the wording does not stand for it.
    """
    figures, cost, unit = parameters(), aligned.costs[at], aligned.partners[at]
    wanted, units = aligned.pattern.units, aligned.syllables.units
    if unit == UNALIGNED:
        return False
    if at == 0 and not starts_clause and unit and units[unit - 1] in figures.please_compounds:
        return False
    if cost < figures.please_max_cost:
        return units[unit] == wanted[at] or not _is_lost_syllable(units[unit], aligned)
    neighbours = [near for near in (at - 1, at + 1) if 0 <= near < len(wanted)]
    if any(wanted[near] is None or aligned.costs[near] >= 1.0 for near in neighbours):
        return False
    excluded = units[unit] in figures.please_substitutes_excluded
    return cost < 1.0 or (not excluded and (at > 0 or starts_clause))


def _is_lost_syllable(heard: str, aligned: Alignment) -> bool:
    """Whether a unit is a syllable of the wording that was not aligned: the 清 of 您清点 is not the 请 of 请您清点."""
    positions = zip(aligned.pattern.units, aligned.partners, strict=True)
    return any(unit == heard and partner == UNALIGNED for unit, partner in positions)


def missing_courtesies(pattern: Pattern, costs: Sequence[float]) -> list[tuple[int, int]]:
    """The spans of the courtesies that were not heard completely in a refused candidate."""
    return [(first, last) for first, last in pattern.courtesies if max(costs[first:last]) >= 1.0]


def with_optional_spans(pattern: Pattern, spans: Iterable[tuple[int, int]]) -> Pattern:
    """The same wording, where deleting a syllable of these spans costs as much as a mismatch."""
    costs = list(pattern.deletion_costs)
    for first, last in spans:
        costs[first:last] = pattern.mismatch_costs[first:last]
    return pattern._replace(deletion_costs=tuple(costs))


def is_contrary(aligned: Alignment) -> bool:
    """Whether a 不, 没 or 别 is missing or inserted, or another person is named in the place of 我, 你 or 他.

    现在能办 is not 现在不能办, however long the wording is; 字是我自己签的 is not 字是你自己签的.
    """
    pattern, partners, units = aligned.pattern, aligned.partners, aligned.syllables.units
    before = _in_clause(aligned.first - 1, aligned) if partners[0] == UNALIGNED else ()
    mismatches = (
        unit
        for at, (unit, cost) in enumerate(zip(partners, aligned.costs, strict=True))
        if unit != UNALIGNED and cost >= 1.0 and at not in pattern.negations
    )
    return (
        any(not _is_negated(at, aligned) for at in pattern.negations)
        or any(units[unit] in parameters().negations for unit in (*before, *aligned.inserted, *mismatches))
        or any(_names_other_person(at, aligned) for at in pattern.persons)
    )


def _is_negated(at: int, aligned: Alignment) -> bool:
    """Whether the negation was heard, or a syllable in its place that no other sentence has: 波知道 was 不知道."""
    figures, unit = parameters(), aligned.partners[at]
    if unit == UNALIGNED:
        return False
    heard = aligned.syllables.units[unit]
    return aligned.costs[at] < 1.0 or heard in figures.negations or heard not in figures.please_substitutes_excluded


def _in_clause(unit: int, aligned: Alignment) -> Iterable[int]:
    """A unit next to the alignment, if it is in the same clause."""
    clauses = aligned.syllables.clauses
    edge = aligned.first if unit < aligned.first else aligned.last - 1
    return (unit,) if 0 <= unit < len(clauses) and clauses[unit] == clauses[edge] else ()


def _names_other_person(at: int, aligned: Alignment) -> bool:
    """Whether another person is named where a 我, 你 or 他 of the wording should be."""
    persons = parameters().persons
    wanted = persons[str(aligned.pattern.units[at])]
    return any(persons.get(aligned.syllables.units[unit], wanted) != wanted for unit in _in_place_of(at, aligned))


def _in_place_of(at: int, aligned: Alignment) -> Iterable[int]:
    """The units that may stand for a position of the wording: its partner; what is between the partners of its
    neighbours; right before the alignment for a first syllable; right after it for a last one that ends the clause.
    """
    partners = aligned.partners
    if partners[at] != UNALIGNED:
        return (partners[at],)
    before = next((unit for unit in reversed(partners[:at]) if unit != UNALIGNED), None)
    after = next((unit for unit in partners[at + 1 :] if unit != UNALIGNED), None)
    if before is None:
        return _in_clause(aligned.first - 1, aligned)
    if after is not None:
        return range(before + 1, after)
    gone = len(partners) - at
    return () if _in_clause(aligned.last + gone, aligned) else _in_clause(aligned.last, aligned)

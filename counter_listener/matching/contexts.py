"""What the rest of an utterance makes of a candidate: longer words, contexts, frames, courtesies, rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from counter_listener.domain import Frame, RecentContext, Role
from counter_listener.matching.automata import Entry
from counter_listener.matching.matcher import Matcher
from counter_listener.matching.scoring import Candidate
from counter_listener.matching.syllables import UNALIGNED, Step

MAX_FRAME_DISTANCE: Final = 1
"""Units between a frame and what it frames, where it must stand right beside it."""
STRENGTH: Final = ("nothing", "unknown", "shared")
"""What frames make of an offence, the strongest first."""


def without_partial_words(found: Sequence[Candidate]) -> list[Candidate]:
    """The candidates without those that are a part of a longer word (`not_in`), and without the longer words."""
    wholes = of_role("not_in", found)
    return [one for one in found if one.role != "not_in" and not any(_is_part(one, whole) for whole in wholes)]


def _is_part(candidate: Candidate, whole: Candidate) -> bool:
    """Whether a candidate is no more than a part of a longer word of its owner, or an inexact reading of it."""
    if not (candidate.owners <= whole.owners and whole.first <= candidate.first and candidate.last <= whole.last):
        return False
    return candidate.last - candidate.first < whole.last - whole.first or not candidate.spelled


def implied_candidates(winner: Candidate, matcher: Matcher) -> Iterator[Candidate]:
    """The courtesies that the way through a template contains.

    A courtesy that a rule needs counts even where it was swallowed, because the whole sentence was said. A courtesy
    word must be heard.
    """
    steps = winner.alignment.steps if winner.role == "phrase" else ()
    units = tuple(step.unit for step in steps)
    for at, unit in enumerate(units):
        for sentence, entries in matcher.courtesies.get(unit, ()):
            if units[at : at + len(sentence)] == sentence:
                yield from _implied(winner, steps[at : at + len(sentence)], entries)


def _implied(winner: Candidate, part: Sequence[Step], entries: Iterable[Entry]) -> Iterator[Candidate]:
    partners = [step.partner for step in part if step.partner != UNALIGNED]
    first, last = (partners[0], partners[-1] + 1) if partners else (winner.first, winner.first + 1)
    heard = len(partners) == len(part) and all(step.bits > 0 for step in part)
    for entry in entries:
        if entry.role == "need" or heard:
            alignment = winner.alignment._replace(
                entry=entry, first=first, last=last, steps=tuple(part), bits=sum(step.bits for step in part)
            )
            yield replace(winner, alignment=alignment)


def of_role(role: Role, candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates with a role."""
    return [candidate for candidate in candidates if candidate.role == role]


def is_excused(
    candidate: Candidate,
    found: Iterable[Candidate],
    earlier: Iterable[RecentContext],
    reach: float,
) -> bool:
    """Whether a context of its owner excuses a candidate.

    That of an offence may stand up to `reach` seconds before it, in another utterance too, or after it: an utterance
    may be a minute's talk. That of a scenario stands in the same utterance, and that of a rule in the same clause.
    """
    if candidate.role not in {"forbidden", "when", "trigger"}:
        return False
    owner = candidate.owner
    contexts = contexts_for(owner, found)
    if candidate.role == "trigger":
        return any(contexts)
    if candidate.role == "when":
        clauses = candidate.alignment.syllables.clauses
        return any(clauses[context.first] == clauses[candidate.first] for context in contexts)
    since, until = context_window(candidate, reach)
    return any(overlaps_window(context, since, until) for context in contexts) or any(
        mark.role == "unless" and owner in mark.owners and mark.end >= since for mark in earlier
    )


def contexts_for(owner: str, found: Iterable[Candidate]) -> list[Candidate]:
    """The contexts that may excuse something of this id."""
    return [candidate for candidate in of_role("unless", found) if owner in candidate.owners]


def context_window(candidate: Candidate, reach: float) -> tuple[float, float]:
    """From when to when, in seconds into the stream, a context may stand that excuses an offence."""
    syllables = candidate.alignment.syllables
    return syllables.starts[candidate.first] - reach, syllables.ends[candidate.last - 1] + reach


def overlaps_window(candidate: Candidate, since: float, until: float) -> bool:
    """Whether some of a candidate was said between two times."""
    syllables = candidate.alignment.syllables
    return syllables.ends[candidate.last - 1] >= since and syllables.starts[candidate.first] <= until


def frame_of(candidate: Candidate, found: Iterable[Candidate], matcher: Matcher) -> Frame | None:
    """The frame in which an offence, a request or a trigger stands; of several the one that leaves least of it."""
    role = "rule" if candidate.role == "when" else candidate.role
    before = _words_before(candidate)
    frames = [one for one in matcher.frames.values() if one.lead and role in one.of and before >= one.lead]
    for context in of_role("frame", found):
        name, _, place = next(iter(context.owners)).partition(" ")
        frame = matcher.frames[name]
        if role in frame.of and _is_framed(candidate, context, place, frame.reach):
            frames.append(frame)
    return min(frames, key=lambda frame: STRENGTH.index(frame.makes), default=None)


def _words_before(candidate: Candidate) -> int:
    """The units before a candidate in its clause, fillers left out."""
    syllables = candidate.alignment.syllables
    clause = syllables.clauses[candidate.first]
    return sum(syllables.clauses[at] == clause and not syllables.is_filler[at] for at in range(candidate.first))


def _is_framed(candidate: Candidate, context: Candidate, place: str, reach: str) -> bool:
    """Whether a frame stands where it must, and near enough."""
    before = context.first < candidate.first and context.last < candidate.last
    after = candidate.first < context.first and candidate.last < context.last
    covers = context.first <= candidate.first and candidate.last <= context.last
    if not {"before": before, "after": after, "around": before or after or covers}[place]:
        return False
    clauses = candidate.alignment.syllables.clauses
    last, first = (context.last - 1, candidate.first) if before else (candidate.last - 1, context.first)
    if reach != "utterance" and clauses[last] < clauses[first]:
        return False
    return reach != "next" or first - last - 1 <= MAX_FRAME_DISTANCE


def is_nothing(frame: Frame | None) -> bool:
    """Whether a frame leaves nothing of an offence."""
    return frame is not None and frame.makes == "nothing"


def _has_slot_before(winner: Candidate, request: Candidate) -> bool:
    """Whether a slot of a phrase stands before a request in it: what fills it may be another sentence."""
    return any(not step.unit and step.partner < request.first for step in winner.alignment.steps)


def rule_hits(
    requests: Iterable[Candidate],
    courtesies: Iterable[Candidate],
    winners: Sequence[Candidate],
    marks: Iterable[RecentContext],
    matcher: Matcher,
) -> Iterator[tuple[Candidate, bool]]:
    """For each clause with a request of a rule: whether the courtesy it needs is there, or in a phrase around both."""
    seen: set[tuple[str, int]] = set()
    for request in requests:
        syllables = request.alignment.syllables
        rule, clause = matcher.rules[request.owner], syllables.clauses[request.first]
        if (rule.id, clause) in seen:
            continue
        seen.add((rule.id, clause))
        needs = [need for need in courtesies if rule.id in need.owners]
        if rule.scope == "clause":
            around = [
                one for one in winners if one.first < request.last <= one.last and not _has_slot_before(one, request)
            ]
            needs = [
                need
                for need in needs
                if syllables.clauses[need.first] == clause or any(winner.first <= need.first for winner in around)
            ]
        followed = bool(needs)
        if not isinstance(rule.scope, str):
            since = syllables.starts[request.first] - rule.scope
            followed |= any(mark.role == "need" and rule.id in mark.owners and mark.end >= since for mark in marks)
        yield request, followed

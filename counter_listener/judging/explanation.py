"""Why a phrase was not heard: the closest stretch of speech, laid under the wording, and what would have passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from counter_listener.domain import (
    Event,
    Gap,
    Hit,
    MatchedItem,
    MatchedUtterance,
    Speaker,
    Utterance,
    VisitToggle,
    Word,
    mask_numbers,
)
from counter_listener.matching import (
    UNALIGNED,
    Candidate,
    Matcher,
    Pattern,
    Syllables,
    align,
    context_window,
    contexts_for,
    continues,
    is_admissible,
    missing_courtesies,
    overlaps_window,
    score_alignment,
    search_candidates,
    to_syllables,
    with_optional_spans,
)

AROUND: Final = 10.0
"""Seconds on either side of the time somebody asks about."""
NEAREST: Final = 3
"""Phrases shown for a time at which nothing owed was missed."""
BEGUN: Final = 12
"""Units of the utterance before that are laid beside each utterance."""


@dataclass(frozen=True, slots=True)
class AlignedColumn:
    """One syllable of a wording over what stands for it."""

    wanted: str
    """The character, or the word in letters; `…` for a slot; nothing where speech has one more."""
    wanted_sound: str
    heard: str
    """As it was recognised, `…` in a slot; nothing where the syllable was not heard."""
    heard_sound: str
    cost: float
    """0 where they agree in sound, 1 for a syllable quite another."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The closest that anything came to a phrase."""

    phrase: str
    title: str
    visit: int | None
    verdict: str
    """`not_heard`, `unknown`, `heard` or `forbidden`, as the record has it; `passes`, `excused` or `too far` where the
    record has nothing of it.
    """
    wording: str
    heard: str
    start: float
    """Seconds into the recording."""
    end: float
    closeness: float
    """In sound, 0-100."""
    line: float
    """The closeness that was needed there; over 100 where the words say too little there to be believed at all."""
    likely: bool
    """Whether the line was lower there, for a phrase was heard beside it or in the minute before; of what a scenario
    asks for, for one of its phrases was, or what triggers it.
    """
    passes: bool
    instead: tuple[str, ...]
    """What the stretch was taken for, the better explanation of it: ids of phrases and offences."""
    excused_by: tuple[str, ...]
    """What was heard beside an offence that takes its meaning away: its contexts, as they were recognised."""
    columns: tuple[AlignedColumn, ...]
    unsaid: tuple[str, ...]
    """The courtesies that were not heard, where the wording without them is another sentence."""
    broken_off: bool
    """Whether what was heard is the beginning of another phrase as well: 麻烦您 is no 麻烦您了."""
    contrary: bool
    """Whether what was heard says the contrary, or says it of somebody else: 现在能办 is no 现在不能办."""
    torn: bool
    """Whether so much of it is gone amid other words that the rest belongs to those: 我来办理 is no 我来帮您处理."""
    cure: tuple[str, ...]
    """What would have passed: the fewest syllables heard as the wording has them; empty where that is not enough."""


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """What somebody wants explained."""

    phrase: str | None = None
    """Id of a phrase or an offence; None is every phrase owed and not heard."""
    at: float | None = None
    """Seconds into the recording; None is all of it."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """One utterance, what was listened for in it, and what was found."""

    spoken: Syllables
    matcher: Matcher
    heard: MatchedUtterance

    @property
    def hits(self) -> tuple[Hit, ...]:
        return (*self.heard.findings.phrases, *self.heard.findings.offences)

    @property
    def start(self) -> float:
        return self.spoken.starts[self.spoken.own]

    def wordings(self, owner: str) -> Iterator[Pattern]:
        patterns = self.matcher.patterns
        return (one for one in patterns if owner in one.owners and one.role in {"phrase", "forbidden"})


@dataclass(frozen=True, slots=True)
class _Found:
    place: Candidate
    ground: _Ground

    @property
    def short(self) -> float:
        """Syllables beyond the line, 0 or less where it passes; where there is no line, all that differ."""
        return self.place.cost - max(self.place.allowed, 0.0)

    @property
    def apart(self) -> float:
        """Share of its syllables that differ."""
        return self.place.cost / self.place.pattern.size


def explain(
    matched: Sequence[MatchedItem], events: Sequence[Event], matcher: Matcher, asked: ExplainQuery
) -> list[Explanation]:
    """The explanations asked for, in order of the visits, then of the phrase set.

    `matched` and `events` are what pipeline.analyse returns for a recording.
    """
    grounds = list(_grounds(matched, matcher))
    told = list(_wanted(events, asked))
    titles = matcher.phrases.titles()
    found = []
    for owner, visit, verdict, begin, end in told:
        near = [one for one in grounds if begin <= one.start <= end and _beside(one, asked.at)]
        closest = nearest(owner, near)
        if closest is not None:
            found.append(_explained(closest, titles[owner], visit, verdict, grounds))
    if asked.phrase is None and asked.at is not None and not found:
        near = [one for one in grounds if _beside(one, asked.at)]
        every = ((owner, nearest(owner, near)) for owner in titles)
        ranked = sorted((one.short, owner, one) for owner, one in every if one is not None)
        found = [_explained(one, titles[owner], None, None, grounds) for _, owner, one in ranked[:NEAREST]]
    return found


def _wanted(events: Sequence[Event], asked: ExplainQuery) -> Iterator[tuple[str, int | None, str | None, float, float]]:
    """Each (id, visit, verdict, from and to how many seconds) to be explained."""
    if asked.phrase is not None:
        verdicts = [event for event in events if event.phrase == asked.phrase and event.verdict]
        verdict = next((str(event.verdict) for event in verdicts), None)
        yield asked.phrase, next((event.visit for event in verdicts), None), verdict, 0.0, float("inf")
        return
    opened = {event.visit: event.at for event in events if event.kind == "visit_opened"}
    for event in events:
        owed = event.kind == "phrase" and event.detail.get("required") and event.verdict in {"not_heard", "unknown"}
        if owed and (asked.at is None or opened[event.visit] - AROUND <= asked.at <= event.at + AROUND):
            yield str(event.phrase), event.visit, str(event.verdict), opened[event.visit], event.at


def _grounds(matched: Iterable[MatchedItem], matcher: Matcher) -> Iterator[_Ground]:
    """Everything said, each utterance with the end of the one right before it, and as likely as phrases were in it."""
    before: tuple[Word, ...] = ()
    speaker: Speaker = "unknown"
    for item in matched:
        if isinstance(item, Gap | VisitToggle):
            before = ()
        if not isinstance(item, MatchedUtterance):
            continue
        part = item.utterance
        near, speaker = before if continues(before, speaker, part) else (), part.speaker
        spoken = to_syllables(part, matcher.phrases.hearing.clause_pause, near)
        if len(spoken) > spoken.own:
            yield _Ground(spoken, matcher.when(item.expected), item)
        before = (*near, *part.words)[-BEGUN:]


def _beside(ground: _Ground, at: float | None) -> bool:
    return at is None or (ground.start - AROUND <= at <= ground.spoken.ends[-1] + AROUND)


def nearest(owner: str, grounds: Iterable[_Ground]) -> _Found | None:
    """The place where least of a phrase differs, whichever its wording, one that passes first; None in silence."""
    found = (
        _Found(place, ground)
        for ground in grounds
        for pattern in ground.wordings(owner)
        if (place := _along(pattern, ground.spoken)) is not None
    )
    return min(
        found,
        key=lambda one: (one.short > 0.0, one.apart, one.short, not one.place.heard, -one.place.value),
        default=None,
    )


def _along(pattern: Pattern, spoken: Syllables) -> Candidate | None:
    place = _laid(pattern, pattern, spoken)
    if place is not None and (spans := _unsaid(place)):
        place = _laid(pattern, with_optional_spans(pattern, spans), spoken)
    return place if place is not None and is_admissible(place, spoken) else None


def _laid(pattern: Pattern, along: Pattern, spoken: Syllables) -> Candidate | None:
    """A wording where its like, with other costs, comes closest."""
    aligned = align(along, spoken, 0, len(spoken), {})
    if aligned is None or all(unit == UNALIGNED for unit in aligned.partners):
        return None
    return score_alignment(pattern, aligned, spoken)


def _unsaid(place: Candidate) -> list[tuple[int, int]]:
    """The courtesies for want of which a place is refused: nothing that stands for them is one."""
    return missing_courtesies(place.pattern, place.costs) if place.allowed < 0 else []


def _excuses(found: _Found, grounds: Iterable[_Ground]) -> Iterator[str]:
    """What was said beside an offence, in its utterance or before it, that excuses it (matching.excused)."""
    place, own = found.place, found.ground
    since, until = context_window(place, own.spoken, own.matcher.phrases.hearing.context)
    for ground in grounds:
        customers = ground is not own and ground.heard.utterance.speaker == "customer"
        if ground.start > own.start or ground.spoken.ends[-1] < since or customers:
            continue
        for context in contexts_for(place.pattern.owner, search_candidates(ground.matcher, ground.spoken)):
            if overlaps_window(context, ground.spoken, since, until):
                yield mask_numbers(ground.spoken.text(context.first, context.last))


def _explained(
    found: _Found, title: str, visit: int | None, verdict: str | None, grounds: Iterable[_Ground]
) -> Explanation:
    place, ground, spoken = found.place, found.ground, found.ground.spoken
    owner, start, end = place.pattern.owner, spoken.starts[place.first], spoken.ends[place.last - 1]
    there = {hit.owner: None for hit in ground.hits if hit.start < end and hit.end > start}
    acquitted = place.pattern.role == "forbidden" and place.heard and owner not in there
    excuses = tuple(dict.fromkeys(_excuses(found, grounds))) if acquitted else ()
    return Explanation(
        phrase=owner,
        title=title,
        visit=visit,
        verdict=verdict or ("excused" if excuses else "passes" if place.heard else "too far"),
        wording=place.pattern.wording,
        heard=mask_numbers("…".join(spoken.text(first, last) for first, last in place.pieces)),
        start=round(start, 2),
        end=round(end, 2),
        closeness=place.score,
        line=round(100 * (1 - place.allowed / place.pattern.weight), 1),
        likely=ground.matcher.is_likely(owner),
        passes=place.heard,
        instead=tuple(one for one in there if one != owner) if place.heard and verdict != "heard" else (),
        excused_by=excuses,
        columns=tuple(_columns(place, spoken)),
        unsaid=tuple("".join(map(str, place.pattern.units[first:last])) for first, last in _unsaid(place)),
        broken_off=place.refusal == "broken_off",
        contrary=place.refusal == "contrary",
        torn=place.refusal == "torn",
        cure=() if place.heard else tuple(cure(place, spoken)),
    )


def _columns(place: Candidate, spoken: Syllables) -> Iterator[AlignedColumn]:
    """The wording over what was said, units between included; what fills a slot stays unsaid."""
    pattern, last = place.pattern, None
    for at, unit in enumerate(place.partners):
        if last is not None and unit != UNALIGNED:
            for between in range(last + 1, unit):
                yield AlignedColumn("", "", spoken.units[between], spoken.sounds[between], spoken.added[between])
        last = unit if unit != UNALIGNED else last
        wanted, sound = pattern.units[at], pattern.sounds[at]
        if wanted is None:
            if unit != UNALIGNED:
                yield AlignedColumn("…", "", "…", "", 0.0)
        elif unit == UNALIGNED:
            yield AlignedColumn(wanted, str(sound), "", "", place.costs[at])
        else:
            yield AlignedColumn(wanted, str(sound), spoken.units[unit], spoken.sounds[unit], place.costs[at])


def cure(place: Candidate, spoken: Syllables) -> list[str]:
    """The fewest characters that, heard as the wording has them, would have made it pass; the dearest come first."""
    pattern = place.pattern
    fixed: list[int] = []
    dearest = sorted(
        (at for at, unit in enumerate(pattern.units) if unit is not None and not _agrees(place, spoken, at)),
        key=lambda at: (-place.costs[at], at),
    )
    for at in dearest:
        fixed.append(at)
        if _mended(place, spoken, fixed):
            return [str(pattern.units[one]) for one in sorted(fixed)]
    return []


def _agrees(place: Candidate, spoken: Syllables, at: int) -> bool:
    unit = place.partners[at]
    return unit != UNALIGNED and spoken.units[unit] == place.pattern.units[at]


def _mended(place: Candidate, spoken: Syllables, fixed: Sequence[int]) -> bool:
    """Whether it passes with some syllables of the wording put right in what was said."""
    pattern = place.pattern
    words = [
        Word(unit, start, end, sure)
        for unit, start, end, sure in zip(spoken.units, spoken.starts, spoken.ends, spoken.confidence, strict=True)
    ]
    behind = place.first
    for at, unit in enumerate(place.partners):
        behind = max(behind, unit + 1) if unit != UNALIGNED else behind
        if at not in fixed:
            continue
        if unit != UNALIGNED:
            words[unit] = replace(words[unit], text=str(pattern.units[at]))
        else:
            beside = words[min(behind, len(words) - 1)]
            words[min(behind, len(words) - 1)] = (
                replace(beside, text=str(pattern.units[at]) + beside.text)
                if behind < len(words)
                else replace(beside, text=beside.text + str(pattern.units[at]))
            )
    said = Utterance(words[0].start, words[-1].end, tuple(words))
    along = _along(pattern, to_syllables(said, float("inf")))
    return along is not None and along.heard

"""Why a phrase was not heard: the closest speech aligned with a wording, and what would have passed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from counter_listener.domain import (
    Event,
    Gap,
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
"""Seconds before and after the time that is asked about."""
MAX_CLOSEST: Final = 3
"""Phrases explained for a time at which no owed phrase is missing."""
MAX_PRECEDING_WORDS: Final = 12
"""Words of the preceding utterances that are searched together with each utterance."""


@dataclass(frozen=True, slots=True)
class AlignedColumn:
    """One syllable of a wording and what is aligned with it."""

    wanted: str
    """The character, or the word in letters; `…` for a slot; empty for an insertion."""
    wanted_sound: str
    heard: str
    """As it was recognised; `…` in a slot; empty for a deletion."""
    heard_sound: str
    cost: float
    """0 for the same sound, 1 for a quite different syllable."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The closest speech to a phrase. The field names are the keys of `explain --format jsonl`."""

    phrase: str
    title: str
    visit: int | None
    verdict: str
    """As recorded; `passes`, `excused` or `too far` where nothing is recorded."""
    wording: str
    heard: str
    start: float
    """Seconds into the recording."""
    end: float
    """Seconds into the recording."""
    closeness: float
    """In sound, 0-100."""
    line: float
    """The threshold for the closeness; over 100 where the syllables carry too little information to be accepted."""
    likely: bool
    """Whether the threshold was lower, because a phrase (or the scenario) was heard in it or in the minute before."""
    passes: bool
    instead: tuple[str, ...]
    """Ids of the phrases and offences that were found in the same speech, because they match it better."""
    excused_by: tuple[str, ...]
    """The contexts, as recognised, because of which an offence does not count."""
    columns: tuple[AlignedColumn, ...]
    unsaid: tuple[str, ...]
    """The courtesies that were not heard, if the wording means something else without them."""
    broken_off: bool
    """Whether the speech is also the beginning of another phrase: 麻烦您 is not 麻烦您了."""
    contrary: bool
    """Whether the speech says the contrary, or says it of somebody else: 现在能办 is not 现在不能办."""
    torn: bool
    """Whether so much is missing that the rest belongs to the words around it: 我来办理 is not 我来帮您处理."""
    cure: tuple[str, ...]
    """The fewest syllables that would have to be heard correctly to pass; empty if none are enough."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """An utterance as it was matched."""

    syllables: Syllables
    matcher: Matcher
    """With the prior that held for the utterance."""
    matched: MatchedUtterance

    @property
    def start(self) -> float:
        """Seconds into the recording."""
        return self.syllables.starts[self.syllables.own_start]

    def is_around(self, at: float | None) -> bool:
        """Whether it is close to a time in seconds; True for None."""
        return at is None or (self.start - AROUND <= at <= self.syllables.ends[-1] + AROUND)


@dataclass(frozen=True, slots=True)
class _Closest:
    """The best alignment of a wording of a phrase."""

    candidate: Candidate
    segment: _Segment

    @property
    def excess(self) -> float:
        """Cost in syllables beyond the allowed cost, 0 or less where it passes; all of the cost if none is allowed."""
        return self.candidate.cost - max(self.candidate.allowed, 0.0)

    def order(self) -> tuple[object, ...]:
        """Sort key: smaller is closer."""
        candidate = self.candidate
        share = candidate.cost / candidate.pattern.size
        return self.excess > 0.0, share, self.excess, not candidate.accepted, -candidate.value


def explain(
    matched: Sequence[MatchedItem],
    events: Sequence[Event],
    matcher: Matcher,
    phrase: str | None = None,
    at: float | None = None,
) -> list[Explanation]:
    """Explanations in order of the visits, then of the phrase set.

    `matched` and `events` are what pipeline.analyse returns for a recording. `phrase` is the id of a phrase or an
    offence; None is every owed phrase that was not heard. `at` is in seconds; None is the whole recording.
    """
    segments = list(_segments(matched, matcher))
    around = [segment for segment in segments if segment.is_around(at)]
    titles = matcher.phrases.titles()
    found = []
    for id_, visit, verdict, start, end in _targets(events, phrase, at):
        closest = _closest(id_, (segment for segment in around if start <= segment.start <= end))
        if closest is not None:
            found.append(_explanation(closest, titles[id_], visit, verdict, segments))
    if phrase is None and at is not None and not found:
        every = ((id_, _closest(id_, around)) for id_ in titles)
        ranked = sorted((closest.excess, id_, closest) for id_, closest in every if closest is not None)
        found = [_explanation(one, titles[id_], None, None, segments) for _, id_, one in ranked[:MAX_CLOSEST]]
    return found


def _targets(
    events: Sequence[Event], phrase: str | None, at: float | None
) -> Iterator[tuple[str, int | None, str | None, float, float]]:
    """What to explain, as (phrase, visit, verdict, start and end of the search in seconds)."""
    if phrase is not None:
        verdicts = ((event.visit, event.verdict) for event in events if event.phrase == phrase and event.verdict)
        yield phrase, *next(verdicts, (None, None)), 0.0, float("inf")
        return
    opened = {event.visit: event.at for event in events if event.kind == "visit_opened"}
    for event in events:
        missed = event.kind == "phrase" and event.detail.get("required") and event.verdict in {"not_heard", "unknown"}
        if missed and (at is None or opened[event.visit] - AROUND <= at <= event.at + AROUND):
            yield str(event.phrase), event.visit, str(event.verdict), opened[event.visit], event.at


def _segments(matched: Iterable[MatchedItem], matcher: Matcher) -> Iterator[_Segment]:
    """The utterances that hold speech, each with the words right before it in which a wording may have begun."""
    before: tuple[Word, ...] = ()
    speaker: Speaker = "unknown"
    for item in matched:
        if isinstance(item, Gap | VisitToggle):
            before = ()
        if not isinstance(item, MatchedUtterance):
            continue
        utterance = item.utterance
        before = before if continues(before, speaker, utterance) else ()
        speaker = utterance.speaker
        syllables = to_syllables(utterance, matcher.phrases.hearing.clause_pause, before)
        if len(syllables) > syllables.own_start:
            yield _Segment(syllables, matcher.for_prior(item.prior), item)
        before = (*before, *utterance.words)[-MAX_PRECEDING_WORDS:]


def _closest(phrase: str, segments: Iterable[_Segment]) -> _Closest | None:
    """The closest alignment of any wording of a phrase or an offence, one that passes first; None without speech."""
    found = (
        _Closest(candidate, segment)
        for segment in segments
        for pattern in segment.matcher.patterns
        if phrase in pattern.owners and pattern.role in {"phrase", "forbidden"}
        if (candidate := _candidate(pattern, segment.syllables)) is not None
    )
    return min(found, key=_Closest.order, default=None)


def _candidate(pattern: Pattern, syllables: Syllables) -> Candidate | None:
    candidate = _aligned(pattern, pattern, syllables)
    if candidate is not None and (spans := _unsaid(candidate)):
        candidate = _aligned(pattern, with_optional_spans(pattern, spans), syllables)
    return candidate if candidate is not None and is_admissible(candidate, syllables) else None


def _aligned(pattern: Pattern, variant: Pattern, syllables: Syllables) -> Candidate | None:
    """The candidate of a pattern where `variant`, the same pattern with other costs, is closest."""
    aligned = align(variant, syllables, 0, len(syllables), {})
    if aligned is None or all(unit == UNALIGNED for unit in aligned.partners):
        return None
    return score_alignment(aligned._replace(pattern=pattern))


def _unsaid(candidate: Candidate) -> list[tuple[int, int]]:
    """The spans of the courtesies whose absence is why a candidate is refused."""
    return missing_courtesies(candidate.pattern, candidate.costs) if candidate.allowed < 0 else []


def _contexts(closest: _Closest, segments: Iterable[_Segment]) -> Iterator[str]:
    """The contexts in the utterance of an offence, or before it, that excuse it (see matching.is_excused)."""
    candidate, own = closest.candidate, closest.segment
    since, until = context_window(candidate, own.syllables, own.matcher.phrases.hearing.context)
    for segment in segments:
        customer = segment is not own and segment.matched.utterance.speaker == "customer"
        if segment.start > own.start or segment.syllables.ends[-1] < since or customer:
            continue
        for context in contexts_for(candidate.pattern.owner, search_candidates(segment.matcher, segment.syllables)):
            if overlaps_window(context, segment.syllables, since, until):
                yield mask_numbers(segment.syllables.text(context.first, context.last))


def _explanation(
    closest: _Closest, title: str, visit: int | None, verdict: str | None, segments: Iterable[_Segment]
) -> Explanation:
    candidate, segment, syllables = closest.candidate, closest.segment, closest.segment.syllables
    pattern, findings = candidate.pattern, segment.matched.findings
    start, end = syllables.starts[candidate.first], syllables.ends[candidate.last - 1]
    overlapping = (hit.owner for hit in (*findings.phrases, *findings.offences) if hit.start < end and hit.end > start)
    owners = tuple(dict.fromkeys(overlapping))
    excused = pattern.role == "forbidden" and candidate.accepted and pattern.owner not in owners
    contexts = tuple(dict.fromkeys(_contexts(closest, segments))) if excused else ()
    return Explanation(
        phrase=pattern.owner,
        title=title,
        visit=visit,
        verdict=verdict or ("excused" if contexts else "passes" if candidate.accepted else "too far"),
        wording=pattern.wording,
        heard=mask_numbers("…".join(syllables.text(first, last) for first, last in candidate.pieces)),
        start=round(start, 2),
        end=round(end, 2),
        closeness=candidate.score,
        line=round(100 * (1 - candidate.allowed / pattern.weight), 1),
        likely=segment.matcher.is_likely(pattern.owner),
        passes=candidate.accepted,
        instead=tuple(o for o in owners if o != pattern.owner) if candidate.accepted and verdict != "heard" else (),
        excused_by=contexts,
        columns=tuple(_columns(candidate, syllables)),
        unsaid=tuple("".join(map(str, pattern.units[first:last])) for first, last in _unsaid(candidate)),
        broken_off=candidate.veto == "broken_off",
        contrary=candidate.veto == "contrary",
        torn=candidate.veto == "fragmented",
        cure=() if candidate.accepted else _correction(candidate, syllables),
    )


def _columns(candidate: Candidate, syllables: Syllables) -> Iterator[AlignedColumn]:
    """The alignment with the insertions inside it. The speech that fills a slot is not shown."""
    pattern, last = candidate.pattern, None
    for at, unit in enumerate(candidate.partners):
        if last is not None and unit != UNALIGNED:
            for extra in range(last + 1, unit):
                yield AlignedColumn(
                    "", "", syllables.units[extra], syllables.sounds[extra], syllables.insertion_costs[extra]
                )
        last = unit if unit != UNALIGNED else last
        wanted, sound = pattern.units[at], pattern.sounds[at]
        if wanted is None:
            if unit != UNALIGNED:
                yield AlignedColumn("…", "", "…", "", 0.0)
        elif unit == UNALIGNED:
            yield AlignedColumn(wanted, str(sound), "", "", candidate.costs[at])
        else:
            yield AlignedColumn(wanted, str(sound), syllables.units[unit], syllables.sounds[unit], candidate.costs[at])


def _correction(candidate: Candidate, syllables: Syllables) -> tuple[str, ...]:
    """The fewest syllables with which the candidate would have passed; those with the highest cost are tried first."""
    pattern = candidate.pattern
    wrong = [
        at
        for at, (wanted, unit) in enumerate(zip(pattern.units, candidate.partners, strict=True))
        if wanted is not None and (unit == UNALIGNED or syllables.units[unit] != wanted)
    ]
    wrong.sort(key=lambda at: (-candidate.costs[at], at))
    for count in range(1, len(wrong) + 1):
        corrected = sorted(wrong[:count])
        if _passes_with(candidate, syllables, corrected):
            return tuple(str(pattern.units[at]) for at in corrected)
    return ()


def _passes_with(candidate: Candidate, syllables: Syllables, corrected: Sequence[int]) -> bool:
    """Whether the candidate passes if these syllables of its wording are recognised correctly."""
    words = list(map(Word, syllables.units, syllables.starts, syllables.ends, syllables.confidence))
    following = candidate.first  # the unit before which a missing syllable is inserted
    for at, unit in enumerate(candidate.partners):
        following = max(following, unit + 1) if unit != UNALIGNED else following
        if at not in corrected:
            continue
        wanted = str(candidate.pattern.units[at])
        if unit != UNALIGNED:
            words[unit] = replace(words[unit], text=wanted)
        elif following < len(words):
            words[following] = replace(words[following], text=wanted + words[following].text)
        else:
            words[-1] = replace(words[-1], text=words[-1].text + wanted)
    utterance = Utterance(words[0].start, words[-1].end, tuple(words))
    passing = _candidate(candidate.pattern, to_syllables(utterance, float("inf")))
    return passing is not None and passing.accepted

"""Why a verdict was given: the closest speech aligned with a template, what counts how much, what would pass."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    Alignment,
    Candidate,
    Matcher,
    Syllables,
    context_window,
    contexts_for,
    continues,
    frame_of,
    matcher_of,
    overlaps_window,
    search_candidates,
    shares,
    threshold,
    to_syllables,
)

AROUND: Final = 10.0
"""Seconds before and after the time that is asked about."""
MAX_CLOSEST: Final = 3
"""Phrases explained for a time at which nothing else is to be explained."""
MAX_PRECEDING_WORDS: Final = 12
"""Words of the preceding utterances that are searched together with each utterance."""
EXPLAINED: Final = frozenset({"phrase", "forbidden", "when", "trigger"})
"""Roles of templates that are explained."""
ACCUSED: Final = frozenset({"forbidden", "broken"})
"""Verdicts that cost points for what was said."""


@dataclass(frozen=True, slots=True)
class AlignedColumn:
    """One syllable of a template and what is aligned with it."""

    wanted: str
    """The character, or the word in letters; `…` for a slot; empty for an insertion."""
    wanted_sound: str
    heard: str
    """As it was recognised; `…` in a slot; empty for a deletion."""
    heard_sound: str
    bits: float
    """What it adds to the evidence; below 0 it speaks against."""
    same: bool
    """Whether it is the same character."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The closest speech to a phrase, an offence or a rule. The fields are the keys of `explain --format jsonl`."""

    phrase: str
    title: str
    visit: int | None
    verdict: str
    """As recorded; `passes`, `excused` or `too far` where nothing is recorded."""
    wording: str
    """The sentence of the template that comes closest."""
    heard: str
    start: float
    """Seconds into the recording."""
    end: float
    """Seconds into the recording."""
    closeness: float
    """Similarity, 0-100."""
    posterior: float
    """Probability, 0-1, that it was said."""
    threshold: float
    """The posterior that is needed here."""
    least: float | None
    """The closeness that is needed instead, where the phrase set gives a threshold."""
    shares: Mapping[str, float]
    """What each feature adds to the log-odds of the posterior."""
    likely: bool
    """Whether it was expected, because a phrase (or the scenario) was heard in it or in the minute before."""
    passes: bool
    instead: tuple[str, ...]
    """Ids of the phrases and offences that were found in the same speech, because they match it better."""
    excused_by: tuple[str, ...]
    """The contexts, as recognised, because of which an offence or a rule does not count."""
    frame: str | None
    """Title of the frame in which it stands: reported, asked back, about somebody else."""
    columns: tuple[AlignedColumn, ...]
    veto: str | None
    """`contrary`: it says the opposite. `person`: it is about somebody else."""
    cure: tuple[str, ...]
    """The fewest syllables that would have to be heard correctly to pass; empty if none are enough."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """An utterance as it was matched."""

    syllables: Syllables
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
    """The best alignment of a template of a phrase."""

    candidate: Candidate
    segment: _Segment
    matcher: Matcher
    """That of the phrase alone."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What to explain."""

    phrase: str
    visit: int | None = None
    verdict: str | None = None
    start: float = 0.0
    """Start and end of the search in seconds."""
    end: float = float("inf")


def explain(
    matched: Sequence[MatchedItem],
    events: Sequence[Event],
    matcher: Matcher,
    phrase: str | None = None,
    at: float | None = None,
) -> list[Explanation]:
    """Explanations in order of time.

    `matched` and `events` are what pipeline.analyse returns for a recording. `phrase` is the id of a phrase, an offence
    or a rule; None is every owed phrase that was not heard, every offence and every broken rule. `at` is in seconds;
    None is the whole recording.
    """
    segments = list(_segments(matched, matcher))
    around = [segment for segment in segments if segment.is_around(at)]
    titles = matcher.phrases.titles()
    found = []
    for target in _targets(events, phrase, at):
        own = matcher_of(matcher, target.phrase)
        closest = _closest(own, (one for one in around if target.start <= one.start <= target.end))
        if closest is not None:
            found.append(_explanation(closest, titles[target.phrase], target, segments, matcher))
    if phrase is None and at is not None and not found:
        every = (_closest(matcher_of(matcher, id_), around) for id_ in titles)
        ranked = sorted((one for one in every if one), key=lambda one: -one.candidate.posterior)[:MAX_CLOSEST]
        targets = [_Target(one.candidate.owner) for one in ranked]
        found = [
            _explanation(one, titles[target.phrase], target, segments, matcher)
            for one, target in zip(ranked, targets, strict=True)
        ]
    return found


def _targets(events: Sequence[Event], phrase: str | None, at: float | None) -> Iterator[_Target]:
    if phrase is not None:
        verdicts = ((event.visit, event.verdict) for event in events if event.phrase == phrase and event.verdict)
        yield _Target(phrase, *next(verdicts, (None, None)))
        return
    opened = {event.visit: event.at for event in events if event.kind == "visit_opened"}
    for event in events:
        missed = event.kind == "phrase" and event.detail.get("required") and event.verdict in {"not_heard", "unknown"}
        since = opened.get(event.visit, 0.0) if missed else event.at
        asked = at is None or since - AROUND <= at <= event.at + AROUND
        is_said = "figure" not in event.detail  # of a limit of the manner no words tell
        if asked and is_said and event.phrase and (missed or event.verdict in ACCUSED):
            end = event.at if missed else event.at + AROUND
            yield _Target(event.phrase, event.visit, event.verdict, since - (0.0 if missed else AROUND), end)


def _segments(matched: Iterable[MatchedItem], matcher: Matcher) -> Iterator[_Segment]:
    """The utterances that hold speech, each with the words right before it in which a template may have begun."""
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
            yield _Segment(syllables, item)
        before = (*before, *utterance.words)[-MAX_PRECEDING_WORDS:]


def _closest(own: Matcher, segments: Iterable[_Segment]) -> _Closest | None:
    """The most probable candidate of a phrase, an accepted one first; None if nothing comes near it."""
    found = (
        _Closest(candidate, segment, own)
        for segment in segments
        for candidate in search_candidates(own, segment.syllables, segment.matched.prior)
        if candidate.role in EXPLAINED
    )
    return max(found, key=lambda one: (one.candidate.accepted, one.candidate.posterior), default=None)


def _contexts(closest: _Closest, segments: Iterable[_Segment]) -> Iterator[str]:
    """The contexts in the utterance of an offence, or before it, that excuse it (see matching.is_excused)."""
    candidate, own = closest.candidate, closest.segment
    since, until = context_window(candidate, closest.matcher.phrases.hearing.context)
    for segment in segments:
        customer = segment is not own and segment.matched.utterance.speaker == "customer"
        if segment.start > own.start or segment.syllables.ends[-1] < since or customer:
            continue
        accepted = (one for one in search_candidates(closest.matcher, segment.syllables) if one.accepted)
        for context in contexts_for(candidate.owner, accepted):
            if overlaps_window(context, since, until):
                yield mask_numbers(segment.syllables.text(context.first, context.last))


def _explanation(
    closest: _Closest, title: str, target: _Target, segments: Iterable[_Segment], matcher: Matcher
) -> Explanation:
    candidate, syllables = closest.candidate, closest.segment.syllables
    findings, alignment = closest.segment.matched.findings, candidate.alignment
    start, end = syllables.starts[candidate.first], syllables.ends[candidate.last - 1]
    overlapping = (hit.owner for hit in (*findings.phrases, *findings.offences) if hit.start < end and hit.end > start)
    owners = tuple(dict.fromkeys(overlapping))
    accusing = candidate.role != "phrase" and candidate.accepted
    contexts = tuple(dict.fromkeys(_contexts(closest, segments))) if accusing and candidate.owner not in owners else ()
    accepted = [one for one in search_candidates(matcher, syllables, closest.segment.matched.prior) if one.accepted]
    frame = frame_of(candidate, accepted, matcher) if candidate.accepted else None
    excused = bool(contexts) or (frame is not None and frame.makes == "nothing")
    unrecorded = "too far" if excused or not candidate.accepted else "passes"
    return Explanation(
        phrase=candidate.owner,
        title=title,
        visit=target.visit,
        verdict=target.verdict or ("excused" if accusing and excused else unrecorded),
        wording=alignment.text,
        heard=mask_numbers(alignment.heard),
        start=round(start, 2),
        end=round(end, 2),
        closeness=candidate.similarity,
        posterior=round(candidate.posterior, 4),
        threshold=threshold(candidate),
        least=alignment.entry.threshold,
        shares={name: round(value, 2) for name, value in shares(candidate).items()},
        likely=bool(candidate.features.get("expected")),
        passes=candidate.accepted,
        instead=tuple(o for o in owners if o != candidate.owner)
        if candidate.accepted and target.verdict not in {"heard", *ACCUSED}
        else (),
        excused_by=contexts,
        frame=frame.title if frame else None,
        columns=tuple(_columns(alignment)),
        veto=candidate.veto,
        cure=() if candidate.accepted else _correction(closest),
    )


def _columns(alignment: Alignment) -> Iterator[AlignedColumn]:
    """The alignment with the insertions inside it. The speech that fills a slot is not shown."""
    syllables, last = alignment.syllables, None
    for step in alignment.steps:
        unit = step.partner
        if last is not None and unit != UNALIGNED:
            for extra in range(last + 1, unit):
                bits = round(syllables.insertion_scores[extra], 2)
                yield AlignedColumn("", "", syllables.units[extra], syllables.sounds[extra], bits, same=False)
        last = unit if unit != UNALIGNED else last
        if not step.unit:
            yield AlignedColumn("…", "", "…", "", 0.0, same=True)
            continue
        heard, sound = ("", "") if unit == UNALIGNED else (syllables.units[unit], syllables.sounds[unit])
        yield AlignedColumn(step.unit, step.sound, heard, sound, round(step.bits, 2), same=heard == step.unit)


def _correction(closest: _Closest) -> tuple[str, ...]:
    """The fewest syllables with which the candidate would have passed; those that cost most are tried first."""
    steps, syllables = closest.candidate.alignment.steps, closest.segment.syllables
    wrong = [
        at
        for at, step in enumerate(steps)
        if step.unit and (step.partner == UNALIGNED or syllables.units[step.partner] != step.unit)
    ]
    wrong.sort(key=lambda at: (steps[at].bits - steps[at].full, at))
    for count in range(1, len(wrong) + 1):
        corrected = sorted(wrong[:count])
        if _passes_with(closest, corrected):
            return tuple(steps[at].unit for at in corrected)
    return ()


def _passes_with(closest: _Closest, corrected: Sequence[int]) -> bool:
    """Whether the phrase passes if these syllables of its template are recognised correctly."""
    candidate, syllables = closest.candidate, closest.segment.syllables
    words = list(map(Word, syllables.units, syllables.starts, syllables.ends, syllables.confidence))
    following = candidate.first  # the unit before which a missing syllable is inserted
    for at, step in enumerate(candidate.alignment.steps):
        unit = step.partner
        following = max(following, unit + 1) if unit != UNALIGNED else following
        if at not in corrected:
            continue
        if unit != UNALIGNED:
            words[unit] = replace(words[unit], text=step.unit)
        elif following < len(words):
            words[following] = replace(words[following], text=step.unit + words[following].text)
        else:
            words[-1] = replace(words[-1], text=words[-1].text + step.unit)
    utterance = Utterance(words[0].start, words[-1].end, tuple(words))
    heard = search_candidates(closest.matcher, to_syllables(utterance, float("inf")), closest.segment.matched.prior)
    return any(one.accepted and one.role == candidate.role for one in heard)

"""Finds the wordings of a phrase set in what was said, by sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from counter_listener.domain import (
    Findings,
    Gap,
    Hit,
    MatchedItem,
    MatchedUtterance,
    RecentContext,
    RuleHit,
    Speaker,
    StreamItem,
    Utterance,
    VisitToggle,
    Word,
    mask_numbers,
)
from counter_listener.matching.beginnings import may_continue
from counter_listener.matching.competition import COMPETING, select_best
from counter_listener.matching.implied import implied_candidates
from counter_listener.matching.matcher import Matcher
from counter_listener.matching.prior import PRIOR_ORDER, RecentPhrases, prior_within
from counter_listener.matching.scoring import Candidate
from counter_listener.matching.search import search_candidates
from counter_listener.matching.syllables import Syllables, split_long, to_syllables

MAX_SPLIT_PAUSE: Final = 1.0
"""Longest pause, in seconds, over which a wording may go on in the next utterance."""
MAX_COURTESY_DISTANCE: Final = 2
"""Units between a request and a courtesy that was written as another word of its sound."""
MIN_CONTINUATION_SCORE: Final = 85.0
"""Least closeness of a wording whose beginning was told as another phrase: two phrases in a row are likelier."""
TIME_TOLERANCE: Final = 1e-6
"""Seconds by which times that are one may differ."""


def match(items: Iterable[StreamItem], matcher: Matcher) -> Iterator[MatchedItem]:
    """Each utterance with what was found in it, contexts shortly before it included; gaps and ticks pass through.

    A wording that a pause of up to `SPLIT` seconds cuts in two is found in the second of its utterances, also where its
    beginning is a phrase of its own (谢谢您的 / 信任). Where one phrase is found, others are likelier, in the same
    utterance and for a while after it; those of a scenario only where it was triggered or one of them was found.
    """
    scopes = (rule.scope for rule in matcher.phrases.rule if not isinstance(rule.scope, str))
    memory, clause_pause = max([matcher.phrases.hearing.context, *scopes]), matcher.phrases.hearing.clause_pause
    marks: tuple[RecentContext, ...] = ()
    before: tuple[Word, ...] = ()
    closing: LastPhrase | None = None
    speaker: Speaker = "unknown"
    lately = RecentPhrases()
    for item in items:
        if not isinstance(item, Utterance):
            before, closing = ((), None) if isinstance(item, Gap | VisitToggle) else (before, closing)
            yield item
            continue
        for part in split_long(item):
            marks = tuple(mark for mark in marks if mark.end >= part.start - memory)
            closing = closing if closing and continues(closing.words, speaker, part) else None
            before, speaker = before if continues(before, speaker, part) else (), part.speaker
            spoken = to_syllables(part, clause_pause, before)
            expected = lately.expected(part.start)
            findings = find_in_syllables(matcher.when(expected), spoken, marks)
            lately = lately.after(findings, matcher.of_scenarios)
            more = max(expected, prior_within(findings, matcher.of_scenarios), key=PRIOR_ORDER.index)
            if more != expected:
                expected, findings = more, find_in_syllables(matcher.when(more), spoken, marks)
            if closing and part.start - closing.words[-1].end > TIME_TOLERANCE:  # not where we cut it ourselves
                wider = to_syllables(part, clause_pause, closing.last_words())
                if may_continue(matcher.beginnings, wider, closing.hit.owner):
                    longer = find_in_syllables(matcher.when(expected), wider, marks)
                    findings = longer if any(map(closing.goes_on_in, longer.phrases)) else findings
            if part.speaker != "customer":  # whose apology is not the clerk's
                marks = findings.marks
            yield MatchedUtterance(part, findings, len(spoken) - spoken.own, expected)
            ended = max(findings.phrases, key=lambda hit: hit.end, default=None)
            closing = LastPhrase(ended, part.words) if ended else None
            before = _open_end((*before, *part.words), findings, matcher.longest)


@dataclass(frozen=True, slots=True)
class LastPhrase:
    """The last phrase of an utterance, which may begin a longer wording, and the words of the utterance."""

    hit: Hit
    words: tuple[Word, ...]

    def last_words(self) -> tuple[Word, ...]:
        """The words from the phrase on."""
        return tuple(word for word in self.words if word.start >= self.hit.start - TIME_TOLERANCE)

    def goes_on_in(self, hit: Hit) -> bool:
        """Whether a hit of the next utterance is a wording of another phrase, of which this was the beginning."""
        return (
            hit.start <= self.hit.start + TIME_TOLERANCE
            and hit.owner != self.hit.owner
            and hit.score >= MIN_CONTINUATION_SCORE
        )


def continues(before: tuple[Word, ...], speaker: Speaker, part: Utterance) -> bool:
    """Whether a wording may go on from these words of a speaker into what is said next."""
    return bool(before) and part.start - before[-1].end <= MAX_SPLIT_PAUSE and part.speaker == speaker


def _open_end(words: tuple[Word, ...], findings: Findings, most: int) -> tuple[Word, ...]:
    """The last words in which nothing was found yet, `most` at most: a wording may have begun in them."""
    told = max((hit.end for hit in (*findings.phrases, *findings.offences)), default=0.0)
    return tuple(word for word in words[-most:] if word.start >= told - TIME_TOLERANCE)


def find_in_utterance(matcher: Matcher, utterance: Utterance, earlier: Iterable[RecentContext] = ()) -> Findings:
    """What an utterance holds of the phrase set; `earlier` are the marks of what was said just before."""
    return find_in_syllables(matcher, to_syllables(utterance, matcher.phrases.hearing.clause_pause), earlier)


def find_in_syllables(matcher: Matcher, spoken: Syllables, earlier: Iterable[RecentContext] = ()) -> Findings:
    """What was said holds of the phrase set.

    Owed and forbidden wordings compete: of those that overlap, the better explanations stay. Courtesy words, rules
    and triggers are looked for on their own.
    """
    if len(spoken) == spoken.own:
        return Findings(marks=tuple(earlier))
    before = tuple(earlier)
    standing = search_candidates(matcher, spoken)
    marks = (
        *before,
        *(_mark_of(place, spoken) for place in standing if place.pattern.role in {"unless", "need"} and place.sure),
    )
    reach = matcher.phrases.hearing.context
    free = [place for place in standing if not is_excused(place, standing, spoken, before, reach)]
    winners = select_best((place for place in free if place.pattern.role in COMPETING), spoken)
    within = [word for place in winners for word in implied_candidates(place, matcher.inside)]
    words = [place for place in (*free, *within) if place.pattern.role == "word"]
    return Findings(
        phrases=_hits(spoken, (place for place in winners if place.pattern.role == "phrase")),
        offences=_hits(spoken, (place for place in winners if place.pattern.role == "forbidden")),
        words=_hits(spoken, select_best(words, spoken)),
        triggers=_hits(spoken, select_best((place for place in free if place.pattern.role == "trigger"), spoken)),
        rules=tuple(rule_hits(free, (*standing, *within), winners, spoken, marks, matcher)),
        marks=marks,
    )


def _mark_of(place: Candidate, spoken: Syllables) -> RecentContext:
    return RecentContext(place.pattern.role, place.pattern.owners, spoken.ends[place.last - 1])


def is_excused(
    place: Candidate, found: Iterable[Candidate], spoken: Syllables, earlier: Iterable[RecentContext], reach: float
) -> bool:
    """Whether a context of its owner takes its meaning away.

    That of an offence may stand up to `reach` seconds before it, in another utterance too, or after it: a recogniser
    makes one utterance of a minute's talk, and one clause where two people leave no pause, and what was said at its
    other end excuses nothing. That of a scenario stands in the same utterance, and that of a rule in the same clause.
    """
    role = place.pattern.role
    if role not in {"forbidden", "when", "trigger"}:
        return False
    owner = place.pattern.owner
    contexts = contexts_for(owner, found)
    if role == "trigger":
        return any(contexts)
    if role == "when":
        return any(spoken.clauses[other.first] == spoken.clauses[place.first] for other in contexts)
    since, until = context_window(place, spoken, reach)
    if any(overlaps_window(other, spoken, since, until) for other in contexts):
        return True
    return any(mark.role == "unless" and owner in mark.owners and mark.end >= since for mark in earlier)


def contexts_for(owner: str, found: Iterable[Candidate]) -> list[Candidate]:
    """The contexts that may take the meaning of something of this id away."""
    return [place for place in found if place.pattern.role == "unless" and owner in place.pattern.owners]


def context_window(place: Candidate, spoken: Syllables, reach: float) -> tuple[float, float]:
    """From when until when, in seconds into the stream, a context may stand that excuses an offence."""
    return spoken.starts[place.first] - reach, spoken.ends[place.last - 1] + reach


def overlaps_window(place: Candidate, spoken: Syllables, since: float, until: float) -> bool:
    """Whether some of a place was said between two moments."""
    return spoken.ends[place.last - 1] >= since and spoken.starts[place.first] <= until


def rule_hits(  # noqa: PLR0913 - what was found, and in what
    free: Iterable[Candidate],
    found: Iterable[Candidate],
    winners: Sequence[Candidate],
    spoken: Syllables,
    marks: Iterable[RecentContext],
    matcher: Matcher,
) -> Iterator[RuleHit]:
    """For each clause in which a rule asks, whether the courtesy it needs was there, or in a phrase that holds both."""
    seen: set[tuple[str, int]] = set()
    courtesies = [place for place in found if place.pattern.role == "need"]
    for place in select_best((place for place in free if place.pattern.role == "when"), spoken):
        rule, clause = matcher.rules[place.pattern.owner], spoken.clauses[place.first]
        if (rule.id, clause) in seen:
            continue
        seen.add((rule.id, clause))
        needs = [need for need in courtesies if rule.id in need.pattern.owners]
        if rule.scope == "clause":
            whole = [one for one in winners if one.first < place.last <= one.last]
            needs = [
                need
                for need in needs
                if spoken.clauses[need.first] == clause or any(one.first <= need.first for one in whole)
            ]
        kept = any(need.sure or 0 <= place.first - need.last <= MAX_COURTESY_DISTANCE for need in needs)
        if not isinstance(rule.scope, str):
            since = spoken.starts[place.first] - rule.scope
            kept |= any(mark.role == "need" and rule.id in mark.owners and mark.end >= since for mark in marks)
        yield RuleHit(_hit_of(place, spoken), kept)


def _hits(spoken: Syllables, found: Iterable[Candidate]) -> tuple[Hit, ...]:
    return tuple(_hit_of(place, spoken) for place in found)


def _hit_of(place: Candidate, spoken: Syllables) -> Hit:
    pattern = place.pattern
    return Hit(
        owner=pattern.owner,
        wording=pattern.wording,
        heard=mask_numbers("…".join(spoken.text(first, last) for first, last in place.pieces)),
        start=spoken.starts[place.first],
        end=spoken.ends[place.last - 1],
        score=place.score,
        shared=pattern.shared,
    )

"""Finds the phrases, offences, courtesy words and rules of a phrase set in a stream of utterances, by sound."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from counter_listener.domain import (
    Findings,
    Gap,
    Hit,
    MatchedItem,
    MatchedUtterance,
    RecentContext,
    Role,
    Speaker,
    StreamItem,
    Utterance,
    VisitToggle,
    Word,
    mask_numbers,
)
from counter_listener.matching.alignment import UNALIGNED
from counter_listener.matching.competition import COMPETING, select_best
from counter_listener.matching.compilation import ImpliedCourtesies, may_continue
from counter_listener.matching.matcher import PRIOR_ORDER, Matcher, RecentPhrases, prior_within
from counter_listener.matching.scoring import Candidate
from counter_listener.matching.search import search_candidates
from counter_listener.matching.syllables import Syllables, split_long, to_syllables

MAX_SPLIT_PAUSE: Final = 1.0
"""Longest pause, in seconds, over which a wording may continue in the next utterance."""
MAX_COURTESY_DISTANCE: Final = 2
"""Units between a request and a courtesy that was found by its sound alone."""
MIN_CONTINUATION_SCORE: Final = 85.0
"""Least similarity of a wording whose beginning is a hit of another phrase: two phrases in a row are more likely."""
TIME_TOLERANCE: Final = 1e-6
"""Seconds by which equal times may differ."""


def match(items: Iterable[StreamItem], matcher: Matcher) -> Iterator[MatchedItem]:
    """Each utterance with its findings; contexts shortly before it count. Gaps and ticks pass through.

    A wording that a pause of up to `MAX_SPLIT_PAUSE` seconds divides is found in the second of its utterances, also
    where its beginning is a phrase itself (谢谢您的 / 信任). After a phrase others are more likely for a while, those
    of a scenario only after its trigger or one of its phrases.
    """
    scopes = (rule.scope for rule in matcher.phrases.rule if not isinstance(rule.scope, str))
    memory, clause_pause = max([matcher.phrases.hearing.context, *scopes]), matcher.phrases.hearing.clause_pause
    marks: tuple[RecentContext, ...] = ()
    before: tuple[Word, ...] = ()
    last: LastPhrase | None = None
    speaker: Speaker = "unknown"
    recent = RecentPhrases()
    for item in items:
        if not isinstance(item, Utterance):
            before, last = ((), None) if isinstance(item, Gap | VisitToggle) else (before, last)
            yield item
            continue
        for part in split_long(item):
            marks = tuple(mark for mark in marks if mark.end >= part.start - memory)
            last = last if last and continues(last.words, speaker, part) else None
            before, speaker = before if continues(before, speaker, part) else (), part.speaker
            syllables = to_syllables(part, clause_pause, before)
            prior = recent.prior(part.start)
            findings = find_in_syllables(matcher.for_prior(prior), syllables, marks)
            recent = recent.after(findings, matcher.scenario_phrases)
            wider_prior = max(prior, prior_within(findings, matcher.scenario_phrases), key=PRIOR_ORDER.index)
            if wider_prior != prior:
                prior, findings = wider_prior, find_in_syllables(matcher.for_prior(wider_prior), syllables, marks)
            if last and part.start - last.words[-1].end > TIME_TOLERANCE:  # not where split_long has cut
                wider = to_syllables(part, clause_pause, last.last_words())
                if may_continue(matcher.beginnings, wider, last.hit.owner):
                    longer = find_in_syllables(matcher.for_prior(prior), wider, marks)
                    findings = longer if any(map(last.is_continued_by, longer.phrases)) else findings
            if part.speaker != "customer":  # the customer's apology is not the clerk's
                marks = findings.contexts
            yield MatchedUtterance(part, findings, len(syllables) - syllables.own_start, prior)
            final = max(findings.phrases, key=lambda hit: hit.end, default=None)
            last = LastPhrase(final, part.words) if final else None
            before = _words_without_hit((*before, *part.words), findings, matcher.max_units)


@dataclass(frozen=True, slots=True)
class LastPhrase:
    """The last phrase of an utterance, which may begin a longer wording, and the words of the utterance."""

    hit: Hit
    words: tuple[Word, ...]

    def last_words(self) -> tuple[Word, ...]:
        """The words from the phrase on."""
        return tuple(word for word in self.words if word.start >= self.hit.start - TIME_TOLERANCE)

    def is_continued_by(self, hit: Hit) -> bool:
        """Whether a hit of the next utterance is another phrase that began with this one."""
        return (
            hit.start <= self.hit.start + TIME_TOLERANCE
            and hit.owner != self.hit.owner
            and hit.score >= MIN_CONTINUATION_SCORE
        )


def continues(before: tuple[Word, ...], speaker: Speaker, part: Utterance) -> bool:
    """Whether a wording may continue from these words of a speaker into an utterance."""
    return bool(before) and part.start - before[-1].end <= MAX_SPLIT_PAUSE and part.speaker == speaker


def _words_without_hit(words: tuple[Word, ...], findings: Findings, max_words: int) -> tuple[Word, ...]:
    """The last words after every hit, at most `max_words`: a wording may have begun in them."""
    end = max((hit.end for hit in (*findings.phrases, *findings.offences)), default=0.0)
    return tuple(word for word in words[-max_words:] if word.start >= end - TIME_TOLERANCE)


def find_in_utterance(matcher: Matcher, utterance: Utterance, earlier: Iterable[RecentContext] = ()) -> Findings:
    """What an utterance contains of the phrase set; `earlier` are the contexts and courtesies just before it."""
    return find_in_syllables(matcher, to_syllables(utterance, matcher.phrases.hearing.clause_pause), earlier)


def find_in_syllables(matcher: Matcher, syllables: Syllables, earlier: Iterable[RecentContext] = ()) -> Findings:
    """As find_in_utterance. Owed and forbidden wordings compete; courtesy words, rules and triggers do not."""
    before = tuple(earlier)
    if len(syllables) == syllables.own_start:
        return Findings(contexts=before)
    found = search_candidates(matcher, syllables)
    new_marks = (
        RecentContext(candidate.pattern.role, candidate.pattern.owners, syllables.ends[candidate.last - 1])
        for candidate in found
        if candidate.pattern.role in {"unless", "need"} and candidate.reliable
    )
    marks = (*before, *new_marks)
    reach = matcher.phrases.hearing.context
    free = [candidate for candidate in found if not is_excused(candidate, found, syllables, before, reach)]
    winners = select_best((candidate for candidate in free if candidate.pattern.role in COMPETING), syllables)
    implied = [courtesy for winner in winners for courtesy in implied_candidates(winner, matcher.implied)]
    words = select_best(_of_role("word", (*free, *implied)), syllables)
    triggers = select_best(_of_role("trigger", free), syllables)
    requests = select_best(_of_role("when", free), syllables)
    return Findings(
        phrases=_hits(_of_role("phrase", winners), syllables),
        offences=_hits(_of_role("forbidden", winners), syllables),
        words=_hits(words, syllables),
        triggers=_hits(triggers, syllables),
        rules=tuple(rule_hits(requests, _of_role("need", (*found, *implied)), winners, syllables, marks, matcher)),
        contexts=marks,
    )


def implied_candidates(candidate: Candidate, implied: ImpliedCourtesies) -> Iterator[Candidate]:
    """The courtesies that a candidate of an owed wording contains.

    A courtesy that a rule needs counts even where it was swallowed, because the whole sentence was said. A courtesy
    word must be heard.
    """
    for courtesy, at in implied.get((candidate.pattern.owner, candidate.pattern.wording), ()):
        partners = candidate.partners[at : at + len(courtesy.units)]
        costs = candidate.costs[at : at + len(courtesy.units)]
        heard = [unit for unit in partners if unit != UNALIGNED]
        if courtesy.role == "word" and (len(heard) < len(partners) or max(costs) >= 1.0):
            continue
        first, last = (heard[0], heard[-1] + 1) if heard else (candidate.first, candidate.first + 1)
        part = candidate._replace(pattern=courtesy, first=first, last=last, partners=partners, costs=costs)
        yield part._replace(cost=sum(costs), allowed=inf, value=courtesy.max_value)


def _of_role(role: Role, candidates: Iterable[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.pattern.role == role]


def is_excused(
    candidate: Candidate,
    found: Iterable[Candidate],
    syllables: Syllables,
    earlier: Iterable[RecentContext],
    reach: float,
) -> bool:
    """Whether a context of its owner excuses a candidate.

    That of an offence may stand up to `reach` seconds before it, in another utterance too, or after it: an utterance
    may be a minute's talk. That of a scenario stands in the same utterance, and that of a rule in the same clause.
    """
    role = candidate.pattern.role
    if role not in {"forbidden", "when", "trigger"}:
        return False
    owner = candidate.pattern.owner
    contexts = contexts_for(owner, found)
    if role == "trigger":
        return any(contexts)
    if role == "when":
        clause = syllables.clauses[candidate.first]
        return any(syllables.clauses[context.first] == clause for context in contexts)
    since, until = context_window(candidate, syllables, reach)
    return any(overlaps_window(context, syllables, since, until) for context in contexts) or any(
        mark.role == "unless" and owner in mark.owners and mark.end >= since for mark in earlier
    )


def contexts_for(owner: str, found: Iterable[Candidate]) -> list[Candidate]:
    """The contexts that may excuse something of this id."""
    return [candidate for candidate in _of_role("unless", found) if owner in candidate.pattern.owners]


def context_window(candidate: Candidate, syllables: Syllables, reach: float) -> tuple[float, float]:
    """From when to when, in seconds into the stream, a context may stand that excuses an offence."""
    return syllables.starts[candidate.first] - reach, syllables.ends[candidate.last - 1] + reach


def overlaps_window(candidate: Candidate, syllables: Syllables, since: float, until: float) -> bool:
    """Whether some of a candidate was said between two times."""
    return syllables.ends[candidate.last - 1] >= since and syllables.starts[candidate.first] <= until


def rule_hits(  # noqa: PLR0913 - what was found, and in what
    requests: Iterable[Candidate],
    courtesies: Iterable[Candidate],
    winners: Sequence[Candidate],
    syllables: Syllables,
    marks: Iterable[RecentContext],
    matcher: Matcher,
) -> Iterator[Hit]:
    """For each clause with a request of a rule: whether the courtesy it needs is there, or in a phrase around both."""
    seen: set[tuple[str, int]] = set()
    for request in requests:
        rule, clause = matcher.rules[request.pattern.owner], syllables.clauses[request.first]
        if (rule.id, clause) in seen:
            continue
        seen.add((rule.id, clause))
        needs = [need for need in courtesies if rule.id in need.pattern.owners]
        if rule.scope == "clause":
            around = [winner for winner in winners if winner.first < request.last <= winner.last]
            needs = [
                need
                for need in needs
                if syllables.clauses[need.first] == clause or any(winner.first <= need.first for winner in around)
            ]
        followed = any(need.reliable or 0 <= request.first - need.last <= MAX_COURTESY_DISTANCE for need in needs)
        if not isinstance(rule.scope, str):
            since = syllables.starts[request.first] - rule.scope
            followed |= any(mark.role == "need" and rule.id in mark.owners and mark.end >= since for mark in marks)
        yield replace(_hit(request, syllables), followed=followed)


def _hits(candidates: Iterable[Candidate], syllables: Syllables) -> tuple[Hit, ...]:
    return tuple(_hit(candidate, syllables) for candidate in candidates)


def _hit(candidate: Candidate, syllables: Syllables) -> Hit:
    pattern = candidate.pattern
    return Hit(
        owner=pattern.owner,
        wording=pattern.wording,
        heard=mask_numbers("…".join(syllables.text(first, last) for first, last in candidate.pieces)),
        start=syllables.starts[candidate.first],
        end=syllables.ends[candidate.last - 1],
        score=candidate.score,
        shared=pattern.shared,
    )

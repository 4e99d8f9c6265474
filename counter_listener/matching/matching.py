"""Finds the phrases, offences, courtesy words and rules of a phrase set in a stream of utterances, by sound."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from counter_listener.domain import (
    Findings,
    Frame,
    Gap,
    Hit,
    MatchedItem,
    MatchedUtterance,
    Prior,
    RecentContext,
    Role,
    Speaker,
    StreamItem,
    Utterance,
    VisitToggle,
    Word,
    mask_numbers,
)
from counter_listener.matching.alignment import align_all, make_stretch
from counter_listener.matching.automata import Automaton, compile_automaton
from counter_listener.matching.contexts import (
    frame_of,
    implied_candidates,
    is_excused,
    is_nothing,
    of_role,
    rule_hits,
    without_partial_words,
)
from counter_listener.matching.matcher import MAX_PRECEDING_UNITS, PRIOR_ORDER, Matcher, RecentPhrases, prior_within
from counter_listener.matching.scoring import Candidate, score
from counter_listener.matching.syllables import Alignment, Syllables, split_long, to_syllables

COMPETING: Final[frozenset[Role]] = frozenset({"phrase", "forbidden"})
FRAMED: Final[frozenset[Role]] = frozenset({"phrase", "forbidden", "when", "trigger"})
SPANNING: Final[frozenset[Role]] = frozenset({"phrase", "forbidden", "not_in"})
"""Roles that may begin in the previous utterance. A rule is about one clause; a context counts from there anyway."""
WINDOW: Final = 48
"""Units that are searched at once: templates are shorter, and windows overlap by half."""
EXACT_MARGIN: Final = 1
"""Units on either side of a rejected candidate that are searched for an exact one."""
MAX_CACHED_UTTERANCES: Final = 8_192
"""Utterances in the cache of a matcher: 60 MB at most."""
MAX_SPLIT_PAUSE: Final = 1.0
"""Longest pause, in seconds, over which a template may continue in the next utterance."""
UNLIKELY_BITS: Final = 20.0
"""What an unlikely candidate must have more than another one: about two syllables."""
CERTAIN: Final = 75.0
"""Similarity from which a phrase is a hit whatever was said before."""
TIME_TOLERANCE: Final = 1e-6
"""Seconds by which equal times may differ."""


def match(items: Iterable[StreamItem], matcher: Matcher) -> Iterator[MatchedItem]:
    """Each utterance with its findings; contexts shortly before it count. Gaps and ticks pass through.

    A template that a pause of up to `MAX_SPLIT_PAUSE` seconds divides is found in the second of its utterances, also
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
            aligned: list[Alignment] = []
            findings = find_in_syllables(matcher, syllables, marks, prior, aligned)
            recent = recent.after(findings, matcher.scenario_phrases)
            wider_prior = max(prior, prior_within(findings, matcher.scenario_phrases), key=PRIOR_ORDER.index)
            if wider_prior != prior:
                prior, findings = wider_prior, find_in_syllables(matcher, syllables, marks, wider_prior, aligned)
            if last and part.start - last.words[-1].end > TIME_TOLERANCE:  # not where split_long has cut
                wider = to_syllables(part, clause_pause, last.last_words())
                longer = find_in_syllables(matcher, wider, marks, prior)
                findings = longer if any(map(last.is_continued_by, longer.phrases)) else findings
            if part.speaker != "customer":  # the customer's apology is not the clerk's
                marks = findings.contexts
            yield MatchedUtterance(part, findings, len(syllables) - syllables.own_start, prior)
            final = max(findings.phrases, key=lambda hit: hit.end, default=None)
            last = LastPhrase(final, part.words) if final else None
            before = _words_without_hit((*before, *part.words), findings)


@dataclass(frozen=True, slots=True)
class LastPhrase:
    """The last phrase of an utterance, which may begin a longer one, and the words of the utterance."""

    hit: Hit
    words: tuple[Word, ...]

    def last_words(self) -> tuple[Word, ...]:
        """The words from the phrase on."""
        return tuple(word for word in self.words if word.start >= self.hit.start - TIME_TOLERANCE)

    def is_continued_by(self, hit: Hit) -> bool:
        """Whether a hit of the next utterance is another phrase that began with this one."""
        return hit.start <= self.hit.start + TIME_TOLERANCE and hit.owner != self.hit.owner and hit.certain


def continues(before: tuple[Word, ...], speaker: Speaker, part: Utterance) -> bool:
    """Whether a template may continue from these words of a speaker into an utterance."""
    return bool(before) and part.start - before[-1].end <= MAX_SPLIT_PAUSE and part.speaker == speaker


def _words_without_hit(words: tuple[Word, ...], findings: Findings) -> tuple[Word, ...]:
    """The last words after every hit, at most `MAX_PRECEDING_UNITS`: a template may have begun in them."""
    end = max((hit.end for hit in (*findings.phrases, *findings.offences)), default=0.0)
    return tuple(word for word in words[-MAX_PRECEDING_UNITS:] if word.start >= end - TIME_TOLERANCE)


def search_candidates(
    matcher: Matcher, syllables: Syllables, prior: Prior = "nothing", aligned: list[Alignment] | None = None
) -> tuple[Candidate, ...]:
    """The candidates of all templates, accepted or not, overlapping ones included; cached if there is a cache.

    `aligned`, if given, is filled with the alignments, or holds those of an earlier search in the same syllables: they
    are the same whatever is likely.
    """
    cache = matcher.cache
    if cache is None or not syllables.certain:
        return _search(matcher, syllables, prior, [] if aligned is None else aligned)
    # Times do not matter, only where the pauses are.
    key = (syllables.units, syllables.first_in_word, syllables.clauses, (syllables.own_start, prior))
    found = cache.get(key)
    if found is None:
        found = cache[key] = _search(matcher, syllables, prior, [] if aligned is None else aligned)
    with suppress(KeyError):  # another thread of a cluster's worker may remove it now
        cache.move_to_end(key)
        if len(cache) > MAX_CACHED_UTTERANCES:
            cache.popitem(last=False)
    return tuple(replace(one, alignment=one.alignment._replace(syllables=syllables)) for one in found)


def _search(matcher: Matcher, syllables: Syllables, prior: Prior, aligned: list[Alignment]) -> tuple[Candidate, ...]:
    if not aligned:
        aligned += _alignments(matcher.automaton, syllables)
    found = [_scored(matcher, alignment, prior) for alignment in aligned]
    for candidate in [one for one in found if not one.accepted and one.features]:
        entry = candidate.alignment.entry
        near = syllables.units[max(0, candidate.first - EXACT_MARGIN) : candidate.last + EXACT_MARGIN]
        enough = candidate.alignment.same >= entry.template.min_units
        if enough and entry.template.occurs_in(near):  # then the best way through it is another one, and less exact
            alone = compile_automaton([entry], 0.0, 0.0)
            found += [_scored(matcher, one, prior) for one in _alignments(alone, syllables, exact=True)]
    winners = select_best(candidate for candidate in found if candidate.role in COMPETING and candidate.accepted)
    edges = frozenset(edge for winner in winners for edge in (winner.first, winner.last))
    for at, candidate in enumerate(found) if winners else ():
        # People say one sentence right after the other, so a phrase ends the clause of its neighbour.
        beside = candidate.first in edges or candidate.last in edges
        may_pass = candidate.role == "phrase" or (candidate.role == "forbidden" and candidate.spelled)
        if beside and may_pass and not candidate.accepted:
            found[at] = _scored(matcher, candidate.alignment, prior, edges)
    return tuple(found)


def _scored(matcher: Matcher, alignment: Alignment, prior: Prior, edges: frozenset[int] = frozenset()) -> Candidate:
    entry = alignment.entry
    likely = entry.role == "phrase" and matcher.is_likely(entry.owner, prior)
    candidate = score(alignment, edges, expected=likely)
    return candidate if _is_admissible(candidate) else replace(candidate, accepted=False)


def _alignments(automaton: Automaton, syllables: Syllables, *, exact: bool = False) -> Iterator[Alignment]:
    step = WINDOW // 2
    for begin in range(0, max(1, len(syllables) - step), step):
        end = min(len(syllables), begin + WINDOW)
        yield from align_all(make_stretch(automaton, syllables, begin, end, exact=exact))


def _is_admissible(candidate: Candidate) -> bool:
    """Whether a candidate ends in the utterance itself, and begins there or may begin in the previous one.

    The words of two voices must not be joined to one: what begins there has no slot, and an offence is to the letter.
    """
    alignment, own_start = candidate.alignment, candidate.alignment.syllables.own_start
    if candidate.last <= own_start or candidate.first >= own_start:
        return candidate.last > own_start
    whole = alignment.spelled if candidate.role == "forbidden" else all(step.unit for step in alignment.steps)
    return candidate.role in SPANNING and whole


def select_best(candidates: Iterable[Candidate], unlikely: Collection[int] = ()) -> list[Candidate]:
    """The candidates that together have the greatest value, none overlapping, in order of time.

    Weighted interval scheduling: the value of a candidate, and of the best ones that end before it begins. The
    candidates with these ids are unlikely: phrases of a scenario that has not begun, and what stands in a frame.
    """
    ranked = sorted(candidates, key=lambda one: (one.last, one.first, -one.value, sorted(one.owners)))
    lasts = [candidate.last for candidate in ranked]
    best: list[tuple[float, Candidate | None, int]] = [(0.0, None, 0)]
    for number, candidate in enumerate(ranked):
        before = bisect_right(lasts, candidate.first, 0, number)
        handicap = UNLIKELY_BITS if id(candidate) in unlikely else 0.0
        total = best[before][0] + max(1.0, candidate.value - handicap)
        best.append((total, candidate, before) if total > best[-1][0] else (best[-1][0], None, number))
    selected, number = list[Candidate](), len(ranked)
    while number:
        _, chosen, number = best[number]
        if chosen is not None:
            selected.append(chosen)
    return selected[::-1]


def find_in_utterance(
    matcher: Matcher, utterance: Utterance, earlier: Iterable[RecentContext] = (), prior: Prior = "nothing"
) -> Findings:
    """What an utterance contains of the phrase set; `earlier` are the contexts and courtesies just before it."""
    return find_in_syllables(matcher, to_syllables(utterance, matcher.phrases.hearing.clause_pause), earlier, prior)


def find_in_syllables(
    matcher: Matcher,
    syllables: Syllables,
    earlier: Iterable[RecentContext] = (),
    prior: Prior = "nothing",
    aligned: list[Alignment] | None = None,
) -> Findings:
    """As find_in_utterance. Owed and forbidden phrases compete; courtesy words, rules and triggers do not."""
    before = tuple(earlier)
    if len(syllables) == syllables.own_start:
        return Findings(contexts=before)
    found = without_partial_words(
        [one for one in search_candidates(matcher, syllables, prior, aligned) if one.accepted]
    )
    new_marks = (
        RecentContext(candidate.role, candidate.owners, syllables.ends[candidate.last - 1])
        for candidate in found
        if candidate.role in {"unless", "need"}
    )
    marks, scenario = (*before, *new_marks), matcher.scenario_phrases
    reach = matcher.phrases.hearing.context
    free = [candidate for candidate in found if not is_excused(candidate, found, before, reach)]
    framed = {id(one): frame_of(one, found, matcher) for one in free if one.role in FRAMED}
    free = [one for one in free if not is_nothing(framed.get(id(one)))]
    begun = prior == "scenario"
    unlikely = {id(one) for one in free if framed.get(id(one)) or not (begun or one.owners.isdisjoint(scenario))}
    winners = select_best((one for one in free if one.role in COMPETING), unlikely)
    implied = [courtesy for winner in winners for courtesy in implied_candidates(winner, matcher)]
    words = select_best(of_role("word", (*free, *implied)))
    requests = select_best(of_role("when", free))

    def hits(candidates: Iterable[Candidate]) -> tuple[Hit, ...]:
        return tuple(_hit(candidate, framed.get(id(candidate))) for candidate in candidates)

    rules = rule_hits(requests, of_role("need", (*found, *implied)), winners, marks, matcher)
    return Findings(
        phrases=hits(of_role("phrase", winners)),
        offences=hits(of_role("forbidden", winners)),
        words=hits(words),
        triggers=hits(select_best(of_role("trigger", free))),
        errands=hits(select_best(of_role("errand", free))),
        rules=tuple(replace(_hit(one, framed.get(id(one))), followed=followed) for one, followed in rules),
        contexts=marks,
    )


def _hit(candidate: Candidate, frame: Frame | None) -> Hit:
    alignment = candidate.alignment
    syllables = alignment.syllables
    return Hit(
        owner=candidate.owner,
        wording=alignment.text,
        heard=mask_numbers(alignment.heard),
        start=syllables.starts[candidate.first],
        end=syllables.ends[candidate.last - 1],
        score=candidate.similarity,
        shared=alignment.entry.shared or (frame is not None and frame.makes == "shared"),
        frame=frame.id if frame and frame.makes == "unknown" else None,
        certain=candidate.role != "phrase" or not candidate.features.get("expected") or candidate.similarity >= CERTAIN,
    )

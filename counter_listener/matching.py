"""Finds the wordings of a phrase set in what was said, by sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from counter_listener.findings import Findings, Heard, Item, Mark, Role, RuleHit
from counter_listener.phrase_set import Forbidden, PhraseSet, Rule, Scenario
from counter_listener.phrases import SLOT
from counter_listener.pinyin import syllables, written
from counter_listener.privacy import mask
from counter_listener.spoken import Spoken, parts, spell
from counter_listener.types import ByHand, Gap, Hit, Tick, Utterance

UNKNOWN_SOUND: Final = "\x01"
"""Stands for every syllable that no wording has."""
FIRST_SOUND: Final = 0x100
PREFILTER: Final = 60.0
"""Least partial ratio, 0-100, at which a wording is looked at closely; far below every tolerance."""

FORGIVING: Final = ((11, 3), (8, 2), (5, 1))
"""Syllables that may differ in a wording of at least so many. Shorter ones must be exact in sound."""
STRICT: Final = ((14, 2), (9, 1))
"""The same for what accuses somebody, or starts a duty: 我不清楚 must not be found in 你不清楚."""
EXACT: Final[tuple[tuple[int, int], ...]] = ()
"""For contexts: 能不能办理 must not be found in 不能办理, which it would silence."""
TOLERANCE: Final[Mapping[Role, tuple[tuple[int, int], ...]]] = {
    "phrase": FORGIVING,
    "word": EXACT,
    "need": FORGIVING,
    "forbidden": STRICT,
    "when": STRICT,
    "trigger": STRICT,
    "unless": EXACT,
    "not_in": EXACT,
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One wording, ready to be found: fixed pieces of sound with slots of any sound around and between."""

    role: Role
    owner: str
    wording: str
    pieces: tuple[str, ...]
    """One character a syllable."""
    gaps: tuple[tuple[int, int], ...]
    """Least and most syllables before, between and after the pieces: one more than there are pieces."""
    tolerance: int
    character: str | None
    """Of a wording of one syllable: the character, since its sound alone says too little."""
    shared: bool = False

    @property
    def size(self) -> int:
        """Syllables, slots left out."""
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pattern was found: units from first up to, not including, last."""

    pattern: Pattern
    first: int
    last: int
    distance: int
    """Syllables that differ."""
    pieces: tuple[tuple[int, int], ...]
    """The spans of the fixed pieces."""

    def overlaps(self, other: Place) -> bool:
        return self.first < other.last and other.first < self.last

    def within(self, other: Place) -> bool:
        return other.first <= self.first and self.last <= other.last


@dataclass(frozen=True, slots=True)
class Matcher:
    """A phrase set made ready for matching."""

    phrases: PhraseSet
    exact: tuple[Pattern, ...]
    close: tuple[Pattern, ...]
    longest: tuple[str, ...]
    """The longest piece of each close pattern, in the same order."""
    sounds: Mapping[str, str]
    """Syllable to character."""
    rules: Mapping[str, Rule]


def prepare(phrases: PhraseSet) -> Matcher:
    """A matcher for all wordings of a phrase set."""
    sounds: dict[str, str] = {}
    patterns = [pattern for pattern in compiled(phrases, sounds) if pattern.pieces]
    close = tuple(pattern for pattern in patterns if pattern.tolerance)
    return Matcher(
        phrases=phrases,
        exact=tuple(pattern for pattern in patterns if not pattern.tolerance),
        close=close,
        longest=tuple(max(pattern.pieces, key=len) for pattern in close),
        sounds=sounds,
        rules={rule.id: rule for rule in phrases.rule},
    )


def match(items: Iterable[Utterance | Gap | ByHand | Tick], matcher: Matcher) -> Iterator[Item]:
    """Each utterance with what was found in it, contexts shortly before it included; the rest passes through."""
    scopes = (rule.scope for rule in matcher.phrases.rule if not isinstance(rule.scope, str))
    memory = max([matcher.phrases.hearing.context, *scopes])
    marks: tuple[Mark, ...] = ()
    for item in items:
        if not isinstance(item, Utterance):
            yield item
            continue
        for part in parts(item):
            marks = tuple(mark for mark in marks if mark.end >= part.start - memory)
            findings = find(matcher, part, marks)
            if part.speaker != "customer":  # whose apology is not the clerk's
                marks = findings.marks
            yield Heard(part, findings, sum(len(written(word.text)) for word in part.words))


def find(matcher: Matcher, utterance: Utterance, earlier: Iterable[Mark] = ()) -> Findings:
    """What an utterance holds of the phrase set.

    `earlier` are the marks of what was said just before. Owed and forbidden wordings compete: of two that
    overlap, the better explanation stays. Courtesy words, rules and triggers are looked for on their own.
    """
    spoken = spell(utterance, matcher.phrases.hearing.clause_pause)
    if not len(spoken):
        return Findings(marks=tuple(earlier))
    places = standing(tuple(search(matcher, spoken)))
    marks = (
        *earlier,
        *(_mark_of(place, spoken) for place in places if place.pattern.role in {"unless", "need"}),
    )
    reach = matcher.phrases.hearing.context
    free = [place for place in places if not excused(place, places, spoken, marks, reach)]
    winners = compete(place for place in free if place.pattern.role in {"phrase", "forbidden"})
    return Findings(
        phrases=_hits(spoken, (place for place in winners if place.pattern.role == "phrase")),
        offences=_hits(spoken, (place for place in winners if place.pattern.role == "forbidden")),
        words=_hits(spoken, compete(place for place in free if place.pattern.role == "word")),
        triggers=_hits(spoken, compete(place for place in free if place.pattern.role == "trigger")),
        rules=tuple(judged(free, places, spoken, marks, matcher)),
        marks=marks,
    )


def compiled(phrases: PhraseSet, sounds: dict[str, str]) -> Iterator[Pattern]:
    """Every wording as a pattern; `sounds` gains a character for each syllable they use."""

    def patterns(
        role: Role, owner: str, listed: Iterable[str], threshold: float | None = None, **rest: bool
    ) -> Iterator[Pattern]:
        return (_pattern_of(role, owner, wording, phrases, sounds, threshold, **rest) for wording in listed)

    for phrase, _ in phrases.phrases():
        yield from patterns("phrase", phrase.id, phrase.say, phrase.threshold)
        yield from patterns("phrase", phrase.id, phrase.shared, phrase.threshold, shared=True)
        yield from patterns("not_in", phrase.id, phrase.not_in)
    for offence in phrases.forbidden:
        yield from patterns("forbidden", offence.id, offence.say, offence.threshold)
        yield from patterns("forbidden", offence.id, offence.shared, offence.threshold, shared=True)
    for word in phrases.word:
        yield from patterns("word", word.id, word.say)
        yield from patterns("word", word.id, word.shared, shared=True)
    for rule in phrases.rule:
        yield from patterns("when", rule.id, rule.when)
        yield from patterns("when", rule.id, rule.shared, shared=True)
        yield from patterns("need", rule.id, rule.need)
    for scenario in phrases.scenario:
        yield from patterns("trigger", scenario.id, scenario.when)
    excusing: tuple[Forbidden | Rule | Scenario, ...] = (*phrases.forbidden, *phrases.rule, *phrases.scenario)
    for entry in excusing:
        yield from patterns("unless", entry.id, entry.unless)
        yield from patterns("not_in", entry.id, entry.not_in)
    for word in phrases.word:
        yield from patterns("not_in", word.id, word.not_in)


def _pattern_of(  # noqa: PLR0913 - one wording has this many sides
    role: Role,
    owner: str,
    wording: str,
    phrases: PhraseSet,
    sounds: dict[str, str],
    threshold: float | None,
    *,
    shared: bool = False,
) -> Pattern:
    pieces: list[str] = []
    gaps: list[tuple[int, int]] = [(0, 0)]
    for index, part in enumerate(SLOT.split(wording)):
        if index % 2:
            slot = phrases.slots[part]
            gaps[-1] = (gaps[-1][0] + slot.min, gaps[-1][1] + slot.max)
        elif syllables(part):
            pieces.append("".join(sounds.setdefault(s, chr(FIRST_SOUND + len(sounds))) for s in syllables(part)))
            gaps.append((0, 0))
    size = sum(map(len, pieces))
    single = written(SLOT.sub(" ", wording))[0] if size == 1 and gaps == [(0, 0), (0, 0)] else None
    allowed = tolerance(size, role) if threshold is None else int(size * (100 - threshold) / 100)
    return Pattern(role, owner, wording, tuple(pieces), tuple(gaps), allowed, single, shared)


def tolerance(size: int, role: Role) -> int:
    """How many syllables of a wording of this size may differ."""
    return next((allowed for least, allowed in TOLERANCE[role] if size >= least), 0)


def search(matcher: Matcher, spoken: Spoken) -> Iterator[Place]:
    """Every place where a wording stands, overlapping ones included."""
    code = "".join(matcher.sounds.get(sound, UNKNOWN_SOUND) for sound in spoken.sounds)
    for pattern in matcher.exact:
        if pattern.pieces[0] in code:
            yield from places(pattern, code, spoken)
    near = process.extract(code, matcher.longest, scorer=fuzz.partial_ratio, score_cutoff=PREFILTER, limit=None)
    for _, _, index in near:
        yield from places(matcher.close[index], code, spoken)


def places(pattern: Pattern, code: str, spoken: Spoken) -> Iterator[Place]:
    """Where one pattern stands, its pieces in order and each gap no wider than its slot."""
    if pattern.character is not None:
        yield from (
            Place(pattern, i, i + 1, 0, ((i, i + 1),))
            for i, unit in enumerate(spoken.units)
            if unit == pattern.character and spoken.first_in_word[i]
        )
        return
    found = [list(windows(piece, code, pattern.tolerance)) for piece in pattern.pieces]
    for first, last, distance in found[0]:
        spans, total = [(first, last)], distance
        for number, later in enumerate(found[1:], start=1):
            least, most = pattern.gaps[number]
            follow = [w for w in later if least <= w[0] - spans[-1][1] <= most]
            if not follow:
                break
            best = min(follow, key=lambda window: window[2])
            spans.append(best[:2])
            total += best[2]
        complete = len(spans) == len(found) and total <= pattern.tolerance
        if complete and first >= pattern.gaps[0][0] and len(code) - spans[-1][1] >= pattern.gaps[-1][0]:
            yield Place(pattern, first, spans[-1][1], total, tuple(spans))


def windows(piece: str, code: str, allowed: int) -> Iterator[tuple[int, int, int]]:
    """Stretches of code (first, last, syllables that differ) that come within `allowed` of a piece; none overlap."""
    allowed = min(allowed, len(piece) // 3)
    if not allowed:
        at = code.find(piece)
        while at >= 0:
            yield at, at + len(piece), 0
            at = code.find(piece, at + len(piece))
        return
    todo = [(0, len(code))]
    while todo:
        begin, end = todo.pop()
        if end - begin < len(piece) - allowed:
            continue
        window = _best_window(piece, code, begin, end, allowed)
        if window is None:
            continue
        yield window
        todo += [(begin, window[0]), (window[1], end)]


def _best_window(piece: str, code: str, begin: int, end: int, allowed: int) -> tuple[int, int, int] | None:
    found = fuzz.partial_ratio_alignment(piece, code[begin:end], score_cutoff=PREFILTER)
    if found is None or found.dest_end - found.dest_start > len(piece) + allowed:
        return None
    first, last = begin + found.dest_start, begin + found.dest_end
    if end - begin < len(piece):
        first, last = begin, end
    nearby = (
        (Levenshtein.distance(piece, code[a:b]), b - a, a, b)
        for a in range(max(begin, first - 1), first + 2)
        for b in range(last - 1, min(end, last + 1) + 1)
        if a < b
    )
    distance, _, a, b = min(nearby, default=(allowed + 1, 0, 0, 0))
    return (a, b, distance) if distance <= allowed else None


def standing(found: tuple[Place, ...]) -> tuple[Place, ...]:
    """Places left when those that are only a part of a longer word (`not_in`) are taken out."""
    wholes = [place for place in found if place.pattern.role == "not_in"]
    return tuple(
        place
        for place in found
        if place.pattern.role in {"unless", "not_in"}
        or not any(whole.pattern.owner == place.pattern.owner and place.within(whole) for whole in wholes)
    )


def _mark_of(place: Place, spoken: Spoken) -> Mark:
    return Mark(place.pattern.role, place.pattern.owner, spoken.ends[place.last - 1])


def excused(place: Place, found: Iterable[Place], spoken: Spoken, marks: Iterable[Mark], reach: float) -> bool:
    """Whether a context of its owner takes its meaning away.

    That of an offence may stand anywhere in the utterance or end up to `reach` seconds before it; that of a
    scenario stands in the same utterance, and that of a rule in the same clause.
    """
    owner, role = place.pattern.owner, place.pattern.role
    if role == "forbidden":
        since = spoken.starts[0] - reach
        return any(mark.role == "unless" and mark.owner == owner and mark.end >= since for mark in marks)
    contexts = [other for other in found if other.pattern.role == "unless" and other.pattern.owner == owner]
    if role == "when":
        return any(spoken.clauses[other.first] == spoken.clauses[place.first] for other in contexts)
    return role == "trigger" and bool(contexts)


def compete(found: Iterable[Place]) -> list[Place]:
    """The best explanations, none overlapping, in order of time."""
    kept: list[Place] = []
    ranked = sorted(found, key=lambda p: (2 * p.distance - p.pattern.size, p.distance, p.first, p.pattern.wording))
    for place in ranked:
        if not any(place.overlaps(other) for other in kept):
            kept.append(place)
    return sorted(kept, key=lambda place: place.first)


def judged(
    free: Iterable[Place], found: Iterable[Place], spoken: Spoken, marks: Iterable[Mark], matcher: Matcher
) -> Iterator[RuleHit]:
    """For each clause in which a rule asks, whether the courtesy it needs was there."""
    seen: set[tuple[str, int]] = set()
    for place in compete(place for place in free if place.pattern.role == "when"):
        rule, clause = matcher.rules[place.pattern.owner], spoken.clauses[place.first]
        if (rule.id, clause) in seen:
            continue
        seen.add((rule.id, clause))
        needs = [other for other in found if other.pattern.role == "need" and other.pattern.owner == rule.id]
        if rule.scope == "clause":
            needs = [need for need in needs if spoken.clauses[need.first] == clause]
        kept = bool(needs)
        if not isinstance(rule.scope, str):
            since = spoken.starts[place.first] - rule.scope
            kept |= any(mark.role == "need" and mark.owner == rule.id and mark.end >= since for mark in marks)
        yield RuleHit(_hit_of(place, spoken), kept)


def _hits(spoken: Spoken, found: Iterable[Place]) -> tuple[Hit, ...]:
    return tuple(_hit_of(place, spoken) for place in found)


def _hit_of(place: Place, spoken: Spoken) -> Hit:
    pattern = place.pattern
    return Hit(
        owner=pattern.owner,
        wording=pattern.wording,
        heard=mask("…".join(spoken.text(first, last) for first, last in place.pieces)),
        start=spoken.starts[place.first],
        end=spoken.ends[place.last - 1],
        score=round(100 * (1 - place.distance / pattern.size), 1),
        shared=pattern.shared,
    )

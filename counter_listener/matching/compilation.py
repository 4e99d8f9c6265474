"""All wordings of a phrase set as patterns, how owed wordings begin, and which courtesies they contain."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, takewhile

from counter_listener.domain import Forbidden, PhraseSet, Role, Rule, Scenario
from counter_listener.matching.confusion import similar_syllables
from counter_listener.matching.patterns import CONTEXTS, Pattern, make_pattern
from counter_listener.matching.syllables import Syllables
from counter_listener.phrases import split_units

Beginnings = Mapping[tuple[str | None, ...], frozenset[tuple[str | None, str]]]
"""For the sounds that a wording begins with: each sound that follows (None in a slot), and the phrase it belongs to."""
ImpliedCourtesies = Mapping[tuple[str, str], tuple[tuple[Pattern, int], ...]]
"""For each owed wording, by owner and wording: the courtesies it contains, each with its first position."""


def compile_patterns(phrases: PhraseSet) -> list[Pattern]:
    """Every wording of a phrase set that has a syllable of its own; contexts that several owners list appear once."""
    found: dict[tuple[object, ...], Pattern] = {}
    courtesies = {split_units(need) for rule in phrases.rule for need in rule.need}
    for role, owner, wordings, threshold, shared in _wording_groups(phrases):
        for wording in wordings:
            pattern = make_pattern(role, owner, wording, phrases.slots, courtesies, threshold, shared=shared)
            if pattern.pieces:
                key = (role, None if role in CONTEXTS else owner, pattern.units, shared)
                known = found.get(key)
                found[key] = known._replace(owners=known.owners | pattern.owners) if known else pattern
    every = {pattern.units for pattern in found.values()}
    return [pattern._replace(contained=contained_wordings(pattern, every)) for pattern in found.values()]


def contained_wordings(pattern: Pattern, known: Collection[tuple[str | None, ...]]) -> frozenset[tuple[int, int]]:
    """The spans of an owed wording, shorter than itself, that are wordings themselves."""
    spans = combinations(range(len(pattern.units) + 1), 2) if pattern.role == "phrase" else ()
    return frozenset(
        (first, last) for first, last in spans if last - first < pattern.size and pattern.units[first:last] in known
    )


def _wording_groups(phrases: PhraseSet) -> Iterator[tuple[Role, str, Sequence[str], float | None, bool]]:
    """Every list of wordings: role, id of its owner, wordings, threshold, and whether customers say them too."""
    for phrase, _ in phrases.phrases():
        yield "phrase", phrase.id, phrase.say, phrase.threshold, False
        yield "phrase", phrase.id, phrase.shared, phrase.threshold, True
        yield "not_in", phrase.id, phrase.not_in, None, False
    for offence in phrases.forbidden:
        yield "forbidden", offence.id, offence.say, offence.threshold, False
        yield "forbidden", offence.id, offence.shared, offence.threshold, True
    for word in phrases.word:
        yield "word", word.id, word.say, None, False
        yield "word", word.id, word.shared, None, True
        yield "not_in", word.id, word.not_in, None, False
    for rule in phrases.rule:
        yield "when", rule.id, rule.when, None, False
        yield "when", rule.id, rule.shared, None, True
        yield "need", rule.id, rule.need, None, False
    for scenario in phrases.scenario:
        yield "trigger", scenario.id, scenario.when, None, False
    excusable: tuple[Forbidden | Rule | Scenario, ...] = (*phrases.forbidden, *phrases.rule, *phrases.scenario)
    for entry in excusable:
        yield "unless", entry.id, entry.unless, None, False
        yield "not_in", entry.id, entry.not_in, None, False


def phrase_beginnings(patterns: Iterable[Pattern]) -> Beginnings:
    """The beginnings of all owed wordings, each up to its first slot."""
    found: dict[tuple[str | None, ...], set[tuple[str | None, str]]] = {}
    for pattern in patterns:
        for at, sound in enumerate(pattern.sounds) if pattern.role == "phrase" else ():
            if at:
                found.setdefault(pattern.sounds[:at], set()).add((sound, pattern.owner))
            if sound is None:
                break
    return {sounds: frozenset(following) for sounds, following in found.items()}


def ambiguous_prefixes(pattern: Pattern, beginnings: Beginnings) -> frozenset[int]:
    """The lengths of the prefixes of an owed wording that also begin another phrase."""

    def is_ambiguous(size: int) -> bool:
        return any(owner != pattern.owner for _, owner in beginnings.get(pattern.sounds[:size], ()))

    # A prefix of this phrase alone stays so when it gets longer.
    sizes = range(1, len(pattern.units)) if pattern.role == "phrase" else ()
    return frozenset(takewhile(is_ambiguous, sizes))


def may_continue(beginnings: Beginnings, syllables: Syllables, owner: str) -> bool:
    """Whether the words before the utterance, found as the phrase `owner`, begin another phrase that the utterance
    continues. A quick check: a search takes as long as the first one.
    """
    if len(syllables) == syllables.own_start:
        return False
    similar = similar_syllables(syllables.sounds[syllables.own_start])
    following = beginnings.get(syllables.sounds[: syllables.own_start], ())
    return any(other != owner and (sound is None or sound in similar) for sound, other in following)


def implied_courtesies(patterns: Sequence[Pattern]) -> ImpliedCourtesies:
    """The courtesy words, and the courtesies that rules need, in owed wordings; not those inside longer words."""
    longer_words = [pattern for pattern in patterns if pattern.role == "not_in"]
    courtesies = [
        (pattern, [longer for longer in longer_words if pattern.owners <= longer.owners])
        for pattern in patterns
        if pattern.role in {"word", "need"}
    ]
    return {
        (pattern.owner, pattern.wording): tuple(_contained(pattern, courtesies))
        for pattern in patterns
        if pattern.role == "phrase"
    }


def _contained(whole: Pattern, courtesies: Iterable[tuple[Pattern, list[Pattern]]]) -> Iterator[tuple[Pattern, int]]:
    for courtesy, longer_words in courtesies:
        if courtesy.characters <= whole.characters:
            taken = [span for longer in longer_words for span in occurrences(longer, whole)]
            for begin, end in occurrences(courtesy, whole):
                if not any(first <= begin and end <= last for first, last in taken):
                    yield courtesy, begin


def occurrences(part: Pattern, whole: Pattern) -> Iterator[tuple[int, int]]:
    """The spans of positions where a wording occurs in another."""
    size = len(part.units)
    if part.characters <= whole.characters:
        for at in range(len(whole.units) - size + 1):
            if whole.units[at : at + size] == part.units:
                yield at, at + size

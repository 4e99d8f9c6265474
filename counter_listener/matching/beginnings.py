"""How owed wordings begin: what may go on after a pause though it was told as a phrase, and what only breaks off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile

from counter_listener.matching.confusion import similar_syllables
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables

Beginnings = Mapping[tuple[str | None, ...], frozenset[tuple[str | None, str]]]
"""For the sounds that a wording begins with: the sound that follows (None in a slot), and the phrase whose it is."""


def phrase_beginnings(patterns: Iterable[Pattern]) -> Beginnings:
    """The beginnings of all owed wordings, each up to its first slot."""
    found: dict[tuple[str | None, ...], set[tuple[str | None, str]]] = {}
    for pattern in patterns:
        sounds: tuple[str, ...] = ()
        for sound in pattern.sounds if pattern.role == "phrase" else ():
            if sounds:
                found.setdefault(sounds, set()).add((sound, pattern.owner))
            if sound is None:
                break
            sounds = (*sounds, sound)
    return {sounds: frozenset(following) for sounds, following in found.items()}


def with_beginnings(patterns: Iterable[Pattern], known: Beginnings) -> Iterator[Pattern]:
    """The same wordings; an owed one is told how many of its first units begin another phrase's wording, too."""
    for pattern in patterns:
        begins = frozenset(_begins(pattern, known)) if pattern.role == "phrase" else frozenset[int]()
        yield pattern._replace(begins=begins) if begins else pattern


def _begins(pattern: Pattern, known: Beginnings) -> Iterator[int]:
    """What is no beginning of another's is none when it goes on, either."""
    sizes = range(1, len(pattern.units))
    return takewhile(lambda size: of_another(known, pattern.sounds[:size], pattern.owner), sizes)


def of_another(known: Beginnings, sounds: tuple[str | None, ...], owner: str) -> bool:
    """Whether a wording of another phrase begins with these sounds."""
    return any(other != owner for _, other in known.get(sounds, ()))


def may_continue(known: Beginnings, spoken: Syllables, told: str) -> bool:
    """Whether what stands before the utterance itself begins a wording of another phrase than the one it was told as,
    and the utterance goes on like it. Searching once more takes as long as the first time; this is asked before.
    """
    if len(spoken) == spoken.own:
        return False
    follows = similar_syllables(spoken.sounds[spoken.own])
    following = known.get(spoken.sounds[: spoken.own], ())
    return any(owner != told and (sound is None or sound in follows) for sound, owner in following)

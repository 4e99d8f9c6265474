"""The phrase sets at hand: titles for what the record knows by id, and what was due when."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from counter_listener.domain import PhraseSet, bundled_folder
from counter_listener.phrases import read_phrase_set


@cache
def _read() -> tuple[tuple[PhraseSet, str, Path], ...]:
    files = sorted(bundled_folder("phrase_sets").glob("*.toml"))
    return tuple((*read_phrase_set(file), file) for file in files)


def phrase_sets() -> tuple[tuple[PhraseSet, str], ...]:
    """The phrase sets that ship with the program, each with the SHA-256 of its file."""
    return tuple((phrases, digest) for phrases, digest, _ in _read())


def file_of(phrases: PhraseSet | None) -> Path | None:
    """The file of a phrase set at hand."""
    return next((file for known, _, file in _read() if known is phrases), None)


@cache
def titles() -> dict[str, str]:
    """The name of each phrase, courtesy word, offence, rule, scenario, stage and step, by id."""
    named: dict[str, str] = {}
    for phrases, _ in reversed(phrase_sets()):
        named |= {step.id: step.title for step in phrases.step}
        named |= {stage.id: stage.title for stage, _ in phrases.stages()}
        named |= {scenario.id: scenario.title for scenario in phrases.scenario}
        named |= {seen.id: seen.title for seen in phrases.observe}
        named |= {word.id: word.name for word in phrases.word}
        named |= phrases.titles()
    return named


def title_of(phrase: str | None) -> str:
    """The name of something in a phrase set; its id if no set at hand has it."""
    return titles().get(phrase or "", phrase or "")


def choices(name: str | None = None) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a verdict can be about, in groups: required phrases by stage, rules, offences; of one set or the first."""
    sets = [phrases for phrases, _ in phrase_sets() if name in (None, phrases.name)]
    if not sets:
        return []
    phrases = sets[0]
    groups = [
        (stage.title, [(phrase.id, phrase.name) for phrase in stage.phrase if phrase.required])
        for stage, _ in phrases.stages()
    ]
    groups.append(("", [(rule.id, rule.title) for rule in phrases.rule]))
    return [group for group in groups if group[1]]

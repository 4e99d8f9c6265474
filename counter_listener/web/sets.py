"""The phrase sets at hand: titles for what the record knows by id, and what was due when."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from counter_listener.domain import PhraseSet, PhraseSetError, bundled_folder
from counter_listener.phrases import read_phrase_set
from counter_listener.web.versions import Versions, file_digest

_FOLDERS: Final[list[Versions]] = []
"""Where versions may lie that were in force; files are known by their content, so that more folders do no harm."""


def use_versions(versions: Versions) -> None:
    """Looks for phrase sets that were in force in this folder too."""
    if all(one.folder != versions.folder for one in _FOLDERS):
        _FOLDERS.append(versions)


def _files() -> tuple[Path, ...]:
    shipped = sorted(bundled_folder("phrase_sets").glob("*.toml"))
    return (*shipped, *(file for versions in _FOLDERS for file in versions.used()))


@cache
def _read_file(file: Path, _digest: str) -> tuple[PhraseSet, str] | None:
    try:
        return read_phrase_set(file)
    except PhraseSetError:  # somebody changed it: whoever opens it on /phrases is told
        return None


def _read() -> tuple[tuple[PhraseSet, str, Path], ...]:
    found = ((_read_file(file, file_digest(file)), file) for file in _files())
    return tuple((*read, file) for read, file in found if read is not None)


def phrase_sets() -> tuple[tuple[PhraseSet, str], ...]:
    """The phrase sets that ship with the program or were put in force here, each with the SHA-256 of its file."""
    return tuple((phrases, digest) for phrases, digest, _ in _read())


def file_of(phrases: PhraseSet | None) -> Path | None:
    """The file of a phrase set at hand."""
    return next((file for known, _, file in _read() if known is phrases), None)


def titles() -> dict[str, str]:
    """The name of each phrase, courtesy word, offence, rule, scenario, stage and step, by id."""
    return _titles(_files())


@cache
def _titles(_files: tuple[Path, ...]) -> dict[str, str]:
    named: dict[str, str] = {}
    for phrases, _, _ in reversed(_read()):  # of two sets with the same id, the one that ships names it
        named |= _titles_of(phrases)
    return named


def _titles_of(phrases: PhraseSet) -> dict[str, str]:
    named = {step.id: step.title for step in phrases.step}
    named |= {stage.id: stage.title for stage, _ in phrases.stages()}
    named |= {scenario.id: scenario.title for scenario in phrases.scenario}
    named |= {seen.id: seen.title for seen in phrases.observe}
    named |= {word.id: word.name for word in phrases.word}
    named |= {limit.id: limit.title for limit in phrases.manner}
    return named | phrases.titles()


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

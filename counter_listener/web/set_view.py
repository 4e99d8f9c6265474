"""A phrase set as the pages show it: its entries in groups, the fields of a form, what a form sent."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

from counter_listener.domain import PhraseSetError, Sentence, Translate, sentence
from counter_listener.phrases import (
    EXAMPLES,
    FIELDS,
    KIND_TITLES,
    PARENTS,
    SETTINGS,
    Entry,
    Field,
    FieldError,
    Kind,
    entries,
    find_entry,
    new_content,
    parents,
    parsed,
    put_entry,
    remove_entry,
    set_entry_examples,
    set_setting,
    setting,
    shown,
    value_of,
)
from counter_listener.web.versions import Version

Table = dict[str, Any]
SETTING: Final = "set"
"""The kind of what a set has once."""
MOST_LETTERS: Final = 200_000
"""Of a field."""


class FormError(Exception):
    "What was filled in cannot be used; each sentence says what, and what helps."

    def __init__(self, *faults: Sentence) -> None:
        super().__init__(*map(str, faults))
        self.faults = faults


OTHERS: Final[tuple[Kind, ...]] = (
    "forbidden",
    "rule",
    "manner",
    "word",
    "scenario",
    "aside",
    "list",
    "stage",
    "step",
    "observe",
)
"""The kinds of entries beside phrases, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in a list."""

    id: str
    title: str
    required: bool
    weight: str
    templates: int
    first: str
    more: str
    """What else tells entries of its kind apart: the class, the severity, the kind of list."""


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that stand together."""

    kind: Kind
    title: str
    """Of the stage, or of the kind; a text of the catalogue for a kind."""
    parent: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form with its value."""

    field: Field
    value: str
    options: tuple[tuple[str, str], ...] = ()
    """Value and text of each choice; the texts are those of the catalogue, or of the set."""


def table_of(version: Version) -> Table:
    """The table of a version; not to be changed. Raises PhraseSetError."""
    return _table(version.path, version.digest)


@lru_cache(maxsize=8)
def _table(path: Path, _digest: str) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise PhraseSetError("{path} cannot be read; restore it from a backup.", path=path) from error


def groups_of(table: Table, translate: Translate) -> list[Group]:
    """Everything in a set: phrases by stage, then the other kinds."""
    made = [
        Group("phrase", str(stage.table.get("title", stage.id)), stage.id, _lines(table, "phrase", translate, stage.id))
        for stage in entries(table, "stage")
    ]
    return made + [Group(kind, translate(KIND_TITLES[kind]), "", _lines(table, kind, translate)) for kind in OTHERS]


def _lines(table: Table, kind: Kind, translate: Translate, parent: str | None = None) -> list[Line]:
    return [_line(entry, translate) for entry in entries(table, kind) if parent is None or entry.parent == parent]


def _line(entry: Entry, translate: Translate) -> Line:
    content = entry.table
    templates = [text for key in ("say", "shared", "when", "entries") for text in content.get(key, [])]
    more = [content.get("class", ""), translate(str(content.get("severity", ""))) if content.get("severity") else ""]
    if entry.kind == "list":
        more = [translate(entry.parent)]
    if entry.kind == "manner":
        more = [translate(str(content.get("figure", ""))), f"{content.get('limit', 0):g}", *more]
    first = str(templates[0]) if templates else ""
    return Line(
        id=entry.id,
        title=str(content.get("title") or first or entry.id) if entry.kind != "list" else entry.id,
        required=bool(content.get("required")),
        weight=f"{content.get('weight', 1):g}" if entry.kind in ("phrase", "observe") else "",
        templates=len(templates),
        first=first,
        more=" · ".join(one for one in more if one),
    )


def fields_of(table: Table, kind: str, name: str, translate: Translate) -> list[FormField]:
    """The fields of a form, with what the set holds; empty ones for an entry that is not there."""
    if kind == SETTING:
        return [_form_field(table, field, setting(table, field), translate) for field in SETTINGS]
    known = _kind(kind)
    entry = find_entry(table, known, name)
    found = FIELDS[known]
    return [_form_field(table, one, value_of(table, entry, one) if entry else None, translate) for one in found]


def _kind(kind: str) -> Kind:
    """Raises FormError for a kind that is none."""
    if kind not in FIELDS:
        raise FormError(sentence("there is no such kind of entry; go back to the set."))
    return cast("Kind", kind)


def _form_field(table: Table, field: Field, value: Any, translate: Translate) -> FormField:  # noqa: ANN401 - of any type
    text = shown(field, value, translate)
    return FormField(field, "" if text is None else str(text), _options(table, field, translate))


def _options(table: Table, field: Field, translate: Translate) -> tuple[tuple[str, str], ...]:
    kinds: dict[str, Kind] = {"stage": "stage", "step": "step", "scenario": "scenario"}
    if field.key in kinds:
        found = entries(table, kinds[field.key])
        return (("", "–"), *((one.id, str(one.table.get("title", one.id))) for one in found))
    if field.type == "yes":
        empty = (("", "–"),) if field.default else ()
        return (*empty, *((translate(word), translate(word)) for word in ("no", "yes")))
    if field.type == "choice":
        empty = () if field.is_needed else (("", "–"),)
        return (*empty, *((translate(one), translate(one)) for one in field.choices))
    return ()


def changed_table(table: Table, kind: str, name: str, form: Mapping[str, str], translate: Translate) -> Table:
    """A copy of the table with what a form says. Fields that show what is there change nothing. Raises FormError."""
    new = copy.deepcopy(table)
    values: dict[str, Any] = {}
    faults: list[Sentence] = []
    for one in fields_of(table, kind, name, translate):
        given = form.get(one.field.key, one.value)[:MOST_LETTERS].replace("\r\n", "\n")
        if given.strip() == one.value.strip() or (one.field.type == "yes" and _is_no(one, given)):
            continue
        try:
            values[one.field.key] = parsed(one.field, given)
        except FieldError as error:
            faults.append(_told(one.field, error.reason))
    faults += [_told(one, sentence("it is empty")) for one in _needed(kind) if not form.get(one.key, "").strip()]
    if faults:
        raise FormError(*faults)
    if kind == SETTING:
        for field in SETTINGS:
            if field.key in values:
                set_setting(new, field, values[field.key])
        return new
    _put(new, _kind(kind), name, form, values)
    return new


def _is_no(one: FormField, given: str) -> bool:
    """Whether nothing was and is chosen: a checkbox that is not there says no."""
    return not one.value and not one.field.default and parsed(one.field, given) is not True


def _needed(kind: str) -> list[Field]:
    return [field for field in (SETTINGS if kind == SETTING else FIELDS[_kind(kind)]) if field.is_needed]


def _told(field: Field, reason: Sentence) -> Sentence:
    return sentence("{field}: {reason}.", field=Sentence(field.title), reason=reason)


def _put(table: Table, kind: Kind, name: str, form: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Puts in an entry; one whose id was changed takes the place of the old one, in its examples too."""
    old = find_entry(table, kind, name)
    new_name = form.get("id", name).strip()
    if new_name != name and find_entry(table, kind, new_name):
        raise FormError(sentence("the id {name!r} is used already; take another.", name=new_name))
    key = PARENTS.get(kind, "")
    parent = str(values.get(key) or (old.parent if old else "") or "")
    content = new_content(kind, old.table if old else None, {**values, "id": new_name})
    if old is not None and new_name != name:
        raise FormError(sentence("an id cannot be changed: the record knows it. Add a new entry, and remove this one."))
    try:
        put_entry(table, kind, parent, content)
    except KeyError:
        known = ", ".join(parents(table, kind))
        raise FormError(sentence("there is no {name!r}; write one of {names}", name=parent, names=known)) from None
    if EXAMPLES.key in values:
        set_entry_examples(table, new_name, values[EXAMPLES.key] or ())


def without(table: Table, kind: str, name: str) -> Table:
    """A copy of the table without an entry and its plain examples. Raises FormError."""
    new = copy.deepcopy(table)
    set_entry_examples(new, name, ())
    remove_entry(new, _kind(kind), name)
    return new

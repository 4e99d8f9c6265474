"""The entries of a phrase set as a table of TOML: found by kind and id, put in, moved, removed; examples by sentence.

The functions change the table that they get; a copy is the caller's.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from counter_listener.phrases.fields import EXAMPLES, FIELDS, Field, Kind

Table = dict[str, Any]
LISTS: Final[Mapping[str, str]] = {"list": "lists", "part": "rules", "syllables": "slots"}
"""The table in which each kind of list stands."""
PARENTS: Final[Mapping[Kind, str]] = {"phrase": "stage", "stage": "scenario", "list": "kind"}
"""The field that tells where an entry stands."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a phrase set."""

    kind: Kind
    id: str
    parent: str
    """Id of the stage or scenario in which it stands, or the kind of a list; empty for most."""
    table: Table


def entries(table: Table, kind: Kind) -> list[Entry]:
    """All entries of a kind, in the order of the file."""
    if kind == "list":
        return list(_lists(table))
    if kind == "phrase":
        found = [(stage.id, phrase) for stage in entries(table, "stage") for phrase in stage.table.get("phrase", [])]
    elif kind == "stage":
        found = [("", stage) for stage in table.get("stage", [])]
        found += [(str(one.get("id")), stage) for one in table.get("scenario", []) for stage in one.get("stage", [])]
    else:
        found = [("", one) for one in table.get(kind, [])]
    return [Entry(kind, str(one.get("id", "")), parent, one) for parent, one in found]


def _lists(table: Table) -> Iterator[Entry]:
    for kind, key in LISTS.items():
        for name, value in table.get(key, {}).items():
            content = value if isinstance(value, dict) else {"entries": [value] if isinstance(value, str) else value}
            yield Entry("list", name, kind, dict(content))


def find_entry(table: Table, kind: Kind, name: str) -> Entry | None:
    """An entry by its id."""
    return next((entry for entry in entries(table, kind) if entry.id == name), None)


def value_of(table: Table, entry: Entry, field: Field) -> Any:  # noqa: ANN401 - of the type of the field
    """The value of a field of an entry; None where it has none."""
    if field.key == PARENTS.get(entry.kind):
        return entry.parent or None
    if field is EXAMPLES:
        return plain_examples(table).get(entry.id)
    found = setting(entry.table, field)
    return entry.id if found is None and field.key == "id" else found


def put_entry(table: Table, kind: Kind, parent: str, content: Table) -> None:
    """Puts an entry in the place of the one with its id, or at the end. Raises KeyError for a parent that is not there.

    `content` has the keys of the file, `id` among them; for a list `entries`, or `min` and `max`.
    """
    name = str(content["id"])
    if kind == "list":
        _put_list(table, name, parent, content)
        return
    siblings = _siblings(table, kind, parent)
    for at, one in enumerate(siblings):
        if one.get("id") == name:
            siblings[at] = content
            return
    remove_entry(table, kind, name)  # it stood elsewhere
    siblings.append(content)


def _put_list(table: Table, name: str, kind: str, content: Table) -> None:
    if (old := find_entry(table, "list", name)) and old.parent != kind:
        remove_entry(table, "list", name)
    lines = content.get("entries") or []
    value = {"list": lines, "part": "".join(lines)}.get(
        kind, {key: content[key] for key in ("min", "max") if content.get(key) is not None}
    )
    table.setdefault(LISTS[kind], {})[name] = value


def _siblings(table: Table, kind: Kind, parent: str) -> list[Table]:
    """The list in which an entry of this kind stands. Raises KeyError."""
    if kind not in ("phrase", "stage") or not parent:
        return cast("list[Table]", table.setdefault(kind, []))
    holder = find_entry(table, "stage" if kind == "phrase" else "scenario", parent)
    if holder is None:
        raise KeyError(parent)
    return cast("list[Table]", holder.table.setdefault(kind, []))


def parents(table: Table, kind: Kind) -> list[str]:
    """The ids of what an entry of this kind can stand in."""
    if kind == "list":
        return list(LISTS)
    return [one.id for one in entries(table, "stage" if kind == "phrase" else "scenario")]


def remove_entry(table: Table, kind: Kind, name: str) -> None:
    """Removes an entry, if it is there."""
    if kind == "list":
        for key in LISTS.values():
            table.get(key, {}).pop(name, None)
        return
    holders = [table]
    if kind in ("phrase", "stage"):
        holders += [one.table for one in entries(table, "stage" if kind == "phrase" else "scenario")]
    for holder in holders:
        if kind in holder:
            kept = [one for one in holder[kind] if one.get("id") != name]
            if len(kept) < len(holder[kind]):
                holder[kind] = kept


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """One sentence of the examples."""

    heard: str
    expect: tuple[str, ...]
    speaker: str = "clerk"
    fails: bool = False

    def is_of(self, name: str) -> bool:
        """Whether it is a plain example of one entry."""
        return self.expect == (name,) and self.is_plain

    @property
    def is_plain(self) -> bool:
        """Whether a clerk says it, and it holds."""
        return self.speaker == "clerk" and not self.fails


def examples(table: Table) -> list[ExampleLine]:
    """Every sentence of the examples."""
    return [line for example in table.get("example", []) for line in _example_lines(example)]


def _example_lines(example: Table) -> list[ExampleLine]:
    heard = example.get("heard", [])
    expect = tuple(map(str, example.get("expect", [])))
    speaker, fails = str(example.get("speaker", "clerk")), bool(example.get("fails"))
    return [ExampleLine(one, expect, speaker, fails) for one in ([heard] if isinstance(heard, str) else heard)]


def set_examples(table: Table, wanted: Iterable[ExampleLine]) -> None:
    """Makes the examples hold exactly these sentences; those that are there already stay where they are."""
    left = Counter(wanted)
    kept: list[Table] = []
    for example in table.get("example", []):
        heard = []
        for line in _example_lines(example):
            if left[line] > 0:
                left[line] -= 1
                heard.append(line.heard)
        if heard == [line.heard for line in _example_lines(example)]:
            kept.append(example)
        elif heard:
            kept.append({**example, "heard": heard})
    for line in left.elements():
        _add_example(kept, line)
    if kept or "example" in table:
        table["example"] = kept


def _add_example(kept: list[Table], line: ExampleLine) -> None:
    for at, example in enumerate(kept):
        first = next(iter(_example_lines(example)), None)
        if first and (first.expect, first.speaker, first.fails) == (line.expect, line.speaker, line.fails):
            kept[at] = {**example, "heard": [*(one.heard for one in _example_lines(example)), line.heard]}
            return
    more = {**({} if line.speaker == "clerk" else {"speaker": line.speaker}), **({"fails": True} if line.fails else {})}
    kept.append({"heard": [line.heard], "expect": list(line.expect), **more})


def set_entry_examples(table: Table, name: str, sentences: Iterable[str]) -> None:
    """Makes these sentences the plain examples of an entry."""
    others = [line for line in examples(table) if not line.is_of(name)]
    set_examples(table, [*others, *(ExampleLine(one, (name,)) for one in sentences)])


def plain_examples(table: Table) -> dict[str, list[str]]:
    """The sentences of the plain examples of each entry."""
    found: dict[str, list[str]] = {}
    for one in examples(table):
        if one.is_plain and len(one.expect) == 1:
            found.setdefault(one.expect[0], []).append(one.heard)
    return found


def setting(table: Table, field: Field) -> Any:  # noqa: ANN401 - of the type of the field
    """What a set has under a path such as `score.pass_mark`; None where it has nothing."""
    *path, key = field.key.split(".")
    for step in path:
        table = table.get(step, {})
    return table.get(key)


def set_setting(table: Table, field: Field, value: Any) -> None:  # noqa: ANN401 - of the type of the field
    """Sets or removes what a set has under a path."""
    *path, key = field.key.split(".")
    for step in path:
        table = table.setdefault(step, {})
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def new_content(kind: Kind, old: Table | None, values: Mapping[str, Any]) -> Table:
    """The content of an entry with some of its fields changed; None removes a field."""
    content = copy.deepcopy(old or {})
    fields = [field for field in FIELDS[kind] if field.key not in (PARENTS.get(kind), EXAMPLES.key)]
    for field in fields:
        if field.key not in values:
            continue
        value = values[field.key]
        set_setting(content, field, [] if value is None and field.key == "say" else value)  # a key that must be there
        table, _, inner = field.key.partition(".")
        if inner and not content[table]:
            del content[table]
    return content

"""Writes changes into the text of a phrase-set file: comments and layout stay where nothing was changed.

In: the text of a file, and the table that it shall hold. Out: the new text. tomlkit keeps what it does not touch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

import tomlkit
from tomlkit.items import AoT, Array, InlineTable, Item
from tomlkit.items import Table as TomlTable

NAMES: Final = ("id", "title", "heard")
"""The keys by which the tables of a list are known again."""
INDENT: Final = 2


def edited(text: str, wanted: Mapping[str, Any]) -> str:
    """The text, changed where its table differs from the one that is wanted."""
    if tomllib.loads(text) == wanted:
        return text
    document = tomlkit.parse(text)
    _bring(document, wanted)
    made = tomlkit.dumps(document)
    for key in list(_differences(made, wanted)):  # what tomlkit could not change in place is written anew
        document = tomlkit.parse(made if _is_sound(made) else text)
        document.pop(key, None)
        if key in wanted:
            document[key] = wanted[key]
        made = tomlkit.dumps(document)
    return made if not list(_differences(made, wanted)) else tomlkit.dumps(wanted)


def _is_sound(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _differences(text: str, wanted: Mapping[str, Any]) -> list[str]:
    """The keys at the top whose values differ."""
    table = tomllib.loads(text) if _is_sound(text) else {}
    return [key for key in dict.fromkeys((*table, *wanted)) if table.get(key) != wanted.get(key)]


def _bring(table: Any, wanted: Mapping[str, Any]) -> None:  # noqa: ANN401 - documents, tables and inline tables
    """Makes a table of tomlkit hold what is wanted."""
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        there = table.get(key)
        if there is None:
            table[key] = _item(value)
        elif _plain(there) != value:
            _change(table, key, there, value)


def _change(table: Any, key: str, there: Any, value: Any) -> None:  # noqa: ANN401 - items of any type
    if isinstance(value, Mapping) and isinstance(there, Mapping):
        _bring(there, value)
    elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(there, AoT | Array):
        _bring_list(there, value)
    else:
        table[key] = _item(value)


def _bring_list(there: Any, wanted: Sequence[Any]) -> None:  # noqa: ANN401 - AoT or Array
    """Makes a list of tomlkit hold what is wanted; entries that are known again are changed in place."""
    old = [_name(one) for one in _plain(there)]
    new = [_name(one) for one in wanted]
    make: Callable[[Any], Any] = _table if isinstance(there, AoT) else _item
    for action, start, end, first, last in reversed(SequenceMatcher(None, old, new, autojunk=False).get_opcodes()):
        if action == "equal":
            for at, one in zip(range(start, end), wanted[first:last], strict=True):
                if isinstance(one, Mapping) and _plain(there[at]) != one:
                    _bring(there[at], one)
            continue
        for at in reversed(range(start, end)):
            there.pop(at)
        for one in reversed(wanted[first:last]):
            there.insert(start, make(one))


def _name(one: Any) -> str:  # noqa: ANN401 - an entry of any type
    """What an entry of a list is known by."""
    if not isinstance(one, Mapping):
        return repr(one)
    return next((f"{key}={one[key]!r}" for key in NAMES if key in one), repr(one))


def _plain(item: Any) -> Any:  # noqa: ANN401 - an item of any type
    return item.unwrap() if isinstance(item, Item) else item


def _table(value: Mapping[str, Any]) -> TomlTable:
    """A table with a heading of its own."""
    made = tomlkit.table()
    for key, inner in value.items():
        made[key] = _item(inner)
    return made


def _item(value: Any) -> Any:  # noqa: ANN401 - a value of any type
    """A value as an item of tomlkit; tables within lists stand in one line."""
    if isinstance(value, Mapping):
        made: InlineTable = tomlkit.inline_table()
        for key, inner in value.items():
            made[key] = _item(inner)
        return made
    if isinstance(value, Sequence) and not isinstance(value, str):
        listed = tomlkit.array()
        for one in value:
            listed.append(_item(one))
        return listed
    return tomlkit.item(value)

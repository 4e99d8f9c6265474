"""The catalogue of texts and what it is kept from: `python tests/catalogue.py` brings it up to date with the sources.

It extracts every text that people read, puts the new ones into the .po file, takes out those that are gone, compiles
it, and lists what is still to be translated.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from counter_listener.domain import errors, messages

PACKAGE = Path(messages.__file__).parent
FOLDER = messages.LOCALE / "zh" / "LC_MESSAGES"
PO, MO = (FOLDER / f"{messages.DOMAIN}.{kind}" for kind in ("po", "mo"))
MARKS = {"_", "N_", "Sentence", "sentence", "error"}
"""Calls whose first argument, where it is written out, is a text."""
PAIRS = {"ngettext", "plural_text"}
"""Calls whose first two are a text for one and for several."""
ERRORS = {name for name, one in vars(errors).items() if inspect.isclass(one) and issubclass(one, Exception)}
Text = str | tuple[str, str]


def texts() -> Iterator[Text]:
    """Every text of the sources, as often as it stands there."""
    for file in sorted(PACKAGE.rglob("*.py")):
        yield from texts_in(ast.parse(file.read_text(encoding="utf-8")))
    for _, _, message, _, _ in extract_from_dir(PACKAGE, [("**/templates/**.html", "jinja2")], keywords={"_": None}):
        assert isinstance(message, str)
        yield message


def texts_in(tree: ast.Module) -> Iterator[Text]:
    """The texts of a module: those that are marked, those of errors, and the help of commands and options."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(map(_makes_command, node.decorator_list)):
            yield inspect.cleandoc(ast.get_docstring(node) or "")
        elif isinstance(node, ast.Call):
            yield from _of_call(node)


def _makes_command(decorator: ast.expr) -> bool:
    made = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(made, ast.Attribute) and made.attr in {"command", "group"}


def _of_call(call: ast.Call) -> Iterator[Text]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if name in PAIRS:
        yield given[0], given[1]
    elif name in MARKS | ERRORS and given and given[0] and isinstance(call.args[0], ast.Constant):
        yield given[0]
    elif name in {"option", "lines_option"}:
        yield from (
            one.value.value
            for one in call.keywords
            if one.arg == "help" and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str)
        )
        if name == "lines_option":
            yield from given


def composed() -> Iterator[str]:
    """Where a text is put together in the code, so that no catalogue can hold it."""
    for file in sorted(PACKAGE.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in MARKS | PAIRS | ERRORS:
                    yield f"{file.name}, line {node.lineno}"


def read() -> Catalog:
    """The Chinese catalogue."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def main() -> int:
    """Brings the catalogue up to date; 1 where something is not translated."""
    before, template = read(), Catalog()
    for text in texts():
        template.add(text)
    before.update(template, no_fuzzy_matching=True)
    before.obsolete.clear()
    before.revision_date = before.creation_date = datetime(2026, 1, 1, tzinfo=UTC)
    with PO.open("wb") as file:
        write_po(file, before, sort_output=True, no_location=True, width=100, omit_header=False)
    with MO.open("wb") as file:
        write_mo(file, before)
    lacking = [one.id for one in before if one.id and not (one.string and all(one.string))]
    for one in lacking:
        print(one)
    return int(bool(lacking))


if __name__ == "__main__":
    sys.exit(main())

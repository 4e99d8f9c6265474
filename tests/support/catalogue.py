"""The catalogue of texts: `python tests/support/catalogue.py` brings it up to date with the sources and compiles it.

It extracts every text for people, adds the new ones to the .po file, removes those that are gone, writes the .mo file,
and lists what is not translated. Texts of click that no user of this program sees may stay untranslated.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import counter_listener
from counter_listener.cli import cli
from counter_listener.domain import DOMAIN, LOCALE, errors

PACKAGE = Path(counter_listener.__file__).parent
PO, MO = (LOCALE / "zh" / "LC_MESSAGES" / f"{DOMAIN}.{kind}" for kind in ("po", "mo"))
ERRORS = {name for name, error in vars(errors).items() if inspect.isclass(error) and issubclass(error, Exception)}
SINGULAR = {"_", "N_", "Sentence", "sentence", "error", *ERRORS}
"""Calls whose first argument, if it is a literal, is a text."""
PLURAL = {"ngettext"}
"""Calls whose first two arguments are a text for one and a text for several."""
TEMPLATES = [("**/templates/**.html", "jinja2")]
IN_TEMPLATES = {"_": None, "ngettext": (1, 2)}
"""The calls in templates, with their arguments that are texts."""
CLICK = "click"
"""The comment in the .po file on a text of click."""
Text = str | tuple[str, ...]


def texts() -> Iterator[Text]:
    """Every text of this program, as often as it is in the sources."""
    yield from literals(PACKAGE)
    yield from help_texts(cli)
    for _file, _line, text, _comments, _context in extract_from_dir(PACKAGE, TEMPLATES, keywords=IN_TEMPLATES):
        yield text if isinstance(text, str) else (text[0], text[1])


@cache
def click_texts() -> set[Text]:
    """Every text of the installed click, which looks each up with gettext."""
    return set(literals(Path(click.__file__).parent))


def literals(folder: Path) -> Iterator[Text]:
    """The texts in the Python modules of a folder. Babel's own extractor finds none that is in an f-string."""
    for _file, call in calls(folder):
        given = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if called(call) in PLURAL and len(given) > 1:
            yield given[0], given[1]
        elif called(call) in SINGULAR and isinstance(call.args[0], ast.Constant) and given and given[0]:
            yield given[0]


def calls(folder: Path) -> Iterator[tuple[Path, ast.Call]]:
    """Every call with arguments in the Python modules of a folder."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                yield file, node


def called(call: ast.Call) -> str:
    """The name of the function or method."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def help_texts(command: click.Command) -> Iterator[str]:
    """The help of a command, of its options and of its subcommands; not that of click's own options."""
    yield inspect.cleandoc(command.help or "")
    options = (each for each in command.params if isinstance(each, click.Option) and each.name != "version")
    yield from (option.help for option in options if option.help)
    for subcommand in command.commands.values() if isinstance(command, click.Group) else ():
        yield from help_texts(subcommand)


def composed() -> Iterator[str]:
    """The places where a text is composed in the code, so that no catalogue can hold it."""
    for file, call in calls(PACKAGE):
        if called(call) in SINGULAR | PLURAL and isinstance(call.args[0], ast.JoinedStr | ast.BinOp):
            yield f"{file.name}, line {call.lineno}"


def read() -> Catalog:
    """The Chinese catalogue."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def main() -> int:
    """Brings the catalogue up to date. Returns 1 if a text of this program is not translated."""
    catalogue, template = read(), Catalog()
    ours = set(texts())
    for text in ours:
        template.add(text)
    for text in click_texts() - ours:
        template.add(text, auto_comments=[CLICK])
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.revision_date = catalogue.creation_date = datetime(2026, 1, 1, tzinfo=UTC)
    lacking = [each for each in catalogue if each.id and not (each.string and all(each.string))]
    for each in lacking:
        print(*each.auto_comments, each.id)
        if CLICK in each.auto_comments:
            catalogue.delete(each.id)
    with PO.open("wb") as file:
        write_po(file, catalogue, sort_output=True, no_location=True, width=100, omit_header=False)
    with MO.open("wb") as file:
        write_mo(file, catalogue)
    return int(any(CLICK not in each.auto_comments for each in lacking))


if __name__ == "__main__":
    sys.exit(main())

"""Help and click's own words in the reader's language, and `--lang`, which decides on it."""

from __future__ import annotations

import copy
import gettext
import inspect
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Final, TypeVar

import click

from counter_listener.domain import (
    DOMAIN,
    LOCALE,
    N_,
    Lang,
    _,
    choose_language,
    current_language,
    plural_text,
    use_language,
)

Told = TypeVar("Told", bound=click.Command)

ASKED: Final = "counter_listener.lang"
"""Under which click keeps the language that was asked for."""
EXAMPLE: Final = "Example: "
OPENING, CLOSING = r"（“《(\[", r"，。；：、？！）”》,.;:?!)\]"
"""Never the last of a line, and never the first: as a regular expression has them."""
OF_CLICK: Final = (
    N_("Usage:"),
    N_("Options"),
    N_("Commands"),
    N_("required"),
    N_("default: {default}"),
    N_("env var: {var}"),
    N_("Show this message and exit."),
    N_("Show the version and exit."),
    N_("%(prog)s, version %(version)s"),
    N_("Try '{command} {option}' for help."),
    N_("Error: {message}"),
    N_("Invalid value: {message}"),
    N_("Invalid value for {param_hint}: {message}"),
    N_("Missing argument"),
    N_("Missing option"),
    N_("Missing parameter"),
    N_("Missing command."),
    N_("Choose from:\n\t{choices}"),
    N_("No such option {name!r}."),
    N_("No such command {name!r}."),
    N_("Option {name!r} does not take a value."),
    N_("{value!r} is not a valid {number_type}."),
    N_("{value} is not in the range {range}."),
    N_("Aborted!"),
    N_("Error: invalid input"),
    *plural_text("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    *plural_text("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    *plural_text("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    *plural_text("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
)
"""What click says of itself; it asks gettext for each. One that another version of click words otherwise stays
English."""


@contextmanager
def in_language(lang: Lang) -> Iterator[None]:
    """Within, the program and click's own words speak this language."""
    before = os.environ.get("LANGUAGE")
    gettext.bindtextdomain(DOMAIN, str(LOCALE))
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = lang  # where gettext looks, on whose words click relies
    try:
        with use_language(lang):
            yield
    finally:
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


def requested_language(words: Sequence[str]) -> Lang:
    """The language that a command line asks for, wherever in it, else that of the locale."""
    asked = [after for word, after in pairwise([*words, ""]) if word == "--lang"]
    asked += [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    return choose_language(asked[-1] if asked else None, os.environ)


def _note(ctx: click.Context, _param: click.Parameter, asked: str | None) -> None:
    if asked:
        ctx.meta[ASKED] = asked


lang_option = click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    callback=_note,
    expose_value=False,  # see asked_for(): the language must be known before anything is said
    help="Language of what people read.  [default: told from the locale]",
)


def session_language(setting: str) -> Lang:
    """The language asked for, else the one in the settings, else that of the locale."""
    asked = click.get_current_context().meta.get(ASKED)
    return choose_language(asked or (setting if setting != "auto" else None), os.environ)


class TranslatedGroup(click.Group):
    """A group whose help, and that of its commands, is in the language being spoken."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its texts translated."""
        found = super().get_command(ctx, cmd_name)
        return translated(found) if found and current_language() != "en" else found

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the group's help."""
        click.Group.format_help(translated(self) if current_language() != "en" else self, ctx, formatter)


def translated(command: Told) -> Told:
    """A copy of a command with its help in the language being spoken."""
    made = copy.copy(command)
    made.help = _(inspect.cleandoc(command.help or ""))
    made.short_help = re.split(r"(?<=。)|\n\n", made.help, maxsplit=1)[0].replace("\n", " ").rstrip("。")
    codes, example, line = (command.epilog or "").rpartition(EXAMPLE)
    codes = codes.strip("\b\n")
    parts = (f"\b\n{_(codes)}" if codes else "", _("Example: {command}").format(command=line) if example else "")
    made.epilog = "\n\n".join(filter(None, parts))
    made.params = [_translated_option(one) if isinstance(one, click.Option) else one for one in command.params]
    made._help_option = None  # noqa: SLF001 - click remembers it in the language of its first use
    return made


def _translated_option(option: click.Option) -> click.Option:
    made = copy.copy(option)
    made.help = _(option.help or "") or None
    return made


class Formatter(click.HelpFormatter):
    """Breaks lines of Chinese, which has no spaces, by the columns that its signs take."""

    def write_heading(self, heading: str) -> None:
        """Writes what stands over a list."""
        self.write(f"{'':{self.current_indent}}{heading}{_(':')}\n")

    def write_text(self, text: str) -> None:
        """Writes a paragraph, or several."""
        if current_language() == "en":
            super().write_text(text)
            return
        for number, part in enumerate(text.split("\n\n")):
            if number:
                self.write_paragraph()
            kept = part.lstrip("\n").startswith("\b")
            room = max(self.width - self.current_indent, 11)
            lines = part.lstrip("\n").splitlines()[1:] if kept else wrap_columns(part, room)
            self.write("".join(f"{'':{self.current_indent}}{line}\n" for line in lines))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Writes a list of terms, each with what it means."""
        rows = list(rows)
        if current_language() != "en" and rows:
            first = min(max(len(term) for term, _meaning in rows), col_max) + col_spacing
            room = max(self.width - first - self.current_indent - 2, 10)
            rows = [(term, "\b\n" + "\n".join(wrap_columns(meaning, room))) for term, meaning in rows]
        super().write_dl(rows, col_max, col_spacing)


class Context(click.Context):
    """What click knows of one call of a command, its help broken by columns."""

    formatter_class = Formatter


def pad_columns(text: str, room: int) -> str:
    """A text with blanks behind it, so that it takes that many columns at least."""
    from rich.cells import cell_len

    return text + " " * (room - cell_len(text))


def wrap_columns(text: str, room: int) -> list[str]:
    """A text in lines of at most so many columns: broken at spaces and beside Chinese signs."""
    from rich.cells import cell_len

    lines, line = [], ""
    for piece in re.findall(rf"\s+|[{OPENING}]*(?:[!-~]+|[^\s!-~])[{CLOSING}]*", text):
        if piece.isspace():
            line += " " if line else ""
        elif cell_len(line) + cell_len(piece) > room and line:
            lines.append(line.rstrip())
            line = piece
        else:
            line += piece
    return [*lines, line.rstrip()] if line else lines

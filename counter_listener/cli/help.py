"""Help and click's own messages in the user's language, and `--lang`, which selects it."""

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

from counter_listener.domain import DOMAIN, LOCALE, Lang, _, choose_language, current_language, use_language

AnyCommand = TypeVar("AnyCommand", bound=click.Command)

LANG_KEY: Final = "counter_listener.lang"
"""The key of `click.Context.meta` under which the language of --lang is stored."""
GIVEN_KEY: Final = "counter_listener.given"
"""The key of `click.Context.meta` under which the names of the options stand that were given so far."""
EXAMPLE: Final = "Example: "
NEVER_LAST, NEVER_FIRST = r"（“《(\[", r"，。；：、？！）”》,.;:?!)\]"
"""Characters that may not end or begin a line, escaped for a regular expression's character class."""


@contextmanager
def in_language(lang: Lang) -> Iterator[None]:
    """Sets the language of the program and of click's own messages within the block."""
    before = os.environ.get("LANGUAGE")
    gettext.bindtextdomain(DOMAIN, str(LOCALE))
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = lang  # click translates its messages with gettext, which reads this variable
    try:
        with use_language(lang):
            yield
    finally:
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


def requested_language(words: Sequence[str]) -> Lang:
    """The language that the command line asks for with --lang at any place, else that of the locale."""
    requested = [after for word, after in pairwise([*words, ""]) if word == "--lang"]
    requested += [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    return choose_language(requested[-1] if requested else None, os.environ)


def _store_language(ctx: click.Context, _param: click.Parameter, requested: str | None) -> None:
    if requested:
        ctx.meta[LANG_KEY] = requested


lang_option = click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    callback=_store_language,
    expose_value=False,  # requested_language() reads it: the language must be known before the first message
    help="Language of all output for people.  [default: that of the locale]",
)


def session_language(setting: str) -> Lang:
    """The language of --lang, else the one in the settings, else that of the locale."""
    requested = click.get_current_context().meta.get(LANG_KEY)
    return choose_language(requested or (setting if setting != "auto" else None), os.environ)


class Command(click.Command):
    """A command that refuses an option that is given twice where one counts, to itself or to its group before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What is left of the arguments once they are parsed. Raises click.UsageError."""
        *_parsed, order = self.make_parser(ctx).parse_args(list(args))
        given = ctx.meta.setdefault(GIVEN_KEY, set())
        for option in order:
            if isinstance(option, click.Option) and not (option.multiple or option.count or option.is_eager):
                name = max(option.opts, key=len)
                if name in given:
                    raise click.UsageError(_("{option} is given twice; give it once.").format(option=name), ctx)
                given.add(name)
        return super().parse_args(ctx, args)


class TranslatedGroup(Command, click.Group):
    """A group whose help, and the help of its commands, is in the current language."""

    command_class = Command

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with translated help."""
        found = super().get_command(ctx, cmd_name)
        return translated(found) if found and current_language() != "en" else found

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the help of the group."""
        click.Group.format_help(translated(self) if current_language() != "en" else self, ctx, formatter)


def translated(command: AnyCommand) -> AnyCommand:
    """A copy of a command with its help in the current language."""
    result = copy.copy(command)
    result.help = _(inspect.cleandoc(command.help or ""))
    result.short_help = re.split(r"(?<=。)|\n\n", result.help, maxsplit=1)[0].replace("\n", " ").rstrip("。")
    codes, example, line = (command.epilog or "").rpartition(EXAMPLE)
    codes = codes.strip("\b\n")
    parts = (f"\b\n{_(codes)}" if codes else "", _("Example: {command}").format(command=line) if example else "")
    result.epilog = "\n\n".join(filter(None, parts))
    result.params = [copy.copy(each) for each in command.params]
    for each in result.params:
        if isinstance(each, click.Option):
            each.help = _(each.help or "") or None
    result._help_option = None  # noqa: SLF001 - click caches it in the language of its first use
    return result


class Formatter(click.HelpFormatter):
    """Wraps Chinese text, which has no spaces, by the columns that its characters take."""

    def write_heading(self, heading: str) -> None:
        """Writes the heading of a list."""
        self.write(f"{'':{self.current_indent}}{heading}{_(':')}\n")

    def write_text(self, text: str) -> None:
        """Writes one or more paragraphs."""
        if current_language() == "en":
            super().write_text(text)
            return
        for number, part in enumerate(text.split("\n\n")):
            if number:
                self.write_paragraph()
            unwrapped = part.lstrip("\n").startswith("\b")
            columns = max(self.width - self.current_indent, 11)
            lines = part.lstrip("\n").splitlines()[1:] if unwrapped else wrap_columns(part, columns)
            self.write("".join(f"{'':{self.current_indent}}{line}\n" for line in lines))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Writes a list of terms with their meanings."""
        rows = list(rows)
        if current_language() != "en" and rows:
            first = min(max(len(term) for term, _meaning in rows), col_max) + col_spacing
            columns = max(self.width - first - self.current_indent - 2, 10)
            rows = [(term, "\b\n" + "\n".join(wrap_columns(meaning, columns))) for term, meaning in rows]
        super().write_dl(rows, col_max, col_spacing)


class Context(click.Context):
    """The context of a command, with help that is wrapped by columns."""

    formatter_class = Formatter


def pad_columns(text: str, columns: int) -> str:
    """A text padded with blanks to at least `columns` columns."""
    from rich.cells import cell_len

    return text + " " * (columns - cell_len(text))


def wrap_columns(text: str, columns: int) -> list[str]:
    """A text in lines of at most `columns` columns, broken at spaces and between Chinese characters."""
    from rich.cells import cell_len

    lines, line = [], ""
    for piece in re.findall(rf"\s+|[{NEVER_LAST}]*(?:[!-~]+|[^\s!-~])[{NEVER_FIRST}]*", text):
        if piece.isspace():
            line += " " if line else ""
        elif cell_len(line) + cell_len(piece) > columns and line:
            lines.append(line.rstrip())
            line = piece
        else:
            line += piece
    return [*lines, line.rstrip()] if line else lines

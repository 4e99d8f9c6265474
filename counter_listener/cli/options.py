"""What the commands share: exit codes, options, and the record they stand for."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import click

from counter_listener.domain import N_, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")
Format = Literal["table", "jsonl", "csv"]
PASSED, BELOW, USAGE, UNREADABLE, NO_RECORD, BUSY, INTERRUPTED = 0, 1, 2, 3, 4, 73, 130
DEFAULT_PHRASES: Final = "bank-counter"
DEFAULT_MODEL: Final = "counter-cn"
EXIT_CODES: Final = N_("""\
Exit codes:
  0    every input was checked (and no visit fell under --fail-under)
  1    some visit fell under --fail-under
  2    bad usage: an option, a phrase set or a model that cannot be used
  3    some input could not be read, or not in full; the others were checked and recorded
  4    the record could not be opened, written or trusted, or the output not be written
  130  interrupted; what had been recorded by then is kept""")


def record_location(asked: str | None) -> str:
    """Where the record is: what the user asked for, else a file in the data folder. Raises UsageError."""
    from counter_listener.domain import data_folder

    if asked is None:
        return str(data_folder() / "events.db")
    if asked in {"", "none", ":memory:"} or asked.startswith("file:"):
        raise UsageError("--store {asked!r} names no record here; give a file or a sqlite:/// URL.", asked=asked)
    return str(Path(asked).expanduser()) if asked.startswith("~") else asked


def monotonic_clock() -> float:
    """Seconds since a moment that is the same in every process; it never goes back, nor stops in a sleep."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def discard_output() -> None:
    """Sends what is still to be printed nowhere: the output cannot be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


phrases_option = click.option(
    "--phrases",
    "phrases_name",
    metavar="FILE|NAME",
    default=DEFAULT_PHRASES,
    show_default=True,
    help="Phrase set: a .toml file, or the name of one that ships with the program.",
)
silence_option = click.option(
    "--skip-silence/--no-skip-silence",
    default=True,
    help="Leave out long stretches of unchanging sound in which nothing is said.  [default: skip]",
)
model_option = click.option(
    "--model",
    "model_name",
    metavar="DIR|NAME",
    default=DEFAULT_MODEL,
    show_default=True,
    help="Model that hears recordings: a Vosk model's folder, or the name of one at hand; transcripts need none.",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl", "csv"]),
    default="table",
    show_default=True,
    help="For people, or one event a line.",
)

store_option = click.option(
    "--store",
    "store_url",
    metavar="URL|FILE",
    help="The record: an SQLite file or sqlite:/// URL.  [default: events.db in your data folder]",
)


def lines_option(told: str) -> Callable[[Decorated], Decorated]:
    """--format of a command whose lines are no events; `told` is its help."""
    return click.option(
        "--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True, help=told
    )

"""What the commands share: exit codes, options, and where the record is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import click

from counter_listener.domain import N_, UsageError, data_folder

if TYPE_CHECKING:
    from counter_listener.record import Record

Command = TypeVar("Command", bound=Callable[..., Any])
Format = Literal["table", "jsonl", "csv"]
DEFAULT_PHRASES: Final = "bank-counter"
DEFAULT_MODEL: Final = "counter-cn"
EXIT_CODES: Final = N_("""\
Exit codes:
  0    every input was checked (and no visit scored below --fail-under)
  1    some visit scored below --fail-under
  2    bad usage: an option, a phrase set or a model that cannot be used
  3    some input could not be read, or not in full; the others were checked and recorded
  4    the record could not be opened, written or trusted, or the output could not be written
  130  interrupted; what was recorded before stays in the record""")


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    PASSED = 0
    BELOW = 1
    """A score is below the threshold that the user gave."""
    USAGE = 2
    UNREADABLE = 3
    """An input or the microphone cannot be read."""
    NO_RECORD = 4
    """The record or the output cannot be written."""
    BUSY = 73
    """Another listener runs at this counter (sysexits.h, EX_CANTCREAT)."""
    INTERRUPTED = 130


def record_location(store_url: str | None) -> str:
    """The location of the record that --store names; without it, a file in the data folder. Raises UsageError."""
    if store_url is None:
        return str(data_folder() / "events.db")
    if store_url in {"", "none", ":memory:"} or store_url.startswith("file:"):
        raise UsageError("--store {asked!r} is not a record; give a file or a sqlite:/// URL.", asked=store_url)
    return str(Path(store_url).expanduser()) if store_url.startswith("~") else store_url


def existing_record(store_url: str | None) -> AbstractContextManager[Record]:
    """Opens the record; it is not created. Raises UsageError, RecordError."""
    from counter_listener.record import open_record

    return open_record(record_location(store_url), create=False)


def monotonic_clock() -> float:
    """Seconds since a moment that is the same in every process; it never goes back and continues during suspend."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def discard_output() -> None:
    """Redirects standard output to the null device: it cannot be written."""
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
    help="Skip long stretches of unchanging sound without speech.  [default: skip]",
)
model_option = click.option(
    "--model",
    "model_name",
    metavar="DIR|NAME",
    default=DEFAULT_MODEL,
    show_default=True,
    help="Speech model: the folder of a Vosk model, or the name of an installed one. Transcripts need none.",
)
store_option = click.option(
    "--store",
    "store_url",
    metavar="URL|FILE",
    help="The record: an SQLite file or sqlite:/// URL.  [default: events.db in your data folder]",
)


def format_option(text: str, *forms: str) -> Callable[[Command], Command]:
    """The option --format with a choice of `forms`, or of table and jsonl; `text` is its help."""
    choice = click.Choice(forms or ("table", "jsonl"))
    return click.option("--format", "form", type=choice, default="table", show_default=True, help=text)

"""Progress of inputs and downloads: a bar in a terminal; lines or nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from counter_listener.cli.options import monotonic_clock
from counter_listener.domain import _, format_duration, ngettext, printable

if TYPE_CHECKING:
    from counter_listener.asr import TransferProgress
    from counter_listener.batch import CheckResult, Input

Advance = Callable[[Path, float], None]
"""Called with an input and the seconds of it that have been read."""
LISTED: Final = 2
"""The least number of inputs for which a log has a line each."""


def _bar(*columns: ProgressColumn, quiet: bool) -> Progress:
    """A description, a bar and these columns, which disappear at the end; nothing if standard error is no terminal."""
    hidden = quiet or not sys.stderr.isatty()
    console = Console(stderr=not sys.stdout.isatty(), quiet=hidden)
    description = TextColumn("{task.description}", markup=False)
    return Progress(description, BarColumn(), *columns, console=console, transient=True, disable=hidden)


def _description(path: Path, seconds: float) -> str:
    return f"{printable(path.name)} {format_duration(seconds)}"


@contextmanager
def progress_bar(total: int, *, quiet: bool) -> Iterator[tuple[Advance, Callable[[], None]]]:
    """A bar over `total` inputs, if standard error is a terminal. Yields what to call during an input and after it."""
    with _bar(MofNCompleteColumn(), TimeElapsedColumn(), quiet=quiet) as bar:
        task = bar.add_task("", total=total)
        yield (
            lambda path, seconds: bar.update(task, description=_description(path, seconds)),
            lambda: bar.advance(task),
        )


@contextmanager
def transfer_bar(*, quiet: bool) -> Iterator[Callable[[str], TransferProgress]]:
    """A bar of bytes, if standard error is a terminal. Yields what to call with the title of each step."""
    with _bar(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(), quiet=quiet) as bar:

        def begin(title: str) -> TransferProgress:
            task = bar.add_task(title, total=None)
            return lambda done, total: bar.update(task, completed=done, total=total)

        yield begin


@dataclass
class Pace:
    """How many recordings are finished, and how fast."""

    total: int
    began: float = field(default_factory=monotonic_clock)
    files: int = 0
    failures: int = 0
    known: int = 0
    """Files that were already in the record."""
    seconds: float = 0.0
    """Length of the audio that was checked."""

    def add(self, result: CheckResult) -> None:
        """Counts a result."""
        self.files += 1
        self.failures += result.error is not None
        self.known += result.recalled
        self.seconds += 0.0 if result.recalled else result.seconds

    def speed(self) -> float:
        """Seconds of audio checked per second."""
        return self.seconds / max(1e-3, monotonic_clock() - self.began)

    def line(self, result: CheckResult) -> str:
        """Counts a result, and returns one line about it for a log, without any recognised words."""
        self.add(result)
        visits = sum(event.kind == "visit_closed" for event in result.events)
        found = ngettext("{count} visit", "{count} visits", visits).format(count=visits)
        found = _("in the record already") if result.recalled else found
        state = _("could not be read") if result.error else f"{format_duration(result.seconds)}{_(', ')}{found}"
        done = _("{count} of {total}").format(count=self.files, total=self.total)
        pace = _("({speed:.0f} x real time)").format(speed=self.speed())
        return f"{done}  {printable(str(result.path))}  {state}  {pace}"

    def summary(self) -> str:
        """Files, hours, speed and failures, for a bar."""
        parts = [_("{count}/{total} files").format(count=self.files, total=self.total)]
        parts += [_("{count} known").format(count=self.known)] * bool(self.known)
        parts += [_("{hours:.1f} h").format(hours=self.seconds / 3600), f"{self.speed():.0f}x"]
        parts += [_("{count} failed").format(count=self.failures)] * bool(self.failures)
        return _(", ").join(parts)


@contextmanager
def batch_progress(
    inputs: Sequence[Input], *, quiet: bool
) -> Iterator[tuple[Advance | None, Callable[[CheckResult], None]]]:
    """A bar if standard error is a terminal, else a line per file if there are several.

    Yields what to call during an input (None: nothing) and with each result.
    """
    pace = Pace(len(inputs))
    if quiet or not sys.stderr.isatty():
        listed = not quiet and len(inputs) >= LISTED
        yield None, lambda result: click.echo(pace.line(result), err=True) if listed else None
        return
    from counter_listener.batch import file_size  # `models install` shows a bar without it

    sizes = {path: file_size(path) for path in inputs if isinstance(path, Path)}
    summary = TextColumn("{task.fields[summary]}", markup=False)
    with _bar(summary, TimeRemainingColumn(elapsed_when_finished=True), quiet=quiet) as bar:
        task = bar.add_task("", total=sum(sizes.values()) or 1, summary=pace.summary())

        def finished(result: CheckResult) -> None:
            pace.add(result)
            size = sizes.get(result.path, 0)
            if result.recalled:  # takes no time, so it would make the remaining time too short
                bar.update(task, total=max(1, (bar.tasks[0].total or 1) - size), summary=pace.summary())
            else:
                bar.update(task, advance=size, description=printable(result.path.name), summary=pace.summary())

        yield lambda path, seconds: bar.update(task, description=_description(path, seconds)), finished

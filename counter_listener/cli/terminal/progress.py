"""How far inputs and transfers are: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from counter_listener.asr import TransferProgress
from counter_listener.domain import _, format_duration, ngettext, printable

if TYPE_CHECKING:
    from counter_listener.batch import CheckResult, MissingInput

Underway = Callable[[Path, float], None]
"""Told an input and how many seconds of it have been read."""
Done = Callable[[], None]
"""Told that an input is done."""
LISTED: Final = 2
"""Inputs from which on a log has a line for each."""


@contextmanager
def progress_bar(total: int, *, quiet: bool) -> Iterator[tuple[Underway, Done]]:
    """A bar over `total` inputs, if standard error is a terminal; gives what to call underway and when one is done."""
    if quiet or not sys.stderr.isatty():
        yield (lambda _path, _seconds: None), (lambda: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=not sys.stdout.isatty()), transient=True) as bar:
        whole = bar.add_task("", total=total)
        yield (
            lambda path, seconds: bar.update(whole, description=f"{printable(path.name)} {format_duration(seconds)}"),
            lambda: bar.advance(whole),
        )


@contextmanager
def batch_progress(
    inputs: Sequence[Path | MissingInput], now: Callable[[], float], *, quiet: bool
) -> Iterator[tuple[Underway | None, Callable[[CheckResult], None]]]:
    """How far many recordings are: a bar if standard error is a terminal, else a line a file where there are several.

    Gives what to call underway, if anybody wants to know, and with each result. `now` gives seconds.
    """
    pace = Pace(len(inputs), now, now())
    if quiet or (len(inputs) < LISTED and not sys.stderr.isatty()):
        yield None, lambda _result: None
    elif sys.stderr.isatty():
        with _batch_bar(inputs, pace) as calls:
            yield calls
    else:
        yield None, lambda result: click.echo(pace.line(result), err=True)


@dataclass
class Pace:
    """How many recordings are done, and how fast."""

    total: int
    now: Callable[[], float]
    """Gives seconds."""
    began: float
    files: int = 0
    failures: int = 0
    known: int = 0
    """Of the files, how many stood in the record already."""
    seconds: float = 0.0
    """Of sound, checked."""

    def add(self, result: CheckResult) -> None:
        """Counts a result in."""
        self.files += 1
        self.failures += result.error is not None
        self.known += result.recalled
        self.seconds += 0.0 if result.recalled else result.seconds

    def speed(self) -> float:
        """Seconds of sound checked in a second."""
        return self.seconds / max(1e-3, self.now() - self.began)

    def line(self, result: CheckResult) -> str:
        """One line of a log for a result, which is counted in; nobody's words in it."""
        self.add(result)
        visits = sum(event.kind == "visit_closed" for event in result.events)
        came = ngettext("{count} visit", "{count} visits", visits).format(count=visits)
        came = _("in the record already") if result.recalled else came
        what = _("could not be read") if result.error else f"{format_duration(result.seconds)}{_(', ')}{came}"
        done = _("{count} of {total}").format(count=self.files, total=self.total)
        pace = _("({speed:.0f} x real time)").format(speed=self.speed())
        return f"{done}  {printable(str(result.path))}  {what}  {pace}"

    def told(self) -> str:
        """Files, hours, speed and failures, for a bar."""
        told = [_("{count}/{total} files").format(count=self.files, total=self.total)]
        told += [_("{count} known").format(count=self.known)] * bool(self.known)
        told += [_("{hours:.1f} h").format(hours=self.seconds / 3600), f"{self.speed():.0f}x"]
        told += [_("{count} failed").format(count=self.failures)] * bool(self.failures)
        return _(", ").join(told)


@contextmanager
def _batch_bar(
    inputs: Sequence[Path | MissingInput], pace: Pace
) -> Iterator[tuple[Underway | None, Callable[[CheckResult], None]]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from counter_listener.batch import file_size

    sizes = {path: file_size(path) for path in inputs if isinstance(path, Path)}
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[told]}", markup=False),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=not sys.stdout.isatty()), transient=True) as bar:
        whole = bar.add_task("", total=sum(sizes.values()) or 1, told=pace.told())

        def underway(path: Path, seconds: float) -> None:
            bar.update(whole, description=f"{printable(path.name)} {format_duration(seconds)}")

        def done(result: CheckResult) -> None:
            pace.add(result)
            known = sizes.get(result.path, 0)
            if result.recalled:  # costs nothing, and would promise too much
                bar.update(whole, total=max(1, (bar.tasks[0].total or 1) - known), told=pace.told())
                return
            bar.update(whole, advance=known, description=printable(result.path.name), told=pace.told())

        yield underway, done


@contextmanager
def transfer_bar(*, quiet: bool) -> Iterator[Callable[[str], TransferProgress]]:
    """A bar of bytes, if standard error is a terminal; gives what to call when something begins."""
    if quiet or not sys.stderr.isatty():
        yield lambda _title: lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def begin(title: str) -> TransferProgress:
            task = bar.add_task(title, total=None)
            return lambda done, total: bar.update(task, completed=done, total=total)

        yield begin

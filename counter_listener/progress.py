"""How far inputs and transfers are: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Underway = Callable[[Path, float], None]
"""Told an input and how many seconds of it have been read."""
Moved = Callable[[int, int | None], None]
"""Told how many bytes are done, and of how many if that is known."""
Done = Callable[[], None]
"""Told that an input is done."""


@contextmanager
def progress_bar(total: int, *, quiet: bool) -> Iterator[tuple[Underway, Done]]:
    """A bar over `total` inputs, if standard error is a terminal; gives what to call underway and when one is done."""
    if quiet or not sys.stderr.isatty():
        yield (lambda _path, _seconds: None), (lambda: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from counter_listener.clocks import clock
    from counter_listener.privacy import printable

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=not sys.stdout.isatty()), transient=True) as bar:
        whole = bar.add_task("", total=total)
        yield (
            lambda path, seconds: bar.update(whole, description=f"{printable(path.name)} {clock(seconds)}"),
            lambda: bar.advance(whole),
        )


@contextmanager
def transfer_bar(*, quiet: bool) -> Iterator[Callable[[str], Moved]]:
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

        def begin(title: str) -> Moved:
            task = bar.add_task(title, total=None)
            return lambda done, total: bar.update(task, completed=done, total=total)

        yield begin

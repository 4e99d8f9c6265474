"""The level of every microphone, live: which of them hears the counter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Literal

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from counter_listener.audio import SILENCE_DB, CaptureItem, Device, open_microphone, peak_level
from counter_listener.audio import list_devices as listed_devices
from counter_listener.cli.terminal.screen import level_bar
from counter_listener.domain import MicrophoneError, _, printable

Levels = dict[int, float | str]
"""Peak in decibels, or why there is none, by the device's index."""
FRAME_SECONDS = 0.1


def show_levels(seconds: float, clock: Callable[[], float]) -> None:
    """Lists every microphone with its level over some seconds; a terminal shows it as it changes. Raises
    MicrophoneError where there is none or PortAudio is missing.
    """
    listed = listed_devices()
    if not listed:
        raise MicrophoneError("This machine has no microphone; plug one in, and see to the system's privacy settings.")
    if not sys.stdout.isatty():
        peaks: Levels = {}
        for levels in watched(listed, seconds, clock):
            peaks |= {index: _louder(peaks.get(index), now) for index, now in levels.items()}
        for one in listed:
            now = peaks.get(one.index, SILENCE_DB)
            heard = f"{now:.0f} dB" if isinstance(now, float) else now
            mark = "*" if one.default else " "
            name = printable(one.name)
            channels = _("channels: {count}").format(count=one.channels)
            click.echo(f"{mark} {name}, {one.host}  {channels}  {one.rate:.0f} Hz  {heard}")
        return
    with Live(console=Console(highlight=False), auto_refresh=False) as live:
        for levels in watched(listed, seconds, clock):
            live.update(_table(listed, levels), refresh=True)
    click.echo(_("* is the system's default. Give a name, or an unmistakable part of it, to: listen --device NAME"))


def measured(device: Device, channel: Literal["mix"] | int, seconds: float, clock: Callable[[], float]) -> float:
    """The peak of one microphone over some seconds once it is open, in decibels. Raises MicrophoneError."""
    until = float("inf")
    with open_microphone(device, channel, clock, lambda: clock() >= until) as opened:
        until = clock() + seconds
        return max((peak_level(item) for item in opened.sound if isinstance(item, bytes)), default=SILENCE_DB)


def watched(listed: list[Device], seconds: float, clock: Callable[[], float]) -> Iterator[Levels]:
    """What every device hears, again and again for some seconds once all are open; one that cannot be says so."""
    until = float("inf")
    refused: Levels = {}
    with ExitStack() as stack:
        streams: dict[int, Iterator[CaptureItem]] = {}
        for one in listed:
            try:
                streams[one.index] = iter(
                    stack.enter_context(open_microphone(one, "mix", clock, lambda: clock() >= until)).sound
                )
            except MicrophoneError:
                refused[one.index] = _("cannot be opened")
        until = clock() + seconds
        while clock() < until:
            yield {**refused, **{index: _next_level(stream) for index, stream in streams.items()}}


def _next_level(stream: Iterator[CaptureItem]) -> float | str:
    try:
        item = next(stream, None)
    except MicrophoneError:
        return _("stopped")
    return peak_level(item) if isinstance(item, bytes) else SILENCE_DB


def _louder(before: float | str | None, now: float | str) -> float | str:
    return max(before, now) if isinstance(before, float) and isinstance(now, float) else now


def _table(listed: list[Device], levels: Levels) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column(_("name"), overflow="fold")
    for title in (_("interface"), _("channels"), "Hz", _("level")):
        table.add_column(title)
    for one in listed:
        now = levels.get(one.index, SILENCE_DB)
        bar = level_bar(now) if isinstance(now, float) else Text(now, style="yellow")
        name = Text(printable(one.name), style="bold" if one.default else "")
        table.add_row("*" if one.default else "", name, one.host, str(one.channels), f"{one.rate:.0f}", bar)
    return table

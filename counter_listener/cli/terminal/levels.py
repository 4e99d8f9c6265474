"""The level of every microphone, live, which shows the one that hears the counter."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from typing import Literal

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from counter_listener.audio import (
    SILENCE_DB,
    CaptureItem,
    Device,
    find_device,
    list_devices,
    open_microphone,
    peak_level,
)
from counter_listener.cli.options import monotonic_clock
from counter_listener.cli.terminal.screen import level_bar
from counter_listener.domain import MicrophoneError, _, printable

Levels = dict[int, float | str]
"""Peak in decibels, or the reason why there is none, by the index of the device."""


def show_levels(seconds: float) -> None:
    """Lists every microphone with its level over some seconds, updated live in a terminal.

    Raises MicrophoneError if there is no microphone or PortAudio is missing.
    """
    devices = list_devices()
    find_device("", devices)  # raises if there is none
    if sys.stdout.isatty():
        with Live(console=Console(highlight=False), auto_refresh=False) as live:
            for levels in watch_levels(devices, seconds):
                live.update(_table(devices, levels), refresh=True)
        click.echo(_("* is the system's default. To select a microphone, use its name: listen --device NAME"))
        return
    peaks: Levels = {}
    for levels in watch_levels(devices, seconds):
        for index, level in levels.items():
            before = peaks.get(index)
            peaks[index] = max(before, level) if isinstance(before, float) and isinstance(level, float) else level
    for device in devices:
        level = peaks.get(device.index, SILENCE_DB)
        text = f"{level:.0f} dB" if isinstance(level, float) else level
        channels = _("channels: {count}").format(count=device.channels)
        name = f"{'*' if device.default else ' '} {printable(device.name)}, {device.host}"
        click.echo(f"{name}  {channels}  {device.rate:.0f} Hz  {text}")


def numbered_levels(devices: list[Device], seconds: float) -> int:
    """Shows the level of every microphone for some seconds, with a number; returns that of the loudest."""
    peaks = dict.fromkeys((device.index for device in devices), SILENCE_DB)
    live = Live(console=Console(highlight=False), auto_refresh=False) if sys.stdout.isatty() else nullcontext()
    with live:
        for levels in watch_levels(devices, seconds):
            for index, level in levels.items():
                peaks[index] = max(peaks[index], level) if isinstance(level, float) else peaks[index]
            if isinstance(live, Live):
                live.update(_table(devices, levels, numbered=True), refresh=True)
    if not isinstance(live, Live):
        for number, device in enumerate(devices, 1):
            click.echo(f"{number}  {printable(device.full_name)}  {peaks[device.index]:.0f} dB")
    return max(range(len(devices)), key=lambda at: peaks[devices[at].index]) + 1


def measured_peak(device: Device, channel: Literal["mix"] | int, seconds: float) -> float:
    """The peak of one microphone over some seconds after it is open, in decibels. Raises MicrophoneError."""
    until = float("inf")
    with open_microphone(device, channel, monotonic_clock, lambda: monotonic_clock() >= until) as opened:
        until = monotonic_clock() + seconds
        return max((peak_level(item) for item in opened.sound if isinstance(item, bytes)), default=SILENCE_DB)


def watch_levels(devices: list[Device], seconds: float) -> Iterator[Levels]:
    """The level of every device, again and again for some seconds after all are open."""
    until = float("inf")
    refused: Levels = {}
    with ExitStack() as stack:
        streams: dict[int, Iterator[CaptureItem]] = {}
        for device in devices:
            try:
                microphone = open_microphone(device, "mix", monotonic_clock, lambda: monotonic_clock() >= until)
                streams[device.index] = iter(stack.enter_context(microphone).sound)
            except MicrophoneError:
                refused[device.index] = _("cannot be opened")
        until = monotonic_clock() + seconds
        while monotonic_clock() < until:
            yield refused | {index: _next_level(stream) for index, stream in streams.items()}


def _next_level(stream: Iterator[CaptureItem]) -> float | str:
    try:
        item = next(stream, None)
    except MicrophoneError:
        return _("stopped")
    return peak_level(item) if isinstance(item, bytes) else SILENCE_DB


def _table(devices: list[Device], levels: Levels, *, numbered: bool = False) -> Table:
    table = Table("", box=None, pad_edge=False, header_style="dim")
    table.add_column(_("name"), overflow="fold")
    for title in (_("interface"), _("channels"), "Hz", _("level")):
        table.add_column(title)
    for number, device in enumerate(devices, 1):
        level = levels.get(device.index, SILENCE_DB)
        bar = level_bar(level) if isinstance(level, float) else Text(level, style="yellow")
        name = Text(printable(device.name), style="bold" if device.default else "")
        mark = str(number) if numbered else "*" if device.default else ""
        table.add_row(mark, name, device.host, str(device.channels), f"{device.rate:.0f}", bar)
    return table

"""`doctor`: whether this machine is ready to listen, one line each."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from counter_listener.cli.commands.listen import (
    channel_option,
    config_option,
    device_option,
    model_option,
    phrases_option,
    store_option,
)
from counter_listener.cli.help import pad_columns
from counter_listener.cli.options import DEFAULT_MODEL, DEFAULT_PHRASES, monotonic_clock, record_location
from counter_listener.domain import N_, _, printable

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "red")}
DOCTOR_CODES = N_("""\
Exit codes:
  0    all is well, warnings (!) apart
  1    something is wrong (✗); its line says what cures it""")


@click.command(epilog="\b\n" + DOCTOR_CODES + "\n\nExample: counter-listener doctor --device 'USB Audio'")
@config_option
@device_option
@channel_option
@phrases_option
@model_option
@store_option
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 600),
    default=3.0,
    show_default=True,
    help="How long to hear the microphone.",
)
def doctor(*, config_file: Path | None, seconds: float, **flags: Any) -> None:  # noqa: ANN401 - the settings check them
    """Check Python, libraries, PortAudio, microphone, model, record and clock: one line each, with the cure.

    It takes the settings that `listen` would take, and listens for a moment; nothing is kept.
    """
    from counter_listener.cli.readiness import findings
    from counter_listener.live import find_config, read_config, with_flags

    config = with_flags(read_config(find_config(config_file)), flags)
    config = with_flags(config, {"phrases": config.phrases or DEFAULT_PHRASES, "model": config.model or DEFAULT_MODEL})
    place = None if config.store == "none" else record_location(config.store or None)
    wrong = False
    for one in findings(config, place, seconds, monotonic_clock, lambda: datetime.now(UTC)):
        wrong = wrong or one.state == "wrong"
        mark, colour = MARKS[one.state]
        cure = f" -> {printable(one.cure)}" if one.cure and one.state != "ok" else ""
        click.echo(
            f"{click.style(mark, fg=colour)} {pad_columns(_(one.what) + _(':'), 15)} {printable(one.said)}{cure}"
        )
    sys.exit(int(wrong))

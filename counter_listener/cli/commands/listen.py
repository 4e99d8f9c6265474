"""`listen`, `devices` and `init`: the other half of the main job, a microphone beside the counter."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from counter_listener.cli.help import in_language, session_language
from counter_listener.cli.options import DEFAULT_MODEL, DEFAULT_PHRASES, UNREADABLE, monotonic_clock, record_location
from counter_listener.domain import N_, ConfigError, UsageError, _, printable, system_reason

if TYPE_CHECKING:
    from counter_listener.live import Config, Message, ScreenState, Supervisor

FRAMES_PER_SECOND = 8
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
LISTEN_CODES = N_("""\
Exit codes:
  0    it was told to stop (q, Ctrl-C, SIGTERM), closed the open visit and wrote everything
  2    a setting, phrase set or model that cannot be used
  3    the microphone cannot be used, or the listener could not be stopped in time
  4    the record could not be opened, written or trusted
  73   somebody listens at this counter already""")

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings.  [default: counter.toml here or in your data folder, where there is one]",
)


def channel(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | int | None:
    """A channel as the settings have it."""
    return int(given) if given is not None and given.isdigit() else given


# Of settings that a file may hold as well: no defaults of their own.
device_option = click.option("--device", metavar="NAME", help="Microphone, by its name or an unmistakable part of it.")
channel_option = click.option(
    "--channel", metavar="mix|NUMBER", callback=channel, help="Channel of the device, from 1."
)
phrases_option = click.option(
    "--phrases", metavar="FILE|NAME", help="Phrase set: a .toml file, or the name of one at hand."
)
model_option = click.option(
    "--model", metavar="DIR|NAME", help="Speech model: a Vosk model's folder, or the name of one at hand."
)
store_option = click.option(
    "--store", metavar="URL|FILE", help="The record: an SQLite file or sqlite:/// URL, or none."
)


@click.command(epilog="\b\n" + LISTEN_CODES + "\n\nExample: counter-listener listen --device 'USB Audio' --counter 3")
@config_option
@device_option
@channel_option
@click.option("--counter", metavar="NAME", help="The counter, for the record.")
@phrases_option
@model_option
@store_option
@click.option("--screen/--no-screen", default=None, help="Show the visit, or print one line a visit.")
def listen(config_file: Path | None, **flags: Any) -> None:  # noqa: ANN401 - the settings check them
    """Listen at a counter all day: the same as `check`, from a microphone.

    What the flags leave open, counter.toml says (`init` writes one), else there is a default. The screen shows the
    stages of the visit with what was heard; the space key opens or closes a visit by hand, q leaves. Without a screen
    one line a visit is printed, with no words of the customer in it. Should the listener die or hang, it is started
    again; sound that was lost becomes a gap in the record, and accuses nobody.
    """
    from counter_listener.live import find_config, read_config, with_flags
    from counter_listener.record import lock_counter

    config = with_flags(read_config(find_config(config_file)), flags)
    config = with_flags(config, {"phrases": config.phrases or DEFAULT_PHRASES, "model": config.model or DEFAULT_MODEL})
    lang = session_language(config.language)
    config = with_flags(config, {"language": lang})
    recorded = config.store != "none"
    lock = lock_counter(record_location(config.store or None), config.counter) if recorded else nullcontext()
    with lock, in_language(lang):
        sys.exit(keep_listening(config))


@click.command(epilog="Example: counter-listener devices --seconds 10")
@click.option("--seconds", type=click.FloatRange(0.2, 3600), default=3.0, show_default=True, help="How long to listen.")
def devices(*, seconds: float) -> None:
    """List the microphones by name, each with its level, live where a terminal shows it. Nothing is kept.

    Speak, and see which bar moves. 0 dB is the loudest there can be; a good voice peaks at -30 to -6 dB.
    """
    from counter_listener.cli.terminal.levels import show_levels

    show_levels(seconds, monotonic_clock)


@click.command(epilog="Example: counter-listener init --counter 3 --device 'USB Audio'")
@click.argument("file", type=click.Path(path_type=Path), default=Path("counter.toml"))
@click.option("--counter", metavar="NAME", default="", help="Name of the counter, written into it.")
@click.option("--device", metavar="NAME", default="", help="Name of the microphone, written into it.")
def init(*, file: Path, counter: str, device: str) -> None:
    """Write the settings of `listen` to FILE (counter.toml), every one explained with its unit."""
    from counter_listener.live import template

    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(template(counter, device))
    except FileExistsError:
        raise UsageError("{file} exists already; give another name, or remove it first.", file=file) from None
    except OSError as error:
        raise ConfigError(
            "{path} cannot be written ({why}); see to its folder and rights", path=file, why=system_reason(error)
        ) from None
    click.echo(_("{file} is written. Change it with any editor, then: counter-listener listen").format(file=file))


def keep_listening(config: Config) -> int:
    """Listens until told to stop; the exit code."""
    from counter_listener.live import NO_MICROPHONE, ScreenState, Supervisor

    board = ScreenState(counter=config.counter)
    supervisor = Supervisor(
        [sys.executable, "-m", "counter_listener.cli.listener_process"],
        config.model_dump(),
        config.memory_limit,
        monotonic_clock,
        tell=lambda _message: None,
    )
    with ExitStack() as stack:
        stack.enter_context(_signals(supervisor))
        shown = config.screen and sys.stdout is not None and sys.stdout.isatty()
        show = stack.enter_context((_screen if shown else _log)(board, supervisor))
        supervisor.tell = _announced(show)
        wrong = supervisor.run()
    if wrong is None:
        return 0
    click.echo(_("Error: {message}").format(message=printable(wrong)), err=True)
    return {NO_MICROPHONE: UNREADABLE}.get(supervisor.code, supervisor.code if supervisor.code > 0 else UNREADABLE)


def _announced(show: Callable[[Message], None]) -> Callable[[Message], None]:
    """The same, and systemd is told too when the first sound has come and when all is closed."""
    from counter_listener.live import notify

    def tell(message: Message) -> None:
        if "started" in message and "begun" in message:
            notify(os.environ, "READY=1")
        elif "stopped" in message:
            notify(os.environ, "STOPPING=1")
        show(message)

    return tell


def _ticker(draw: Callable[[], None], frames: float) -> Callable[[], None]:
    """What to do after everything that happens: draw so many times a second at most, and reassure systemd."""
    from counter_listener.live import notify, watchdog_seconds

    every = watchdog_seconds(os.environ)
    drawn = reassured = float("-inf")

    def tick() -> None:
        nonlocal drawn, reassured
        now = monotonic_clock()
        if now - drawn >= 1 / frames:
            drawn = now
            draw()
        if every is not None and now - reassured >= every:
            reassured = now
            notify(os.environ, "WATCHDOG=1")

    return tick


@contextmanager
def _signals(supervisor: Supervisor) -> Iterator[None]:
    """Whatever wants this program to end makes it stop properly."""
    known = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {one: signal.signal(one, lambda *_: supervisor.inbox.put(("order", "stop"))) for one in known}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def _screen(board: ScreenState, supervisor: Supervisor) -> Iterator[Callable[[Message], None]]:
    """A whole terminal; what happens is drawn at once where a person waits for it, else with the next frame."""
    from rich.console import Console
    from rich.live import Live

    from counter_listener.cli.terminal.keys import keys
    from counter_listener.cli.terminal.screen import Screen

    def draw() -> None:
        live.update(Screen(board, f"{datetime.now().astimezone():%H:%M:%S}"), refresh=True)

    def pressed(key: str) -> None:
        order = {" ": "space", "q": "stop", "Q": "stop"}.get(key)
        if order:
            supervisor.inbox.put(("order", order))

    def show(message: Message) -> None:
        board.take(message)
        if "beat" not in message:
            draw()

    supervisor.tick = _ticker(draw, FRAMES_PER_SECOND)
    console = Console(highlight=False)
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live, keys(pressed):
        draw()
        yield show


@contextmanager
def _log(board: ScreenState, supervisor: Supervisor) -> Iterator[Callable[[Message], None]]:
    """One line a visit on stdout; gaps and restarts on stderr."""
    from counter_listener.cli.terminal.log_lines import visit_line, warning_line

    def show(message: Message) -> None:
        told = board.take(message)
        now = datetime.now().astimezone()
        if line := visit_line(told, board):
            click.echo(line)
        if line := warning_line(message, told, board, now):
            click.echo(line, err=True)

    supervisor.tick = _ticker(lambda: None, 1)
    yield show

"""`listen`, `devices` and `init`: live listening at a counter, and what it needs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from counter_listener.cli.help import Command, in_language, session_language
from counter_listener.cli.log import Log, LogForm, log_format_option
from counter_listener.cli.options import (
    ExitCode,
    key_location,
    load_settings,
    monotonic_clock,
    record_location,
    settings_options,
    warn_of_readers,
)
from counter_listener.domain import N_, ConfigError, UsageError, _, printable, system_reason

if TYPE_CHECKING:
    from counter_listener.live import Config, Day, Message, ScreenState, Supervisor

FRAMES_PER_SECOND = 8
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
LISTEN_CODES = N_("""\
Exit codes:
  0    it was stopped (q, Ctrl-C, SIGTERM), closed the open visit and wrote everything
  2    a setting, phrase set or model that cannot be used
  3    the microphone cannot be used, or the listener could not be stopped in time
  4    the record could not be opened, written or trusted
  73   another listener already runs at this counter""")


@click.command(
    cls=Command, epilog="\b\n" + LISTEN_CODES + "\n\nExample: counter-listener listen --device 'USB Audio' --counter 3"
)
@settings_options
@click.option("--counter", metavar="NAME", help="The counter, for the record.")
@click.option("--screen/--no-screen", default=None, help="Show the visit, or print one line per visit.")
@click.option("--page/--no-page", default=None, help="Show the visit in a window of the browser too (extra `web`).")
@click.option(
    "--page-port", metavar="NUMBER", type=click.IntRange(0, 65_535), help="The port of the page; 0 takes any free one."
)
@click.option("--no-browser", is_flag=True, help="Do not open the browser for the page; print its address only.")
@log_format_option
def listen(config_file: Path | None, log_format: LogForm, *, no_browser: bool, **flags: Any) -> None:  # noqa: ANN401 - the settings check them
    """Listen at a counter all day: the same as `check`, from a microphone.

    Options that are not given come from counter.toml (`init` writes one), else they have defaults. The screen shows the
    stages of the visit and what was heard. The space key opens or closes a visit; q quits. Without a screen, one line
    per visit is printed, without any words of the customer. --page shows the same in a small window of the browser, on
    this machine alone. If the listener crashes or hangs, it is restarted. Lost
    audio is recorded as a gap, and never counts as not heard. If the record is enrolled at a server (`enrol`), it is
    sent there, by a process of its own.
    """
    from counter_listener.live import with_flags
    from counter_listener.record import lock_counter

    config = load_settings(config_file, flags)
    lang = session_language(config.language)
    config = with_flags(config, {"language": lang})
    location = record_location(config.store or None) if config.store != "none" else None
    with lock_counter(location, config.counter) if location else nullcontext(), in_language(lang):
        if location:
            warn_of_readers(location, key_location(config.key))
        sys.exit(keep_listening(config, location, log_format, open_browser=not no_browser))


@click.command(cls=Command, epilog="Example: counter-listener devices --seconds 10")
@click.option("--seconds", type=click.FloatRange(0.2, 3600), default=3.0, show_default=True, help="How long to listen.")
def devices(*, seconds: float) -> None:
    """List the microphones, each with its level, updated live in a terminal. No audio is stored.

    Speak, and see which bar moves. 0 dB is the maximum; a good level of speech peaks between -30 and -6 dB.
    """
    from counter_listener.cli.terminal.levels import show_levels

    show_levels(seconds)


@click.command(cls=Command, epilog="Example: counter-listener init --counter 3 --device 'USB Audio'")
@click.argument("file", type=click.Path(path_type=Path), default=Path("counter.toml"))
@click.option("--counter", metavar="NAME", default="", help="Name of the counter, written to the file.")
@click.option("--device", metavar="NAME", default="", help="Name of the microphone, written to the file.")
def init(*, file: Path, counter: str, device: str) -> None:
    """Write the settings of `listen` to FILE (counter.toml), each explained with its unit."""
    from counter_listener.live import template

    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(template(counter, device))
    except FileExistsError:
        raise UsageError("{file} already exists; give another name, or remove it first.", file=file) from None
    except OSError as error:
        text = N_("{path} cannot be written ({why}); check its folder and permissions")
        raise ConfigError(text, path=file, why=system_reason(error)) from None
    text = _("{file} was written. Edit it with any editor, then run: counter-listener listen")
    click.echo(text.format(file=printable(str(file))))


def keep_listening(
    config: Config, location: str | None = None, log_format: LogForm = "text", *, open_browser: bool = True
) -> int:
    """Listens until the order to stop, and sends the record at `location` if it is enrolled. Returns the exit code."""
    from counter_listener.live import NO_MICROPHONE, ScreenState, Supervisor

    state = ScreenState(counter=config.counter, when_advised=config.advice)
    supervisor = Supervisor(
        [sys.executable, "-m", "counter_listener.cli.listener_process"],
        config.model_dump(),
        config.memory_limit,
        monotonic_clock,
        on_message=lambda _message: None,
    )
    with ExitStack() as stack:
        for name in SIGNALS:  # each would end this program; as an order to stop it lets the open visit be closed
            if number := getattr(signal, name, None):
                before = signal.signal(number, lambda *_: supervisor.inbox.put(("order", "stop")))
                stack.callback(signal.signal, number, before)
        on_screen = config.screen and log_format == "text" and sys.stdout is not None and sys.stdout.isatty()
        log = Log(log_format, dated=False)
        draw_page, link = _page(state, supervisor, config, stack, log, open_browser)
        show = stack.enter_context(_screen(state, supervisor, link) if on_screen else _log(state, supervisor, log))
        supervisor.on_message = _shown_everywhere(show, draw_page)
        more = [_ticker(draw_page, FRAMES_PER_SECOND)] if link else []
        if location:
            more.append(_sending(location, config, supervisor, stack))
        for tick in more:
            supervisor.on_tick = _both(supervisor.on_tick, tick)
        failure = supervisor.run()
    if on_screen:
        _tell_day(state.day)
    if failure is None:
        return ExitCode.PASSED
    click.echo(_("Error: {message}").format(message=printable(failure)), err=True)
    return supervisor.code if 0 < supervisor.code != NO_MICROPHONE else ExitCode.UNREADABLE


def _tell_day(day: Day) -> None:
    from counter_listener.cli.terminal.day import day_summary

    for line in day_summary(day):
        click.echo(line)


def _page(  # noqa: PLR0913 - what the page needs
    state: ScreenState,
    supervisor: Supervisor,
    config: Config,
    stack: ExitStack,
    log: Log,
    open_browser: bool,  # noqa: FBT001 - one fact
) -> tuple[Callable[[], None], str]:
    """What draws the page beside the clerk, and its address; without one it draws nothing, and there is no address."""
    if not config.page:
        return lambda: None, ""
    from counter_listener.cli.commands.listen_page import page_beside

    page = stack.enter_context(page_beside(state, supervisor, config, log, open_it=open_browser))
    return page.draw, page.link


def _shown_everywhere(show: Callable[[Message], None], draw_page: Callable[[], None]) -> Callable[[Message], None]:
    """Shows a message on the screen, and on the page unless it is only a level, and tells a service manager."""
    from counter_listener.live import notify

    def receive(message: Message) -> None:
        if "started" in message and "begun" in message:
            notify("READY=1")
        elif "stopped" in message:
            notify("STOPPING=1")
        show(message)
        if "beat" not in message:
            draw_page()

    return receive


def _sending(location: str, config: Config, supervisor: Supervisor, stack: ExitStack) -> Callable[[], None]:
    """Keeps a process that sends the record, and tells the listener of a new phrase set; to be called often."""
    from counter_listener.cli.sender_process import UNSENT, SenderProcess, SetWatch

    sender = SenderProcess(location, config.clips.send, lambda: supervisor.on_message({"trouble": UNSENT}))
    stack.callback(sender.stop)
    sets = SetWatch(location, config.phrases, lambda: supervisor.inbox.put(("order", "renew")))

    def keep() -> None:
        sender.keep(monotonic_clock())
        sets.look(monotonic_clock())

    return keep


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        second()

    return call


def _ticker(draw: Callable[[], None], frames: float) -> Callable[[], None]:
    """Draws, at most `frames` times per second, and notifies the watchdog of systemd; to be called often."""
    from counter_listener.live import Watchdog

    going_on, drawn = Watchdog(monotonic_clock), float("-inf")

    def tick() -> None:
        nonlocal drawn
        now = going_on()
        if now - drawn >= 1 / frames:
            drawn = now
            draw()

    return tick


@contextmanager
def _screen(state: ScreenState, supervisor: Supervisor, link: str = "") -> Iterator[Callable[[Message], None]]:
    """The whole terminal. A change that a person waits for is drawn at once, a level with the next frame."""
    from rich.console import Console
    from rich.live import Live

    from counter_listener.cli.terminal.screen import Screen, key_orders

    def draw() -> None:
        live.update(Screen(state, f"{datetime.now().astimezone():%H:%M:%S}", link), refresh=True)

    def show(message: Message) -> None:
        state.apply(message)
        if "beat" not in message:
            draw()

    def tick() -> None:
        for order in pressed():
            supervisor.inbox.put(("order", order))
        redraw()

    redraw = _ticker(draw, FRAMES_PER_SECOND)
    console = Console(highlight=False)
    with (
        Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live,
        key_orders() as pressed,
    ):
        supervisor.on_tick = tick
        draw()
        yield show


@contextmanager
def _log(state: ScreenState, supervisor: Supervisor, log: Log) -> Iterator[Callable[[Message], None]]:
    """One line per visit on standard output; gaps and restarts on standard error."""
    from counter_listener.cli.terminal.screen import visit_facts, visit_line, warning_line

    def show(message: Message) -> None:
        change = state.apply(message)
        counter = state.counter or None
        if line := visit_line(change, state):
            log("visit", line, counter=counter, **visit_facts(change))
        if line := warning_line(message, change, state, datetime.now().astimezone()):
            is_begin = "standard" in message or "keeping" in message
            log(
                "listening" if is_begin else "trouble",
                line,
                level="info" if is_begin else "warning",
                err=True,
                counter=counter,
            )

    supervisor.on_tick = _ticker(lambda: None, 1)
    yield show

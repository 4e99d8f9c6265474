"""`setup`: a counter from the first start to a tested microphone, asked step by step or given as options."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from counter_listener.cli.help import Command, in_language, session_language
from counter_listener.cli.options import (
    ExitCode,
    beside_record,
    load_settings,
    parse_channel,
    record_location,
)
from counter_listener.domain import N_, UsageError, _, current_language, data_folder, printable

if TYPE_CHECKING:
    from counter_listener.live import Config

METER_SECONDS: Final = 6.0
TRIAL_SECONDS: Final = 8.0
EXIT_CODES: Final = N_("""\
Exit codes:
  0    the settings are written, and the test visit, if there was one, was heard
  1    the test visit was not heard; the settings are written
  2    bad usage, or settings, a phrase set or a model that cannot be used
  3    the microphone cannot be used
  4    the server cannot be reached, or refuses the code""")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a counter is set up with; None is not known yet, and stays as it is."""

    language: Literal["auto", "zh", "en"] | None
    device: str | None
    channel: str | int | None
    counter: str | None
    store: str | None
    server: str | None
    code: str | None
    ca: str | None
    test: bool | None

    @property
    def settings(self) -> dict[str, object]:
        """What is written into the settings file."""
        named = ("language", "device", "channel", "counter", "store")
        return {name: value for name in named if (value := getattr(self, name)) is not None}


@click.command(
    cls=Command, epilog="\b\n" + EXIT_CODES + "\n\nExample: counter-listener setup --counter 3 --microphone 'USB Audio'"
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The settings file to write.  [default: the one that `listen` reads, else counter.toml in your data folder]",
)
@click.option("--language", type=click.Choice(["auto", "zh", "en"]), help="Of the screen and the log.")
@click.option("--microphone", "device", metavar="NAME", help="Microphone: its name, or a part that only it has.")
@click.option("--channel", metavar="mix|NUMBER", callback=parse_channel, help="Channel of the device, from 1.")
@click.option("--counter", metavar="NAME", help="The counter, for the record.")
@click.option("--store", metavar="URL|FILE", help="The record: an SQLite file or sqlite:/// URL.")
@click.option("--server", metavar="URL", help="The server to which the record is sent, as for `enrol`.")
@click.option("--code", metavar="CODE", help="The code that the server showed for this counter.")
@click.option("--ca", metavar="FILE", help="The certificate of the server, or of who signed it, PEM.")
@click.option(
    "--test/--no-test", default=None, help="Say a greeting, and see it heard.  [default: unless --non-interactive]"
)
@click.option("--non-interactive", is_flag=True, help="Ask nothing: what is not given stays as it is.")
def setup(*, config_file: Path | None, non_interactive: bool, **given: Any) -> None:  # noqa: ANN401 - click checks them
    """Set up a counter: language, microphone, name, server, and a greeting to try it.

    It asks for what is not given as an option, shows the level of each microphone, and writes the settings file of
    `listen`; what stands in that file beside, comments too, stays. It may be run again at any time.
    """
    from counter_listener.live import find_config

    file = config_file or find_config(None) or data_folder() / "counter.toml"
    config = _present(file)
    wanted = Wanted(**given)
    if not non_interactive:
        _require_terminal()
        language = wanted.language or _ask_language(config)
        wanted = replace(wanted, language=language)
    with _spoken(wanted.language or config.language):
        sys.exit(_set_up(file, config, wanted if non_interactive else _ask(wanted, config)))


def _present(file: Path) -> Config:
    """The settings as they are. Raises ConfigError."""
    from counter_listener.live import read_config

    return read_config(file if file.exists() else None)


def _require_terminal() -> None:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("There is nobody to ask; give options and --non-interactive.")


@contextmanager
def _spoken(language: str) -> Iterator[None]:
    with in_language(session_language(language)):
        yield


def _ask_language(config: Config) -> Literal["zh", "en"]:
    likely = config.language if config.language != "auto" else current_language()
    asked = click.prompt(_("Language"), type=click.Choice(["zh", "en"]), default=likely)
    return "zh" if asked == "zh" else "en"


def _ask(wanted: Wanted, config: Config) -> Wanted:
    """What is wanted, with an answer for each thing that was not given. Raises MicrophoneError."""
    device = wanted.device if wanted.device is not None else _ask_microphone(config.device)
    counter = wanted.counter or click.prompt(_("Name of the counter"), default=config.counter or None)
    server = wanted.server
    if server is None:
        asked = click.prompt(_("Server to send the record to (empty: none)"), default="", show_default=False)
        server = asked.strip() or None
    code = wanted.code
    if server and not code and not _is_enrolled(wanted.store or config.store, server):
        code = click.prompt(_("Code"))
    test = wanted.test is not False
    return replace(wanted, device=device, counter=counter, server=server, code=code, test=test)


def _ask_microphone(present: str) -> str:
    """The name of a microphone, chosen by its level. Raises MicrophoneError."""
    from counter_listener.audio import find_device, list_devices
    from counter_listener.cli.terminal.levels import numbered_levels

    click.echo(_("Speak at the counter, and see which bar moves."))
    devices = list_devices()
    find_device("", devices)  # raises if there is none
    loudest = numbered_levels(devices, METER_SECONDS)
    known = next((number for number, device in enumerate(devices, 1) if device.name == present), None)
    number = click.prompt(_("Number of the microphone"), type=click.IntRange(1, len(devices)), default=known or loudest)
    chosen = devices[number - 1]
    same = [device for device in devices if device.name == chosen.name]
    return chosen.name if len(same) == 1 else chosen.full_name


def _set_up(file: Path, config: Config, wanted: Wanted) -> ExitCode:
    """Does what is wanted, in an order in which nothing is written that cannot be used."""
    from counter_listener.audio import find_device, list_devices
    from counter_listener.live import write_config

    if wanted.code and not wanted.server:
        raise UsageError("--code belongs to a server; add --server URL.")
    if wanted.device:
        find_device(wanted.device, list_devices())
    _enrol(wanted, wanted.store or config.store)
    changed = write_config(file, wanted.settings)
    text = _("{file} was written.") if changed else _("{file} holds these settings already.")
    click.echo(text.format(file=printable(str(file))))
    if wanted.test and not _try(file):
        return ExitCode.BELOW
    click.echo(_("Next: counter-listener doctor checks this computer, counter-listener listen begins."))
    return ExitCode.PASSED


def _record(store: str) -> Path | None:
    return beside_record("none" if store == "none" else record_location(store or None))


def _is_enrolled(store: str, server: str) -> bool:
    from counter_listener.record import read_server

    record = _record(store)
    known = read_server(record) if record else None
    return known is not None and known.url == server.rstrip("/")


def _enrol(wanted: Wanted, store: str) -> None:
    """Makes the counter known to its server, unless it is. Raises UsageError, SendError."""
    from counter_listener.record import Trust, enrol_here

    record = _record(store)
    if not wanted.server or _is_enrolled(store, wanted.server):
        return
    if record is None:
        raise UsageError("Nothing is recorded, so there is nothing to send: set a store, or leave out --server.")
    if not wanted.code:
        raise UsageError("A server gives a code for this counter (`counters add`); add --code CODE.")
    known = enrol_here(record, wanted.server, wanted.code, Trust(wanted.ca, None), current_language())
    text = _("Enrolled at {url} as {name}.")
    click.echo(text.format(url=printable(known.url), name=printable(known.counter)))


def _try(file: Path) -> bool:
    """Whether a greeting was heard: says what was recognised, and what was found in it."""
    from counter_listener.cli.terminal.trial import try_visit

    config = load_settings(file, {})
    ready = partial(click.echo, _("Say a greeting to a customer now. Nothing of it is kept."))
    trial = try_visit(config, _record(config.store), TRIAL_SECONDS, ready)
    if not trial.heard:
        click.echo(_("✗ Nothing was recognised; speak louder or nearer, or choose another microphone."))
        return False
    click.echo(_("Recognised: {words}").format(words=printable(trial.heard)))
    for title in trial.found:
        click.echo(f"✓ {printable(title)}")
    for title in trial.offences:
        click.echo(f"✗ {printable(title)}")
    if not trial.found:
        click.echo(_("? No phrase of the phrase set was in it; it may have been misheard. Try again with setup."))
    return True

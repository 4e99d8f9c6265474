"""What the commands share: exit codes, options, settings, and where the record is."""

from __future__ import annotations

import getpass
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import click

from counter_listener.domain import BOM, N_, RecordError, UsageError, _, data_folder, printable, settings_folder

if TYPE_CHECKING:
    from counter_listener.domain import Speaker
    from counter_listener.live import Config
    from counter_listener.record import Record

Command = TypeVar("Command", bound=Callable[..., Any])
Format = Literal["table", "jsonl", "csv"]
SPEAKERS: Final[tuple[Speaker, ...]] = ("clerk", "customer", "unknown")
DEFAULT_PHRASES: Final = "bank-counter"
PHRASES_HELP: Final = "Phrase set: a .toml file, or the name of one that ships with the program."
DEFAULT_MODEL: Final = "counter-cn"
EXIT_CODES: Final = N_("""\
Exit codes:
  0    every input was checked (and no visit scored below --fail-under)
  1    some visit scored below --fail-under
  2    bad usage: an option, a phrase set or a model that cannot be used
  3    some input could not be read or understood, or not in full; the others were checked and recorded
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


class Position(click.ParamType[float]):
    """A place in a recording: seconds, or minutes and seconds as 1:05, or 1:02:05."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """The place in seconds."""
        try:
            *larger, seconds = (float(part) for part in str(value).split(":"))
            total: float = seconds + sum(part * 60 ** (at + 1) for at, part in enumerate(reversed(larger)))
        except ValueError:
            total = -1.0
        if "-" in str(value) or not 0 <= total < float("inf") or str(value).count(":") > 2:  # noqa: PLR2004 - hours, minutes, seconds
            self.fail(_("{value!r} is not a time: give seconds, or 1:05.").format(value=value), param, ctx)
        return total


def record_location(store_url: str | None) -> str:
    """The location of the record that --store names; without it, a file in the data folder. Raises UsageError."""
    if store_url is None:
        return str(data_folder() / "events.db")
    if store_url in {"", "none", ":memory:"} or store_url.startswith("file:"):
        raise UsageError("--store {asked!r} is not a record; give a file or a sqlite:/// URL.", asked=store_url)
    return str(Path(store_url).expanduser()) if store_url.startswith("~") else store_url


def beside_record(location: str) -> Path | None:
    """The file of the record at a location, beside which phrase sets in force lie; None if there is none."""
    from counter_listener.record import record_file

    try:
        return None if location == "none" else record_file(location)
    except RecordError:  # told when the record is opened
        return None


def key_location(key: str | None) -> Path | None:
    """The file of the key that --key names; without it, one in the settings folder; None to sign nothing."""
    if key == "none":
        return None
    return Path(key).expanduser() if key else settings_folder() / "record-key.pem"


def clip_key_location(key: str | None = None) -> Path:
    """The file of the keys of clips that --clip-key names; without it, one in the settings folder."""
    return Path(key).expanduser() if key else settings_folder() / "clip-key.pem"


@contextmanager
def existing_record(store_url: str | None, *, key_file: Path | None = None, upgrade: bool = True) -> Iterator[Record]:
    """Opens the record; it is not created. Raises UsageError, RecordError."""
    from counter_listener.record import open_record

    location = record_location(store_url)
    with open_record(location, create=False, key_file=key_file, upgrade=upgrade) as record:
        warn_of_readers(location, key_file)
        yield record


def warn_of_readers(location: str, key_file: Path | None) -> None:
    """Says on standard error which files of a record others may read. Raises RecordError."""
    from counter_listener.record import readable_by_others, record_file

    path = record_file(location)
    for shared in readable_by_others(path, *([key_file] if key_file else [])):
        text = _("Warning: other users may read {path}; `counter-listener doctor` takes that right from them.")
        click.echo(text.format(path=printable(str(shared))), err=True)


def login_name() -> str:
    """The name of the user of this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name
        return "local"


def monotonic_clock() -> float:
    """Seconds since a moment that is the same in every process; it never goes back and continues during suspend."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def csv_mark() -> str:
    """What CSV on standard output begins with: a byte-order mark at the start of a file, which Excel may open.

    Without it, Excel reads Chinese in the code page of the country. A program that reads from a pipe needs none.
    """
    try:
        facts = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):  # no file stands behind it
        return ""
    return BOM if stat.S_ISREG(facts.st_mode) and not facts.st_size else ""


def discard_output() -> None:
    """Redirects standard output to the null device: it cannot be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parse_speakers(_ctx: click.Context, _param: click.Parameter, given: str | None) -> dict[str, Speaker]:
    """Whom each name stands for, from the value of --speakers. Raises UsageError."""
    speakers: dict[str, Speaker] = {}
    for pair in given.split(",") if given is not None else ():
        role, sign, name = (part.strip() for part in pair.partition("="))
        who = next((speaker for speaker in SPEAKERS if speaker == role), None)
        if who is None or not sign or not name:
            raise UsageError("--speakers takes clerk=NAME,customer=NAME, not {given!r}.", given=given)
        if speakers.setdefault(name, who) != who:
            raise UsageError("--speakers gives {name!r} two different roles.", name=name)
    return speakers


phrases_option = click.option(
    "--phrases",
    "phrases_name",
    metavar="FILE|NAME",
    default=DEFAULT_PHRASES,
    show_default=True,
    help=PHRASES_HELP,
)
speakers_option = click.option(
    "--speakers",
    metavar="clerk=NAME,customer=NAME",
    callback=parse_speakers,
    help="Whom the names in transcripts stand for; a role may be given several times.  [default: clerk, customer and"
    " other usual names]",
)
silence_option = click.option(
    "--skip-silence/--no-skip-silence",
    default=True,
    help="Skip long stretches of unchanging sound without speech.  [default: skip]",
)
who_spoke_option = click.option(
    "--who-spoke",
    is_flag=True,
    help="Learn the clerk's voice from each recording, to tell the clerk's words from a customer's. Needs the speaker"
    " model.",
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
    help="The record: an SQLite file, or the URL of a PostgreSQL database.  [default: events.db in your data folder]",
)

KEY_HELP: Final = (
    "The file of the key that signs the record, made when it is first needed, or none.  [default: record-key.pem in"
    " your settings folder]"
)
KEY_VARIABLE: Final = "COUNTER_LISTENER_KEY"
CLIP_KEY_VARIABLE: Final = "COUNTER_LISTENER_CLIP_KEY"
clip_key_option = click.option(
    "--clip-key",
    metavar="FILE",
    envvar=CLIP_KEY_VARIABLE,
    help="The file of the keys that play clips.  [default: clip-key.pem in your settings folder]",
)
key_option = click.option("--key", metavar="FILE", envvar=KEY_VARIABLE, help=KEY_HELP)


def format_option(text: str, *forms: str) -> Callable[[Command], Command]:
    """The option --format with a choice of `forms`, or of table and jsonl; `text` is its help."""
    choice = click.Choice(forms or ("table", "jsonl"))
    return click.option("--format", "form", type=choice, default="table", show_default=True, help=text)


def parse_channel(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | int | None:
    """The value of --channel in the type that the settings use."""
    return int(given) if given is not None and given.isdigit() else given


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that may also be in the settings file, so they have no defaults here; and --config."""
    options = (
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Settings file.  [default: counter.toml here or in your data folder, if there is one]",
        ),
        click.option("--device", metavar="NAME", help="Microphone: its name, or a part that only it has."),
        click.option("--channel", metavar="mix|NUMBER", callback=parse_channel, help="Channel of the device, from 1."),
        click.option("--phrases", metavar="FILE|NAME", help=PHRASES_HELP),
        click.option(
            "--model",
            metavar="DIR|NAME",
            help="Speech model: the folder of a Vosk model, or the name of an installed one.",
        ),
        click.option(
            "--store", metavar="URL|FILE", help="The record: an SQLite file, the URL of a PostgreSQL database, or none."
        ),
        click.option("--key", metavar="FILE", envvar=KEY_VARIABLE, help=KEY_HELP),
    )
    for option in reversed(options):
        command = option(command)
    return command


def load_settings(config_file: Path | None, flags: dict[str, Any]) -> Config:
    """The settings from the options, else from the settings file, else the defaults. Raises ConfigError."""
    from counter_listener.live import find_config, read_config, with_flags

    config = with_flags(read_config(find_config(config_file)), flags)
    return with_flags(config, {"phrases": config.phrases or DEFAULT_PHRASES, "model": config.model or DEFAULT_MODEL})

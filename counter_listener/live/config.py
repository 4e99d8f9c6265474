"""The settings of `listen`, read from counter.toml; the only module that knows the content of that file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counter_listener.domain import N_, ConfigError, Sentence, _, data_folder, sentence, system_reason

FILE: Final = "counter.toml"
MAX_BYTES: Final = 100_000
MAX_DOTS: Final = 100
"""In one line: tomllib needs minutes for a dotted key of many thousand parts."""
MAX_CHANNEL: Final = 64


class Config(BaseModel):
    """The settings of `listen`; every field has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    counter: str = Field(default="", max_length=200)
    """Name of the counter, for the record."""
    device: str = Field(default="", max_length=500)
    """Name of the microphone or an unambiguous part of it; empty is the system's default."""
    channel: Literal["mix"] | int = Field(default="mix", union_mode="left_to_right")
    """Which channel of the device is this counter's, from 1; `mix` is all of them."""
    phrases: str = Field(default="", max_length=1000)
    """Phrase set, a .toml file or a name; empty is the default of `check`."""
    model: str = Field(default="", max_length=1000)
    """Speech model, a folder or a name; empty is the default of `check`."""
    store: str = Field(default="", max_length=1000)
    """The record, a file or URL; `none` records nothing; empty is events.db in the data folder."""
    screen: bool = True
    """Whether a terminal shows the visit; without a terminal one line a visit is printed in any case."""
    language: Literal["auto", "zh", "en"] = "auto"
    """Of the screen and the log; `auto` is that of the locale."""
    memory_limit: int = Field(default=1500, ge=100, le=1_000_000)
    """Megabytes that the listener may use before it is restarted between two visits."""


EXPECTED: Final = {
    "string_type": N_("must be text in quotes"),
    "string_too_long": N_("is too long"),
    "bool_type": N_("must be true or false"),
    "int_type": N_("must be a whole number"),
    "greater_than_equal": N_("is too small"),
    "less_than_equal": N_("is too large"),
}
"""What a value must be, by pydantic's type of the error."""

TEMPLATE: Final = N_("""\
# Settings of `counter-listener listen`. A flag on the command line wins over what stands here.
# Lines that begin with # are comments; take the # away to change a setting.

# Name of the counter (the service position), as the record and the reports show it. Text.
counter = {counter}

# Microphone, by its name or an unmistakable part of it; `counter-listener devices` lists the names.
# Empty: whatever the system's default is. Text.
device = {device}

# Which channel of the microphone is this counter's: "mix" for all of them together, or the number of one, from 1
# (1 is left, 2 is right). Two counters may share one two-channel device.
channel = "mix"

# Phrase set: a .toml file, or the name of one that ships with the program (`counter-listener phrases list`).
# Empty: the bank counter's. Text.
phrases = ""

# Speech model: a Vosk model's folder, or the name of one at hand. Empty: the bundled one. Text.
model = ""

# The record: an SQLite file or sqlite:/// URL; "none" records nothing. Empty: events.db in your data folder. Text.
store = ""

# Whether a terminal shows the visit as it goes on; false prints one line a visit. true or false.
screen = true

# Language of the screen and the log: "zh", "en", or "auto" for that of the computer's locale.
language = "auto"

# Memory that the listener may use, in megabytes. Beyond it, it is started anew between two visits, and beyond twice
# as much at once. The bundled model needs about 150, the large official Chinese model several thousand.
memory_limit = 1500
""")


def template(counter: str = "", device: str = "") -> str:
    """A counter.toml with every field explained, and these two filled in."""
    quoted = {"counter": json.dumps(counter, ensure_ascii=False), "device": json.dumps(device, ensure_ascii=False)}
    return _(TEMPLATE).format(**quoted)


def find_config(asked: Path | None) -> Path | None:
    """The file to read: the one asked for, else counter.toml here, else in the data folder; None if there is none.

    Raises ConfigError if the one asked for does not exist.
    """
    if asked is None:
        return next((file for file in (Path(FILE), data_folder() / FILE) if file.is_file()), None)
    if not asked.is_file():
        raise ConfigError("{asked}: there is no such file; `counter-listener init {asked}` writes one.", asked=asked)
    return asked


def read_config(path: Path | None) -> Config:
    """The settings in a file, or the defaults for None.

    Raises ConfigError, which names the file and the key, and says what was expected.
    """
    return Config() if path is None else _validate(_parse(path), path)


def with_flags(config: Config, flags: dict[str, Any]) -> Config:
    """The settings, with those replaced that were given as flags (None was not given). Raises ConfigError."""
    given = {name: value for name, value in flags.items() if value is not None}
    return _validate({**config.model_dump(), **given}, None)


def _parse(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError("{path}: the settings cannot be read ({why}).", path=path, why=system_reason(error)) from None
    if len(content) > MAX_BYTES:
        raise ConfigError(
            "{path}: more than {max_bytes:,} bytes are no settings; write new ones with `init`.",
            path=path,
            max_bytes=MAX_BYTES,
        )
    if any(line.count(b".") > MAX_DOTS and not line.lstrip().startswith(b"#") for line in content.splitlines()):
        raise ConfigError(
            "{path}: a line has more than {max_dots} dots; these are no settings.", path=path, max_dots=MAX_DOTS
        )
    try:
        return tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            "{path}: byte {start} is not UTF-8; save the file as UTF-8.", path=path, start=error.start
        ) from None
    except (ValueError, RecursionError) as error:
        reason = sentence("brackets are nested too deeply") if isinstance(error, RecursionError) else str(error)
        hint = sentence(" Write Windows paths in 'single quotes'.") if b"\\" in content else ""
        raise ConfigError("{path}: not TOML: {said}.{hint}", path=path, said=reason, hint=hint) from None


def _validate(table: dict[str, Any], path: Path | None) -> Config:
    """The settings in a table; errors name the file, if there is one."""
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        problem = _problem(error)
    else:
        if config.channel == "mix" or 1 <= config.channel <= MAX_CHANNEL:
            return config
        problem = sentence("'channel' must be \"mix\" or a number from 1, not {channel}.", channel=config.channel)
    raise ConfigError(sentence("{path}: {said}", path=path, said=problem) if path else problem)


def _problem(error: ValidationError) -> Sentence:
    first, *_ = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    key = str(first["loc"][0]) if first["loc"] else ""
    if key == "channel":
        return sentence("'channel' must be \"mix\" or a number from 1.")
    if key == "language":
        return sentence('\'language\' must be "auto", "zh" or "en".')
    if first["type"] == "extra_forbidden":
        names = ", ".join(Config.model_fields)
        return sentence("{key!r} is no setting; known are {names}.", key=key[:60], names=names)
    expected = Sentence(EXPECTED.get(first["type"], N_("cannot be used")))
    return sentence("{key!r} {expected}.", key=key[:60], expected=expected)

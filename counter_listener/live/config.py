"""The settings of `listen`, read from counter.toml; the only module that knows the content of that file."""

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counter_listener.domain import (
    N_,
    ClipKeep,
    ConfigError,
    Sentence,
    current_language,
    data_folder,
    json_line,
    read_toml,
    readable,
    sentence,
)

FILE: Final = "counter.toml"
MAX_BYTES: Final = 100_000
MAX_CHANNEL: Final = 64


class ClipsTable(BaseModel):
    """The table [clips]: whether the sound around verdicts in question is kept, and how long."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    keep: ClipKeep = "none"
    """Of which verdicts."""
    before: float = Field(default=3.0, ge=0, le=60)
    """Seconds that are kept before the words."""
    after: float = Field(default=3.0, ge=0, le=60)
    """Seconds after them."""
    days: int = Field(default=7, ge=1, le=365)
    """After these a clip is removed."""
    megabytes: int = Field(default=200, ge=1, le=1_000_000)
    """Of all clips beside one record; the oldest make room."""
    key: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """The public key for which they are encrypted, in hex digits; empty is the key of this computer."""
    send: bool = False
    """Whether a clip is sent to the server if a reviewer there asks for it."""


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
    key: str = Field(default="", max_length=1000)
    """The file of the key that signs the record; `none` signs nothing; empty is a file in the settings folder."""
    screen: bool = True
    """Whether a terminal shows the visit; without a terminal one line a visit is printed in any case."""
    page: bool = False
    """Whether a window of the browser shows the visit too; it needs the extra `web`."""
    page_port: int = Field(default=0, ge=0, le=65_535)
    """The port of that page on this machine; 0 is any free one."""
    advice: Literal["during", "after", "never"] = "during"
    """When the screen shows a better wording for an offence: in the visit, after it, or not at all."""
    who_spoke: bool = False
    """Whether the clerk's voice is learnt each shift, to tell the clerk's words from a customer's."""
    language: Literal["auto", "zh", "en"] = "auto"
    """Of the screen and the log; `auto` is that of the locale."""
    memory_limit: int = Field(default=1500, ge=100, le=1_000_000)
    """Megabytes that the listener may use before it is restarted between two visits."""
    clips: ClipsTable = ClipsTable()


EXPECTED: Final = {
    "string_type": N_("must be text in quotes"),
    "string_too_long": N_("is too long"),
    "bool_type": N_("must be true or false"),
    "int_type": N_("must be a whole number"),
    "greater_than_equal": N_("is too small"),
    "less_than_equal": N_("is too large"),
    "float_type": N_("must be a number"),
    "model_type": N_("must be a table"),
}
"""What a value must be, by pydantic's type of the error."""
CHOICES: Final = {
    "channel": N_("'channel' must be \"mix\" or a number from 1."),
    "language": N_('\'language\' must be "auto", "zh" or "en".'),
    "advice": N_('\'advice\' must be "during", "after" or "never".'),
    "clips.keep": N_('\'clips.keep\' must be "none", "questioned", "offences" or "all".'),
    "clips.key": N_("'clips.key' must be the 64 hex digits that `counter-listener clips key` prints."),
}
"""What is said of a setting that takes only some values, by its name."""


def template(counter: str = "", device: str = "") -> str:
    """A counter.toml in the reader's language, with every field explained and these two filled in."""
    text = Path(__file__).with_name(f"counter.{current_language()}.toml").read_text(encoding="utf-8")
    return text.format(counter=json_line(readable(counter)), device=json_line(readable(device)))


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
    if path is None:
        return Config()
    return _validate(read_toml(path, ConfigError, MAX_BYTES)[0], path)


def with_flags(config: Config, flags: dict[str, Any]) -> Config:
    """The settings, with those replaced that were given as flags (None was not given). Raises ConfigError."""
    given = {name: value for name, value in flags.items() if value is not None}
    return _validate({**config.model_dump(), **given}, None)


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
    key = ".".join(map(str, first["loc"][: 2 if first["loc"][:1] == ("clips",) else 1]))
    if key in CHOICES and first["type"] != "extra_forbidden":
        return Sentence(CHOICES[key])
    if first["type"] == "extra_forbidden":
        names = ", ".join(ClipsTable.model_fields if len(first["loc"]) > 1 else Config.model_fields)
        return sentence("{key!r} is no setting; known are {names}.", key=key[:60], names=names)
    expected = Sentence(EXPECTED.get(first["type"], N_("cannot be used")))
    return sentence("{key!r} {expected}.", key=key[:60], expected=expected)

"""What a server does by itself, as it stands in its settings file (TOML): reports, messages, figures, jobs, purges."""

from __future__ import annotations

import os
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counter_listener.domain import N_, ConfigError, Sentence, read_text, read_toml, sentence

MAX_BYTES: Final = 100_000
SECRET_BYTES: Final = 10_000
LOCAL: Final = ("localhost", "127.0.0.1", "::1")
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Text = Annotated[str, Field(max_length=1000)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day in the zone of this machine, 07:30."""


class Table(BaseModel):
    """A table of the file: nothing unknown stands in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ReportTable(Table):
    """A report that the server makes by itself."""

    every: Literal["day", "week", "month"] = "week"
    """It covers the last whole day, week or month."""
    at: Clock = "07:00"
    day: Day = "monday"
    """The day of a weekly report, which covers the seven days before it."""
    language: Literal["zh", "en"] = "zh"
    folder: Text = ""
    """Where the files are put; empty for nowhere."""
    to: list[Text] = Field(default_factory=list, max_length=50)
    """Addresses to which they are sent."""
    attach: bool = True
    """Whether the files are sent; else only a link to the server."""
    visits: int = Field(default=0, ge=0, le=10_000)
    """How many visits are shown with their evidence, which are words of the clerk."""
    counters: list[Text] = Field(default_factory=list, max_length=1000)
    branch: Text = ""
    region: Text = ""
    """Only the counters of this branch or region; empty for all."""


class MailTable(Table):
    """The server that takes the mail."""

    host: Text
    port: int = Field(default=0, ge=0, le=65_535)
    """0 is the usual one: 587 for starttls, 465 for tls, 25 for none."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Text
    user: Text = ""
    password_file: Text = ""
    password_variable: Text = ""
    """The environment variable that holds the password."""
    ca_file: Text = ""
    """Certificates of one's own authority, PEM."""


class NotifyTable(Table):
    """Messages for people who are not at the pages. Off without an address."""

    urls: list[Text] = Field(default_factory=list, max_length=20)
    """Addresses of apprise; they may hold secrets, so that urls_file may be the better place."""
    urls_file: Text = ""
    """A file with an address a line."""
    language: Literal["zh", "en"] = "zh"
    offences: bool = True
    silent_hours: float = Field(default=1.0, ge=0, le=1000)
    """Hours without a visit after which a counter is told of; 0 for never."""
    little_disk: float = Field(default=2.0, ge=0, le=1_000_000)
    """Gigabytes of free space under which it is told of; 0 for never."""
    every_minutes: int = Field(default=60, ge=1, le=10_080)
    """Between two messages; what happens meanwhile comes in one."""
    quiet_from: Clock = "20:00"
    quiet_to: Clock = "08:00"
    """Between them nothing is sent, and no counter counts as silent; equal for no such time."""
    quiet_days: list[Day] = Field(default_factory=list)
    """Days that are quiet altogether."""


class MetricsTable(Table):
    """Who reads /metrics from elsewhere than this machine."""

    token_file: Text = ""
    token_variable: Text = ""


class JobsTable(Table):
    """Recordings that may be checked from the pages."""

    folders: list[Text] = Field(default_factory=list, max_length=100)
    """Only what lies in one of them can be checked; without any, nothing can."""
    phrases: Text = "bank-counter"
    model: Text = "counter-cn"
    processes: int | None = Field(default=None, ge=1, le=256)
    executor: Text = ""
    """A dask cluster, dask:tcp://HOST:PORT; empty for this machine."""


class RetentionTable(Table):
    """What is past the date of its rule may be removed each day."""

    daily: bool = False
    at: Clock = "03:00"


class ServerFile(Table):
    """The whole file."""

    address: Text = ""
    """How people reach the server, for links in messages: https://counter.example.com/"""
    report: ReportTable | None = None
    mail: MailTable | None = None
    notify: NotifyTable = NotifyTable()
    metrics: MetricsTable = MetricsTable()
    jobs: JobsTable = JobsTable()
    retention: RetentionTable = RetentionTable()


PASSWORD: Final = sentence("the password of the mail server")
METRICS_TOKEN: Final = sentence("the token with which programs read /metrics")
EXPECTED: Final = {
    "missing": N_("is missing"),
    "extra_forbidden": N_("is no setting"),
    "string_type": N_("must be text in quotes"),
    "string_too_long": N_("is too long"),
    "string_pattern_mismatch": N_('must be a time such as "07:30"'),
    "bool_type": N_("must be true or false"),
    "int_type": N_("must be a whole number"),
    "float_type": N_("must be a number"),
    "list_type": N_("must be a list in [ ]"),
    "too_long": N_("is too long"),
    "greater_than_equal": N_("is too small"),
    "less_than_equal": N_("is too large"),
}
"""What is wrong with a value, by pydantic's type of the error."""


def read_server_file(path: Path) -> ServerFile:
    """The settings in a file. Raises ConfigError, which names the file and the setting, and says what was expected."""
    table, _content = read_toml(path, ConfigError, MAX_BYTES)
    try:
        given = ServerFile.model_validate(table)
    except ValidationError as error:
        raise ConfigError("{path}: {said}", path=path, said=_fault(error)) from None
    if problem := _contradiction(given):
        raise ConfigError("{path}: {said}", path=path, said=problem)
    return given


def _fault(error: ValidationError) -> Sentence:
    first, *_ = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    name = ".".join(str(part) for part in first["loc"])[:100]
    if first["type"] == "literal_error":
        return sentence("{name!r} must be one of {names}.", name=name, names=_choices(first))
    return sentence(
        "{name!r} {expected}.", name=name, expected=Sentence(EXPECTED.get(first["type"], N_("cannot be used")))
    )


def _choices(detail: Any) -> str:  # noqa: ANN401 - as pydantic gives it
    return str(detail.get("ctx", {}).get("expected", "")).replace("'", '"')


def _contradiction(given: ServerFile) -> Sentence | None:
    """What cannot be together, if anything."""
    report, mail = given.report, given.mail
    sent = report is not None and bool(report.to)
    faults = [
        (
            bool(given.address) and urlsplit(given.address).scheme not in ("http", "https"),
            N_("'address' must begin with https:// or http://."),
        ),
        (report is not None and not report.folder and not sent, N_("'report' needs a 'folder', or addresses in 'to'.")),
        (sent and mail is None, N_("'report.to' needs the table [mail] with the mail server.")),
        (
            report is not None and sent and not report.attach and not given.address,
            N_("'report.attach = false' sends a link, so that 'address' is needed."),
        ),
        (
            mail is not None and bool(mail.user) and not (mail.password_file or mail.password_variable),
            N_("'mail.user' needs 'mail.password_file' or 'mail.password_variable'."),
        ),
        (
            mail is not None and bool(mail.user) and mail.security == "none" and mail.host not in LOCAL,
            N_('\'mail.security\' must be "starttls" or "tls" where a password is sent.'),
        ),
        (report is not None and not all(map(_is_address, report.to)), N_("'report.to' has an address that is none.")),
        (mail is not None and not _is_address(mail.sender), N_("'mail.sender' is no address.")),
    ]
    return next((Sentence(text) for wrong, text in faults if wrong), None)


def _is_address(text: str) -> bool:
    return "@" in text and not any(mark in text for mark in "\r\n,;")


def secret(file: str, variable: str, what: Sentence) -> str:
    """A secret from a file or an environment variable; empty if neither is named. Raises ConfigError, without it."""
    if file:
        return read_text(Path(file).expanduser(), ConfigError, SECRET_BYTES).strip()
    if variable:
        if not (found := os.environ.get(variable, "")):
            raise ConfigError("the environment variable {name} is empty; it must hold {what}", name=variable, what=what)
        return found
    return ""


def time_of(text: str) -> time:
    """A time of day."""
    return time.fromisoformat(text)

"""What the server is started with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path

from counter_listener.domain import Lang
from counter_listener.record import WITHIN, Accounts
from counter_listener.web.log_line import LogLine, no_log
from counter_listener.web.server_file import ServerFile


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server is started with."""

    store: str
    """The record: a file or a URL."""
    clock: Callable[[], datetime]
    """The present time, with its zone."""
    lang: Lang
    """The language for browsers that ask for neither Chinese nor English."""
    key_file: Path | None = None
    """The key that signs what is added to the record."""
    accounts: Accounts | None = None
    """None on one's own machine: who opens the one-time link is `local_user`."""
    tokens: Accounts | None = None
    """Whose tokens programs sign in with, also where `accounts` is None; None takes no token."""
    local_user: str = ""
    once: str | None = None
    """The secret of the one-time link."""
    names: frozenset[str] = frozenset()
    """The names, in lower case, under which browsers reach the server; others are refused."""
    secure: bool = False
    """Whether browsers reach the server by HTTPS."""
    idle: timedelta = timedelta(hours=1)
    """A session ends when it was not used for this long,"""
    longest: timedelta = timedelta(hours=12)
    """and in any case after this."""
    appeals: timedelta = WITHIN
    """The time from the end of a visit in which its verdicts can be disputed."""
    model: str = "counter-cn"
    """The speech model for what is said into the browser, unless the record says which one is in use."""
    demo: bool = False
    """Whether the record is made up, which every page then says."""
    phrases_at: time = time(6)
    """The time of day at which a phrase set that was put in force here begins to hold at the counters."""
    server: ServerFile = field(default_factory=ServerFile)
    """What the server does by itself."""
    behind_proxy: bool = False
    """Whether another server takes the requests, so that all of them come from this machine."""
    job_command: tuple[str, ...] = ()
    """Starts the process that checks recordings for the pages; empty where nothing can be checked, as in a demo."""
    log: LogLine = no_log
    clip_key: Path | None = None
    """The file of the keys that play clips; None plays none."""
    receive: bool = False
    """Whether counters may send their rows here."""

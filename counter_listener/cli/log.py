"""The log of a command that runs for long: lines for people, or a JSON object a line for programs that collect logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar

import click

from counter_listener.domain import printable

LogForm = Literal["text", "json"]
Level = Literal["info", "warning", "error"]
Command = TypeVar("Command", bound=Callable[..., Any])
FIELDS: Final = ("time", "level", "event", "message")
"""What every JSON line has. What else it has is in docs/it.md, and never a word of what anybody said."""

log_format_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or one JSON object a line.",
)


@dataclass(frozen=True, slots=True)
class Log:
    """Writes the lines of one command."""

    form: LogForm
    dated: bool = True
    """Whether lines for people begin with the time."""

    def __call__(
        self, event: str, text: str, *, level: Level = "info", err: bool | None = None, **facts: object
    ) -> None:
        """Writes a line: `text` for people, and `event` with its facts for programs.

        Warnings and errors go to standard error unless `err` says otherwise.
        """
        click.echo(
            self.line(event, text, datetime.now(UTC), level, **facts), err=level != "info" if err is None else err
        )

    def line(self, event: str, text: str, now: datetime, level: Level, **facts: object) -> str:
        """The line, without its end."""
        if self.form == "text":
            return (f"{now.astimezone():%Y-%m-%d %H:%M:%S}  " if self.dated else "") + printable(text)
        head = (now.isoformat(timespec="milliseconds"), level, event, text)
        entry = {
            **dict(zip(FIELDS, head, strict=True)),
            **{name: fact for name, fact in facts.items() if fact is not None},
        }
        return json.dumps(entry, ensure_ascii=False, default=str)

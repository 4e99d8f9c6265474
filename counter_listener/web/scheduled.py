"""The report that the server makes by itself: when it is due, once if moments were missed, and again if it failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from counter_listener.domain import (
    N_,
    CounterListenerError,
    ReportError,
    Sentence,
    packed,
    system_reason,
    translator,
    unpacked,
)
from counter_listener.record import ReportScope
from counter_listener.reports import write_file
from counter_listener.web.mail import mail_server, make_message
from counter_listener.web.memory import Memory
from counter_listener.web.moments import covered, last_moment, next_moment
from counter_listener.web.report_work import report_files
from counter_listener.web.server_file import ReportTable, ServerFile

TABLE: Final = "report"
PAUSES: Final = (5, 15, 60)
"""Minutes until a report that failed is tried again; the last holds for all further tries."""
PATIENCE: Final = 900.0
"""Seconds that a report may take."""
TITLE: Final = N_("Report on the counters, {since} to {until}")
ATTACHED: Final = N_("{count} visits. The report is attached, as a web page and as a spreadsheet.")
LINKED: Final = N_("{count} visits. They are at {address}")

Run = Callable[..., tuple[dict[str, bytes], int]]
"""Runs report_files() in a process of its own."""


@dataclass(frozen=True, slots=True)
class ReportState:
    """What the system page tells of the reports."""

    done: datetime | None
    """The moment of the last one that is done."""
    next: datetime
    failed: Sentence | None
    """Why the last try failed; None if it did not."""


class ScheduledReport:
    """Makes the reports of one server."""

    def __init__(self, store: str, given: ServerFile, memory: Memory, run: Run) -> None:
        self._store, self._given, self._memory, self._run = store, given, memory, run

    def state(self, now: datetime) -> ReportState | None:
        """How things stand; None if no report is asked for."""
        report = self._given.report
        if report is None:
            return None
        table = self._memory.get(TABLE)
        done = datetime.fromisoformat(table["done"]) if "done" in table else None
        return ReportState(done, next_moment(report, now.astimezone()), unpacked(table.get("failed")))

    def step(self, now: datetime) -> None:
        """Makes a report if one is due. Raises CounterListenerError if that fails; it is tried again later.

        What was due before a report was asked for the first time is not made up for.
        """
        report, table = self._given.report, self._memory.get(TABLE)
        if report is None:
            return
        moment = last_moment(report, now.astimezone())
        if "done" not in table:
            self._memory.put(TABLE, {"done": moment.isoformat()})
            return
        if datetime.fromisoformat(table["done"]) >= moment or now < _again(table, moment):
            return
        try:
            self._make(report, moment, now)
        except CounterListenerError as error:
            table = self._memory.get(TABLE)
            tries = table.get("tries", 0) + 1 if table.get("moment") == moment.isoformat() else 1
            again = now + timedelta(minutes=PAUSES[min(tries, len(PAUSES)) - 1])
            tried = {
                "moment": moment.isoformat(),
                "tries": tries,
                "again": again.isoformat(),
                "failed": packed(error.sentence),
            }
            self._memory.put(TABLE, {**table, **tried})
            raise
        self._memory.put(TABLE, {"done": moment.isoformat()})

    def _make(self, report: ReportTable, moment: datetime, now: datetime) -> None:
        since, until = covered(report, moment)
        places = report.branch or None, report.region or None
        scope = ReportScope(since, until, tuple(report.counters), *places)
        name = f"report-{since:%Y-%m-%d}-{until - timedelta(days=1):%Y-%m-%d}.{report.language}"
        asked = (self._store, scope, report.visits, report.language, now.astimezone(), name)
        files, visits = self._run(report_files, *asked, patience=PATIENCE)
        if report.folder:
            folder = Path(report.folder).expanduser()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ReportError(
                    "{path} cannot be written ({why}); check its folder and permissions",
                    path=folder,
                    why=system_reason(error),
                ) from error
            for file, content in files.items():
                write_file(folder / file, content)
        self._send(report, moment, (since, until), files, visits, now)

    def _send(  # noqa: PLR0913 - one for each thing that a message says
        self,
        report: ReportTable,
        moment: datetime,
        period: tuple[datetime, datetime],
        files: dict[str, bytes],
        visits: int,
        now: datetime,
    ) -> None:
        """Sends each address a message of its own, and none twice, also after a failure."""
        mail, translate = self._given.mail, translator(report.language)
        table = self._memory.get(TABLE)
        sent = table.get("sent", []) if table.get("sent_of") == moment.isoformat() else []
        waiting = [address for address in report.to if address not in sent]
        if not waiting or mail is None:
            return
        last = period[1] - timedelta(days=1)
        title = translate(TITLE).format(since=f"{period[0]:%Y-%m-%d}", until=f"{last:%Y-%m-%d}")
        text = translate(ATTACHED if report.attach else LINKED).format(count=visits, address=self._given.address)
        with mail_server(mail) as server:
            for address in waiting:
                attached = files if report.attach else {}
                server.send_message(make_message(mail.sender, address, title, text + "\n", attached, now.timestamp()))
                sent = [*sent, address]
                self._memory.put(TABLE, {**self._memory.get(TABLE), "sent": sent, "sent_of": moment.isoformat()})


def _again(table: dict[str, Any], moment: datetime) -> datetime:
    """Before when a report that failed is not tried again."""
    if table.get("moment") != moment.isoformat() or "again" not in table:
        return moment
    return datetime.fromisoformat(table["again"])

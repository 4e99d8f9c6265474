"""All that a server does by itself: made together, begun and ended together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from counter_listener.record import RecordPool
from counter_listener.web.daily_purge import DailyPurge
from counter_listener.web.duties import Duties
from counter_listener.web.jobs import Jobs
from counter_listener.web.memory import Memory, memory_file
from counter_listener.web.notices import Notices
from counter_listener.web.scheduled import ScheduledReport
from counter_listener.web.settings import Settings
from counter_listener.web.worker import Worker


@dataclass(frozen=True, slots=True)
class OwnWork:
    """What a server does by itself."""

    scheduled: ScheduledReport
    notices: Notices
    jobs: Jobs
    daily: DailyPurge
    duties: Duties
    reporter: Worker
    """The process in which reports are made."""

    def begin(self) -> None:
        """Begins with what the settings ask for."""
        self.duties.begin()
        self.jobs.begin()

    def close(self) -> None:
        """Ends it. A job goes on when the server is started again."""
        self.duties.close()
        self.jobs.close()
        self.reporter.close()


def make_own_work(settings: Settings, records: RecordPool) -> OwnWork:
    """What a server with these settings does by itself."""
    memory, reporter = Memory(memory_file(settings.store)), Worker()
    scheduled = ScheduledReport(settings.store, settings.server, memory, reporter.run)
    notices = Notices(settings.server, memory)
    jobs = Jobs(settings.store, settings.server.jobs, settings.job_command, _job_request(settings), settings.clock)
    daily = DailyPurge(settings.server.retention, memory)
    duties = Duties(scheduled, notices, records, settings.clock, settings.log, daily)
    return OwnWork(scheduled, notices, jobs, daily, duties, reporter)


def _job_request(settings: Settings) -> dict[str, Any]:
    """What every job is started with, as a value for JSON."""
    given = settings.server.jobs
    return {
        "record": settings.store,
        "key": str(settings.key_file) if settings.key_file else None,
        "phrases": given.phrases,
        "model": given.model,
        "processes": given.processes,
        "executor": given.executor,
    }

"""Figures of the server for Prometheus. No names of people, and nothing of a visit but that there was one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final, get_args

from counter_listener import __version__
from counter_listener.domain import CounterListenerError
from counter_listener.record import counters_heard, record_state
from counter_listener.web.disk import free_bytes
from counter_listener.web.job_store import JobState

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from counter_listener.web.context import Site

PREFIX: Final = "counter_listener_"
TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(site: Site) -> bytes:
    """All figures, in the text format of Prometheus."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(Figures(site))
    return generate_latest(registry)


class Figures:
    """Asks the server for its figures at the moment when they are read."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """The figures. If the record cannot be read, that is one of them, and those of the record are missing."""
        now = self._site.now()
        yield _gauge("info", "Which version runs; always 1.", 1, version=__version__)
        yield _gauge("sessions", "Browsers that are signed in.", len(self._site.sessions.persons(now)))
        readable = 1
        try:
            yield from list(self._record())
        except CounterListenerError:
            readable = 0
        yield _gauge("record_readable", "Whether the record can be read: 1 or 0.", readable)
        yield from self._report(now)
        yield from self._notify()
        yield self._jobs()

    def _record(self) -> Iterator[Metric]:
        with self._site.records.reading() as record:
            state, heard, path = record.query(record_state), record.query(counters_heard), record.path
        yield _gauge("record_rows", "Rows of the record, also those of people.", state.rows)
        yield _gauge("record_recordings", "Recordings and transcripts in the record.", state.recordings)
        if path.is_file():  # a database of a server has none
            yield _gauge("record_bytes", "Bytes of the record's file.", path.stat().st_size)
        yield _gauge("disk_free_bytes", "Bytes that are free on the record's disk.", free_bytes(path))
        seen = _family("last_visit_timestamp_seconds", "When each counter last closed a visit, since 1970.", "counter")
        for counter, at in heard:
            seen.add_metric([counter or ""], at.timestamp())  # type: ignore[attr-defined]
        yield seen

    def _report(self, now: datetime) -> Iterator[Metric]:
        state = self._site.scheduled.state(now)
        if state is None:
            return
        yield _gauge(
            "report_next_timestamp_seconds", "When the next report is due; seconds since 1970.", state.next.timestamp()
        )
        yield _gauge("report_failed", "Whether the last try of a report failed: 1 or 0.", int(state.failed is not None))

    def _notify(self) -> Iterator[Metric]:
        try:
            state = self._site.notices.state()
        except CounterListenerError:
            yield _gauge("notify_failed", "Addresses that did not take the last message.", 1)
            return
        if state is not None:
            yield _gauge("notify_failed", "Addresses that did not take the last message.", len(state.failed))

    def _jobs(self) -> Metric:
        states = Counter(job.state for job in self._site.jobs.all())
        found = _family("jobs", "Jobs of the pages by state.", "state")
        for state in get_args(JobState):
            found.add_metric([state], states[state])  # type: ignore[attr-defined]
        return found


def _family(name: str, text: str, *labels: str) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(PREFIX + name, text, labels=list(labels))


def _gauge(name: str, text: str, value: float, **labels: str) -> Metric:
    found = _family(name, text, *labels)
    found.add_metric(list(labels.values()), value)  # type: ignore[attr-defined]
    return found

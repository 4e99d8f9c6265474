"""What all requests share: the settings, the sessions, the record, the templates."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, cast

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from counter_listener.domain import CounterListenerError, Lang
from counter_listener.record import Access, counters_in_sight, note_access
from counter_listener.web.checks import Checks
from counter_listener.web.daily_purge import DailyPurge
from counter_listener.web.estimates import Estimates
from counter_listener.web.jobs import Jobs
from counter_listener.web.kept import Kept
from counter_listener.web.notices import Notices
from counter_listener.web.refused import Refused
from counter_listener.web.rights import Person
from counter_listener.web.scheduled import ScheduledReport
from counter_listener.web.sessions import Sessions
from counter_listener.web.settings import Settings
from counter_listener.web.sound import Sounds
from counter_listener.web.versions import Versions
from counter_listener.web.worker import Worker

if TYPE_CHECKING:
    from jinja2 import Environment

    from counter_listener.record import MannerOverview, OverviewData, RecordPool


@dataclass(slots=True)
class Once:
    """The secret of the one-time link, until it is used."""

    secret: str | None
    _lock: Lock = field(default_factory=Lock)

    def use(self, given: str) -> bool:
        """Whether this is the secret. It is never right again."""
        import secrets

        with self._lock:
            right = self.secret is not None and secrets.compare_digest(self.secret.encode(), given.encode())
            self.secret = None if right else self.secret
            return right


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests share."""

    settings: Settings
    sessions: Sessions
    once: Once
    records: RecordPool
    sounds: Sounds
    refused: Refused
    checks: Checks
    figures: Kept[OverviewData]
    manner: Kept[MannerOverview]
    templates: Environment
    routes: frozenset[str]
    """Method and path of every route."""
    worker: Worker
    """For what a reader waits for."""
    versions: Versions
    estimates: Estimates
    scheduled: ScheduledReport
    notices: Notices
    jobs: Jobs
    daily: DailyPurge
    codes: Refused = field(default_factory=Refused)
    """Codes of counters that were tried, right or not."""

    def now(self) -> datetime:
        """The present time, with its zone."""
        return self.settings.clock()


def site_of(request: Request) -> Site:
    """What all requests share."""
    return cast("Site", request.app.state.site)


def person_of(request: Request) -> Person | None:
    """Who sent the request; None for somebody who is not signed in."""
    return cast("Person | None", getattr(request.state, "person", None))


def signed_in(request: Request) -> Person:
    """Who sent a request to a route that needs sign-in."""
    person = person_of(request)
    if person is None:
        raise RuntimeError("this route is in no table of rights")
    return person


def sight_of(request: Request) -> tuple[str, ...] | None:
    """The counters that the reader may see; None for all. Every page and every answer asks here, and nowhere else."""
    return cast("tuple[str, ...] | None", request.state.sight)


def find_sight(request: Request, person: Person) -> None:
    """Finds out which counters a reader may see, before the page begins. Raises RecordError."""
    request.state.sight = None if person.sight.counter is None else (person.sight.counter,)
    if person.sight.is_limited and person.sight.counter is None:
        with site_of(request).records.reading() as record:
            request.state.sight = record.query(partial(counters_in_sight, sight=person.sight))


def may_see(request: Request, counter: str | None) -> bool:
    """Whether the reader may see what is of a counter."""
    seen = sight_of(request)
    return seen is None or counter in seen


def noted(  # noqa: PLR0913 - one for each column
    request: Request,
    response: Response,
    action: Access,
    visit: str | None = None,
    what: str | None = None,
    by: str | None = None,
) -> Response:
    """The response, after which it is written what somebody did: `by`, or else who is signed in."""
    response.background = BackgroundTask(noting(request, action, visit, what, by))
    return response


def noting(
    request: Request, action: Access, visit: str | None = None, what: str | None = None, by: str | None = None
) -> Callable[[], None]:
    """What writes, once the answer is sent, what somebody did: `by`, or else who is signed in.

    A busy record keeps nobody waiting.
    """
    site, who = site_of(request), signed_in(request).name if by is None else by
    now = site.now()

    def note() -> None:
        with suppress(CounterListenerError), site.records.writing() as record:
            note_access(record, who, action, now, visit, what)

    return note


def lang_of(request: Request) -> Lang:
    """The language of the reader: what the address asks for, what was chosen before, what the browser asks for."""
    asked = request.query_params.get("lang") or request.session.get("lang")
    if asked in ("zh", "en"):
        return cast("Lang", asked)
    ranked = sorted(_accepted(request.headers.get("accept-language", "")), key=lambda one: -one[1])
    known = (name for name, quality in ranked if quality > 0 and name in ("zh", "en"))
    return cast("Lang", next(known, site_of(request).settings.lang))


def _accepted(header: str) -> list[tuple[str, float]]:
    """The languages of an Accept-Language header, each with its quality, 0-1."""
    found = []
    for part in header.split(",")[:20]:
        name, _, quality = part.partition(";q=")
        try:
            found.append((name.strip().lower().partition("-")[0], float(quality or 1)))
        except ValueError:
            continue
    return found

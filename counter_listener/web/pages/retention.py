"""How long visits and transcripts are kept, and legal holds: set and lifted here; and what the next purge removes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_, RetentionError, ReviewError
from counter_listener.record import (
    LEVELS,
    Due,
    Hold,
    Kept,
    Level,
    Place,
    Record,
    Retention,
    Rule,
    Scope,
    Who,
    all_retention,
    branches_of,
    day_end,
    day_start,
    due_visits,
    known_counters,
    lift_hold,
    may_rule,
    rank_of,
    regions_of,
    set_hold,
    set_rule,
)
from counter_listener.web.context import noted, sight_of, signed_in, site_of
from counter_listener.web.forms import HoldForm, RuleForm
from counter_listener.web.rendering import flash, render, texts_of

router = APIRouter()
SCOPES: Final[dict[Level, str]] = {
    "everything": N_("the whole record"),
    "region": N_("region {name}"),
    "branch": N_("branch {name}"),
    "counter": N_("counter {name}"),
    "visit": N_("visit {name}"),
}
"""What a rule or a hold is for."""


@dataclass(frozen=True, slots=True)
class ShownRule:
    """How long something of a place is kept, in days, and where that is set."""

    scope: Scope
    own: Rule | None
    visits: tuple[int, Rule] | None
    transcripts: tuple[int, Rule] | None


@router.get("/retention")
def retention(request: Request) -> Response:
    """The page."""
    return noted(request, show_retention(request), "seen", what="/retention")


def show_retention(request: Request, told: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page. `told` is what was wrong with what the reader sent, in the reader's language."""
    site, sight, seen = site_of(request), signed_in(request).sight, sight_of(request)
    now = site.now()
    with site.records.reading() as record:
        found = record.query(partial(all_retention, record=record.path))
        limits, holds = found.limits("visits", now), found.scopes()
        due = record.query(partial(due_visits, limits=limits, holds=holds, only=seen))
        counters = record.query(partial(known_counters, only=seen))
    places = [place for place in found.places if seen is None or place.name in seen]
    scopes = [scope for scope in _scopes(places) if may_rule(sight, scope, found.places)]
    mine = [hold for hold in found.holds if may_rule(sight, hold.scope, found.places, hold.counter)]
    return render(
        request,
        "retention.html",
        status,
        rules=[_shown(found, scope, places) for scope in scopes],
        scopes=scopes,
        counters=[Scope("counter", name) for name in counters],
        holds=[(hold, rank_of(sight) <= hold.rank) for hold in mine if hold.in_force],
        lifted=[hold for hold in reversed(mine) if not hold.in_force],
        due=_by_branch(due, places),
        limited=sight.is_limited,
        has_rules=any(shown.visits for shown in (_shown(found, scope, places) for scope in scopes)),
        named=partial(scope_text, texts_of(request)._),
        daily=site.daily.state(now),
        moment=moment,
        day=lambda at: f"{at.astimezone():%Y-%m-%d}" if at else "",
        told=told,
    )


def moment(text: str | None) -> datetime | None:
    """A time of the record."""
    return datetime.fromisoformat(text) if text else None


def scope_text(translate: Callable[[str], str], scope: Scope) -> str:
    """What a rule or a hold is for, in words."""
    return translate(SCOPES[scope.level]).format(name=scope.name)


def _scopes(places: list[Place]) -> list[Scope]:
    """What rules can be for, the widest first."""
    regions = [Scope("region", name) for name in regions_of(places)]
    return [Scope(), *regions, *(Scope("branch", name) for name in branches_of(places))]


def _shown(found: Retention, scope: Scope, places: list[Place]) -> ShownRule:
    place = Place("")
    if scope.level == "region":
        place = Place("", None, scope.name)
    elif scope.level == "branch":
        place = next((each for each in places if each.branch == scope.name), Place("", scope.name))
    own = next((rule for rule in found.rules if rule.scope == scope), None)
    visits, transcripts = (found.days(place, kept) for kept in cast("tuple[Kept, ...]", ("visits", "transcripts")))
    return ShownRule(scope, own, visits, transcripts)


def _by_branch(due: dict[str | None, Due], places: list[Place]) -> list[tuple[str | None, int, int]]:
    """Branch, visits past their date, and how many of them are held; the branch None for counters without one."""
    branches = {place.name: place.branch for place in places}
    sums: dict[str | None, tuple[int, int]] = {}
    for counter, each in due.items():
        branch = branches.get(counter or "")
        visits, held = sums.get(branch, (0, 0))
        sums[branch] = visits + each.visits, held + each.held
    return [(branch, *sums[branch]) for branch in sorted(sums, key=lambda name: (name is None, name or ""))]


@router.post("/retention/rules")
def change_rule(request: Request, given: Annotated[RuleForm, Depends()]) -> Response:
    """Sets how long something is kept."""
    return _done(request, lambda record, who: set_rule(record, _rule(given), who, site_of(request).now()))


@router.post("/retention/holds")
def change_hold(request: Request, given: Annotated[HoldForm, Depends()]) -> Response:
    """Sets a hold, or changes one."""
    return _done(request, lambda record, who: set_hold(record, _hold(given), who, site_of(request).now()))


@router.post("/retention/lift")
def lift(request: Request, hold: Annotated[str, Form()] = "", reason: Annotated[str, Form()] = "") -> Response:
    """Lifts a hold."""
    return _done(request, lambda record, who: lift_hold(record, hold, reason, who, site_of(request).now()))


def _done(request: Request, work: Callable[[Record, Who], object]) -> Response:
    person = signed_in(request)
    try:
        with site_of(request).records.writing() as record:
            work(record, Who(person.name, person.sight))
    except (RetentionError, ReviewError) as error:
        return show_retention(request, error.translated(texts_of(request)._), HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(request, N_("It is set, and noted in the record."))
    return RedirectResponse("/retention", HTTPStatus.SEE_OTHER)


def _rule(given: RuleForm) -> Rule:
    return Rule(_scope(given.scope), _days(given.visits), _days(given.transcripts))


def _days(text: str) -> int | None:
    """Days; None for an empty field, and 0, which is refused, for what is no number."""
    text = text.strip()
    return None if not text else int(text) if text.isascii() and text.isdigit() and len(text) <= len("36500") else 0


def _hold(given: HoldForm) -> Hold:
    as_before = "everything:" if given.hold else ""  # a change leaves the scope as it is, whatever stands here
    scope = Scope("visit", given.visit) if given.visit.strip() else _scope(given.scope or as_before)
    return Hold(given.hold, scope, day_start(given.since), day_end(given.until), given.reason)


def _scope(text: str) -> Scope:
    """The scope in a field. Raises RetentionError."""
    level, _, name = text.partition(":")
    if level not in LEVELS:
        raise RetentionError("name the region, the branch, the counter or the visit")
    return Scope(level, name)

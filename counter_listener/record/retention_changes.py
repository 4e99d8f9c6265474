"""Somebody sets how long something is kept, sets a legal hold, or lifts one: each is a row of the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from counter_listener.domain import RetentionError
from counter_listener.record.history import visit_history
from counter_listener.record.people import MAX_NOTE, checked_account, person_row
from counter_listener.record.places import EVERYTHING, Sight, all_places
from counter_listener.record.retention import (
    KEPT,
    RETENTION,
    RULE_LEVELS,
    Hold,
    Retention,
    Rule,
    Scope,
    may_rule,
    rank_of,
    read_retention,
)
from counter_listener.record.rows import Columns, Row, iso, storable

if TYPE_CHECKING:
    from counter_listener.record.store import Record

LONGEST: Final = 36_500
"""Days: a hundred years."""
MAX_LETTERS: Final = 200
"""Of the name of a scope."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who sets something."""

    account: str
    sight: Sight = EVERYTHING
    """What the account may see: it rules over so much."""


def set_rule(record: Record, rule: Rule, who: Who, now: datetime) -> Row | None:
    """Sets how long something is kept; a rule that says nothing takes away the one before. None if nothing changes.

    Raises RetentionError if that cannot be, or is not the account's to set; RecordError.
    """
    scope = _checked_scope(rule.scope)
    if scope.level not in RULE_LEVELS:
        raise RetentionError("a rule is for a branch, for a region or for everything")
    days: dict[str, int | None] = {kept: getattr(rule, kept) for kept in KEPT}
    if any(each is not None and not 1 <= each <= LONGEST for each in days.values()):
        raise RetentionError("what is kept is kept for 1 to {most} days", most=LONGEST)

    def make(found: Retention, _connection: sa.Connection) -> Mapping[str, object] | None:
        known = next((each for each in found.rules if each.scope == scope), None)
        _check_right(found, who, scope, known.rank if known else None)
        before = known or Rule(scope)
        if all(getattr(before, kept) == each for kept, each in days.items()):
            return None
        told = ", ".join(f"{kept} {'-' if each is None else f'{each} days'}" for kept, each in days.items())
        return {"what": f"retention of {scope}: {told}", "rule": {**asdict(scope), **days}}

    return _append(record, make, who, now)


def set_hold(record: Record, hold: Hold, who: Who, now: datetime) -> str:
    """Sets a hold, or changes the dates or the reason of one in force, which its id names; returns its id.

    Raises RetentionError if that cannot be, or is not the account's to set; RecordError.
    """
    scope, reason = Scope() if hold.id else _checked_scope(hold.scope), _checked_reason(hold.reason)
    if not reason:
        raise RetentionError("a hold needs a reason")
    if hold.since and hold.until and hold.since >= hold.until:
        raise RetentionError("a hold ends after it begins")
    set_as: list[str] = []

    def make(found: Retention, connection: sa.Connection) -> Mapping[str, object] | None:
        old = _in_force(found, hold.id) if hold.id else None
        name, of, did = (old.id, old.scope, "changed") if old else (f"H{len(found.holds) + 1}", scope, "set")
        counter = _counter_of(connection, of.name) if of.level == "visit" else None
        _check_right(found, who, of, old.rank if old else None, counter)
        set_as.append(name)
        new = {"id": name, **asdict(of), "since": hold.since, "until": hold.until, "counter": counter}
        when = f", {hold.since or ''} to {hold.until or ''}" if hold.since or hold.until else ""
        return {"what": f"hold {name} on {of} {did}{when}", "hold": new, "note": reason}

    _append(record, make, who, now)
    return set_as[-1]


def lift_hold(record: Record, name: str, reason: str, who: Who, now: datetime) -> Row | None:
    """Lifts a hold. Raises RetentionError if it is not in force, or not the account's to lift; RecordError."""
    told = _checked_reason(reason)
    if not told:
        raise RetentionError("lifting a hold needs a reason")

    def make(found: Retention, _connection: sa.Connection) -> Mapping[str, object] | None:
        old = _in_force(found, name)
        _check_right(found, who, old.scope, old.rank, old.counter)
        return {"what": f"hold {old.id} on {old.scope} lifted", "lifted": old.id, "note": told}

    return _append(record, make, who, now)


def _append(
    record: Record,
    make: Callable[[Retention, sa.Connection], Mapping[str, object] | None],
    who: Who,
    now: datetime,
) -> Row | None:
    by = checked_account(who.account)

    def rows(connection: sa.Connection) -> list[Columns]:
        told = make(read_retention(connection, all_places(connection)), connection)
        if told is None:
            return []
        rank = rank_of(who.sight)
        detail = {"by": by, "action": "changed", **told, "rank": rank or None}
        return [{**person_row("access", detail, now), "stream": RETENTION}]

    return next(iter(record.append_rows(rows, now)), None)


def _check_right(found: Retention, who: Who, scope: Scope, rank: int | None, counter: str | None = None) -> None:
    """Raises RetentionError. `rank` is of the account that set what is there; None if nothing is."""
    if not may_rule(who.sight, scope, found.places, counter):
        raise RetentionError("your account sees a part of the record, and rules over that part alone")
    if rank is not None and rank_of(who.sight) > rank:
        raise RetentionError("this was set by an account that sees more than yours; only such an account changes it")


def _in_force(found: Retention, name: str) -> Hold:
    hold = next((each for each in found.holds if each.id == name.strip() and each.in_force), None)
    if hold is None:
        raise RetentionError("there is no hold {name} in force", name=name)
    return hold


def _counter_of(connection: sa.Connection, visit: str) -> str | None:
    return visit_history(connection, visit).origin.counter


def _checked_scope(scope: Scope) -> Scope:
    """A scope as it is kept. Raises RetentionError."""
    name = storable(scope.name.strip())
    if scope.level == "everything":
        return Scope()
    if not name or len(name) > MAX_LETTERS or not name.isprintable():
        raise RetentionError("name the region, the branch, the counter or the visit")
    return replace(scope, name=name)


def _checked_reason(reason: str) -> str:
    """A reason as it is kept; numbers of cases stay in it. Raises RetentionError."""
    text = storable(" ".join("".join(each if each.isprintable() else " " for each in reason).split()))
    if len(text) > MAX_NOTE:
        raise RetentionError("the reason has {count} letters; {most} are possible", count=len(text), most=MAX_NOTE)
    return text


def day_start(day: str) -> str | None:
    """The beginning of a day of the zone of this machine, in UTC; None for no day. Raises RetentionError."""
    return _day(day, timedelta())


def day_end(day: str) -> str | None:
    """The end of a day, as day_start(). Raises RetentionError."""
    return _day(day, timedelta(days=1))


def _day(day: str, more: timedelta) -> str | None:
    if not day.strip():
        return None
    try:
        return iso(datetime.combine(date.fromisoformat(day.strip()) + more, time()).astimezone())
    except (ValueError, OverflowError):
        raise RetentionError("{day!r} is no day; write it as 2026-01-31", day=day) from None

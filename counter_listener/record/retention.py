"""How long visits and transcripts are kept, and legal holds: as the rows tell in which people set them. Reads only.

These rows have a stream of their own, which no purge touches. A rule of a branch goes before that of its region, and
that before the one for the whole record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, Final, Literal, cast

import sqlalchemy as sa

from counter_listener.record.figures import Place
from counter_listener.record.keeping import HoldScope, Limits
from counter_listener.record.places import Sight
from counter_listener.record.rows import iso, parse_detail
from counter_listener.record.schema import EVENTS

RETENTION: Final = "retention"
"""The stream of these rows."""
Level = Literal["everything", "region", "branch", "counter", "visit"]
Kept = Literal["visits", "transcripts"]
"""What rules are about."""
KEPT: Final[tuple[Kept, ...]] = ("visits", "transcripts")
RULE_LEVELS: Final[tuple[Level, ...]] = ("everything", "region", "branch")
"""What a rule can be for, the widest first."""
LEVELS: Final[tuple[Level, ...]] = (*RULE_LEVELS, "counter", "visit")
"""What a hold can be on, the widest first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule or a hold is about."""

    level: Level = "everything"
    name: str = ""
    """Of the region, the branch or the counter, or the id of the visit."""

    def __str__(self) -> str:
        return self.level if self.level == "everything" else f"{self.level} {self.name}"


@dataclass(frozen=True, slots=True)
class Rule:
    """How long something is kept, in days; None is as the wider place."""

    scope: Scope
    visits: int | None = None
    transcripts: int | None = None
    by: str = ""
    at: str = ""
    rank: int = 0
    """How much the account sees that set it: see rank_of()."""

    @property
    def says_nothing(self) -> bool:
        """Whether it is as if there were none."""
        return self.visits is None and self.transcripts is None


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: what no purge removes until somebody lifts it."""

    id: str
    scope: Scope
    since: str | None = None
    """ISO 8601 in UTC; None from the beginning."""
    until: str | None = None
    """Exclusive; None without an end."""
    reason: str = ""
    counter: str | None = None
    """The counter of the visit that it is on."""
    by: str = ""
    at: str = ""
    """When it was set first."""
    rank: int = 0
    lifted_by: str = ""
    lifted_at: str = ""
    lifted_reason: str = ""

    @property
    def last_day(self) -> datetime | None:
        """The last moment of it."""
        return datetime.fromisoformat(self.until) - timedelta(microseconds=1) if self.until else None

    @property
    def in_force(self) -> bool:
        """Whether nobody has lifted it."""
        return not self.lifted_at


@dataclass(frozen=True, slots=True)
class Retention:
    """All that was set."""

    rules: tuple[Rule, ...] = ()
    """The widest first."""
    holds: tuple[Hold, ...] = ()
    """In order, those that were lifted included."""
    places: tuple[Place, ...] = ()

    def limits(self, kept: Kept, now: datetime) -> Limits:
        """Up to when something may go, by midnight of the zone of this machine."""
        groups: dict[str | None, list[str]] = defaultdict(list)
        everywhere = self._limit(Place(""), kept, now)
        for place in self.places:
            limit = self._limit(place, kept, now)
            if limit != everywhere:
                groups[limit].append(place.name)
        return Limits(everywhere, {limit: tuple(counters) for limit, counters in groups.items()})

    def days(self, place: Place, kept: Kept) -> tuple[int, Rule] | None:
        """For how many days something of a place is kept, and the rule that says so; None without one."""
        for rule in reversed(self.rules):
            days: int | None = getattr(rule, kept)
            if days is not None and _is_in(rule.scope, place):
                return days, rule
        return None

    def scopes(self) -> tuple[HoldScope, ...]:
        """What the holds in force keep."""
        return tuple(_scope(hold, self.places) for hold in self.holds if hold.in_force)

    def _limit(self, place: Place, kept: Kept, now: datetime) -> str | None:
        found = self.days(place, kept)
        if found is None:
            return None
        day = now.astimezone().date() - timedelta(days=found[0])
        return iso(datetime.combine(day, time()).astimezone())


def read_retention(connection: sa.Connection, places: Iterable[Place]) -> Retention:
    """All that was set in this record; `places` tells which counters its branches and regions have."""
    query = sa.select(EVENTS.c.wall, EVENTS.c.detail).where(EVENTS.c.stream == RETENTION).order_by(EVENTS.c.seq)
    rules: dict[Scope, Rule] = {}
    holds: dict[str, Hold] = {}
    for wall, text in connection.execute(query):
        detail = parse_detail(text)
        if isinstance(given := detail.get("rule"), dict) and given.get("level") in RULE_LEVELS:
            rule = _rule(given, detail, wall)
            rules[rule.scope] = rule
        if isinstance(given := detail.get("hold"), dict):
            hold = _hold(given, detail, wall)
            holds[hold.id] = replace(hold, at=holds[hold.id].at if hold.id in holds else hold.at)
        if (lifted := str(detail.get("lifted"))) in holds:
            told = {"lifted_by": _text(detail, "by"), "lifted_at": wall, "lifted_reason": _text(detail, "note")}
            holds[lifted] = replace(holds[lifted], **told)
    said = [rule for rule in rules.values() if not rule.says_nothing]
    return Retention(in_order(said), tuple(holds.values()), tuple(places))


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The widest first; of the same level by name, and of one scope as they come."""
    return tuple(sorted(rules, key=lambda rule: (RULE_LEVELS.index(rule.scope.level), rule.scope.name)))


def rank_of(sight: Sight) -> int:
    """How much an account sees: 0 everything, 1 a region, 2 a branch, 3 less.

    What one has set that sees more, nobody changes who sees less.
    """
    if sight.counter is not None:
        return 3
    return 2 if sight.branch is not None else 1 if sight.region is not None else 0


def may_rule(sight: Sight, scope: Scope, places: Sequence[Place], counter: str | None = None) -> bool:
    """Whether an account may set something for a scope: for what it sees as a whole. `counter` is that of a visit."""
    if not sight.is_limited:
        return True
    if rank_of(sight) > 2 or scope.level == "everything":  # noqa: PLR2004 - a branch
        return False
    if scope.level == "region":
        return sight.branch is None and scope.name == sight.region
    name = counter if scope.level == "visit" else scope.name
    of_scope = [each for each in places if (each.branch if scope.level == "branch" else each.name) == name]
    return bool(of_scope) and all(_sees(sight, place) for place in of_scope)


def _sees(sight: Sight, place: Place) -> bool:
    return sight.branch in (None, place.branch) and sight.region in (None, place.region)


def _is_in(scope: Scope, place: Place) -> bool:
    """Whether a counter belongs to a scope."""
    if scope.level == "everything":
        return True
    return bool(scope.name) and scope.name == {"region": place.region, "branch": place.branch}.get(scope.level)


def _scope(hold: Hold, places: Iterable[Place]) -> HoldScope:
    counters: tuple[str, ...] | None = None
    if hold.scope.level == "counter":
        counters = (hold.scope.name,)
    elif hold.scope.level in ("branch", "region"):
        counters = tuple(place.name for place in places if _is_in(hold.scope, place))
    visit = hold.scope.name if hold.scope.level == "visit" else None
    return HoldScope(hold.id, counters, visit, hold.since, hold.until)


def _rule(given: Mapping[str, Any], detail: Mapping[str, object], wall: str) -> Rule:
    days = days_of(given, "visits"), days_of(given, "transcripts")
    return Rule(scope_of(given), *days, by=_text(detail, "by"), at=wall, rank=_rank(detail))


def days_of(given: Mapping[str, Any], kept: Kept) -> int | None:
    """For how many days something is kept; None for what is no number of days."""
    days = given.get(kept)
    return days if isinstance(days, int) and days >= 1 else None


def _hold(given: Mapping[str, Any], detail: Mapping[str, object], wall: str) -> Hold:
    return Hold(
        id=_text(given, "id"),
        scope=scope_of(given),
        since=_text(given, "since") or None,
        until=_text(given, "until") or None,
        reason=_text(detail, "note"),
        counter=_text(given, "counter") or None,
        by=_text(detail, "by"),
        at=wall,
        rank=_rank(detail),
    )


def scope_of(given: Mapping[str, Any]) -> Scope:
    """The scope in a detail. What is not known is the whole record: so much is rather kept than removed."""
    level = given.get("level")
    return Scope(cast("Level", level), _text(given, "name")) if level in LEVELS else Scope()


def _rank(detail: Mapping[str, object]) -> int:
    rank = detail.get("rank")
    return rank if isinstance(rank, int) else 0


def _text(detail: Mapping[str, Any], name: str) -> str:
    value = detail.get(name)
    return value if isinstance(value, str) else ""

"""Sampling: a plan is drawn once, recorded with its seed, assigned to reviewers, and worked off."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from counter_listener.domain import Outcome, ReviewError
from counter_listener.record.expressions import detail_flag, detail_text
from counter_listener.record.judgements import replaced_streams
from counter_listener.record.people import VisitOrigin, checked_account, person_row
from counter_listener.record.places import is_in
from counter_listener.record.rows import Columns, Row, iso, parse_detail, storable
from counter_listener.record.sample_draw import Candidate, Drawn, SamplePlan, draw_sample
from counter_listener.record.schema import EVENTS, WHEN

if TYPE_CHECKING:
    from counter_listener.record.store import Record

NO_SERVICE: Final[Outcome] = "no_service"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A drawn visit that somebody has to review."""

    seq: int
    """Number of its row."""
    visit: str
    counter: str | None
    plan: str
    reason: str
    """As in sample_draw.Reason."""
    chance: float
    account: str
    blind: bool
    """Whether it is a second opinion."""
    done: bool
    """Whether this account has looked at the visit to its end: `uphold` of the whole visit."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A plan that was drawn."""

    plan: str
    seed: int
    drawn_at: str
    """ISO 8601 in UTC."""
    by: str
    candidates: int
    """Visits that could have been drawn."""
    visits: int
    """Visits that were drawn."""
    progress: dict[str, tuple[int, int]]
    """By account: visits that are done, and all that are assigned."""


def draw(record: "Record", plan: SamplePlan, now: datetime) -> list[Drawn]:
    """Draws a sample and records it with its seed; it is on the disk when this returns.

    Raises ReviewError for a plan without reviewers or visits, with shares outside of 0-1, or with a name that is taken.
    """
    _check(plan)
    drawn: list[Drawn] = []

    def make(connection: sa.Connection) -> list[Columns]:
        if plan.name in {each.plan for each in draws(connection)}:
            raise ReviewError("there is a sample {name} already; choose another name", name=plan.name)
        found = candidates(connection, plan)
        drawn[:] = draw_sample([candidate for candidate, _ in found], plan)
        if not drawn:
            raise ReviewError("no visit of this time can be drawn")
        origins = {candidate.visit: origin for candidate, origin in found}
        rows = [person_row("sample", _plan_detail(plan, len(found), len(drawn)), now)]
        for each in drawn:
            rows += [person_row("sample", detail, now, origins[each.visit]) for detail in _details_of(plan.name, each)]
        return rows

    record.append_rows(make, now)
    return drawn


def _check(plan: SamplePlan) -> None:
    checked_account(plan.by)
    if not plan.name.strip() or not plan.reviewers:
        raise ReviewError("a sample needs a name and at least one reviewer")
    if not (0 <= plan.passes <= 1 and 0 <= plan.twice <= 1 and plan.per_week >= 0):
        raise ReviewError("the shares of a sample are from 0 to 1, and its numbers from 0 on")


def _plan_detail(plan: SamplePlan, found: int, drawn: int) -> dict[str, object]:
    shares = {name: getattr(plan, name) for name in ("per_week", "offences", "unknown", "passes", "twice")}
    return {
        "plan": plan.name,
        "seed": plan.seed,
        "shares": shares,
        "since": iso(plan.since),
        "until": iso(plan.until),
        "counters": list(plan.counters) or None,
        "only": None if plan.only is None else list(plan.only),
        "reviewers": list(plan.reviewers),
        "by": plan.by,
        "candidates": found,
        "drawn": drawn,
    }


def _details_of(plan: str, each: Drawn) -> list[dict[str, object]]:
    common = {"plan": plan, "reason": each.reason, "chance": round(each.chance, 6)}
    first = [{**common, "for": each.reviewer}]
    return first + ([{**common, "for": each.second, "blind": True}] if each.second else [])


def candidates(
    connection: sa.Connection, plan: SamplePlan, before: int | None = None
) -> list[tuple[Candidate, VisitOrigin]]:
    """The closed visits of the time of a plan, without those that were no service or are history.

    `before` leaves out rows from that number on, so that a draw can be repeated later.
    """
    query = sa.select(EVENTS).where(EVENTS.c.kind == "visit_closed", iso(plan.since) <= WHEN, iso(plan.until) > WHEN)
    if before is not None:
        query = query.where(EVENTS.c.seq < before)
    if plan.counters:
        query = query.where(EVENTS.c.counter.in_([storable(counter) for counter in plan.counters]))
    if plan.only is not None:
        query = query.where(is_in(EVENTS.c.counter, plan.only))
    history = replaced_streams(connection)
    rows = (Row(*row) for row in connection.execute(query) if row.stream not in history)
    pairs = ((_candidate(row), row) for row in rows)
    return [(each, VisitOrigin(each.visit, row.counter, row.phrases, row.phrases_hash)) for each, row in pairs if each]


def _candidate(row: Row) -> Candidate | None:
    detail = parse_detail(row.detail)
    counts = detail.get("counts")
    number: dict[str, Any] = counts if isinstance(counts, dict) else {}
    if row.visit is None or detail.get("outcome") == NO_SERVICE:
        return None
    day = datetime.fromisoformat(row.wall or row.recorded)
    return Candidate(
        visit=row.visit,
        counter=row.counter,
        week=(day - timedelta(days=day.weekday())).date().isoformat(),
        offence=bool(number.get("forbidden") or number.get("broken")),
        unknown=bool(number.get("unknown") or number.get("doubtful")),
        passed=detail.get("passed") is True,
    )


def assignments(connection: sa.Connection, *, plan: str | None = None, account: str | None = None) -> list[Assignment]:
    """What was drawn for people to review, in the order of the draws; of one plan, or for one account."""
    rows = [Row(*row) for row in connection.execute(_of_kind("sample"))]
    details = [(row, parse_detail(row.detail)) for row in rows if row.visit is not None]
    finished = _finished(connection)
    found = [_assignment(row, detail, finished) for row, detail in details]
    return [each for each in found if plan in (None, each.plan) and account in (None, each.account)]


def second_opinions_due(connection: sa.Connection, account: str) -> tuple[str, ...]:
    """The visits on which this account has yet to finish a second opinion: till then it sees nobody else's word."""
    field = {name: detail_text(EVENTS.c.detail, name) for name in ("for", "by", "action", "event")}
    drawn = sa.select(EVENTS.c.visit, sa.func.max(EVENTS.c.seq).label("drawn")).where(
        EVENTS.c.kind == "sample", field["for"] == storable(account), detail_flag(EVENTS.c.detail, "blind") == 1
    )
    due = drawn.group_by(EVENTS.c.visit).subquery()
    whole = (field["action"] == "uphold") & field["event"].is_(None)
    own = sa.select(EVENTS.c.seq).where(EVENTS.c.visit == due.c.visit, EVENTS.c.seq > due.c.drawn, whole)
    finished = own.where(field["by"] == storable(account)).correlate(due).exists()
    return tuple(connection.execute(sa.select(due.c.visit).where(~finished)).scalars())


def _of_kind(kind: str) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(EVENTS).where(EVENTS.c.kind == kind).order_by(EVENTS.c.seq)


def _finished(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """By visit and account: the number of the last row that says that it was looked at to its end."""
    found: dict[tuple[str, str], int] = {}
    for row in connection.execute(_of_kind("review")):
        detail = parse_detail(row.detail)
        if detail.get("action") == "uphold" and "event" not in detail:
            found[row.visit, str(detail.get("by"))] = row.seq
    return found


def _assignment(row: Row, detail: dict[str, object], finished: dict[tuple[str, str], int]) -> Assignment:
    chance, account = detail.get("chance"), str(detail.get("for", ""))
    return Assignment(
        seq=row.seq,
        visit=row.visit or "",
        counter=row.counter,
        plan=str(detail.get("plan", "")),
        reason=str(detail.get("reason", "")),
        chance=float(chance) if isinstance(chance, int | float) and 0 < chance <= 1 else 1.0,
        account=account,
        blind=detail.get("blind") is True,
        done=finished.get((row.visit or "", account), 0) > row.seq,
    )


def draws(connection: sa.Connection, only: Collection[str] | None = None) -> list[Draw]:
    """The plans that were drawn, the newest first, with their progress; those that hold nothing but these counters."""
    assigned: dict[str, list[Assignment]] = defaultdict(list)
    hidden: set[str] = set()
    for each in assignments(connection):
        if only is not None and each.counter not in only:
            hidden.add(each.plan)
        assigned[each.plan].append(each)
    rows = connection.execute(_of_kind("sample").where(EVENTS.c.visit.is_(None)))
    plans = [(row.recorded, parse_detail(row.detail)) for row in rows]
    return [
        _draw(recorded, detail, assigned[str(detail.get("plan"))])
        for recorded, detail in reversed(plans)
        if str(detail.get("plan")) not in hidden
    ]


def _draw(recorded: str, detail: dict[str, object], assigned: list[Assignment]) -> Draw:
    done = Counter(each.account for each in assigned if each.done)
    every = Counter(each.account for each in assigned)
    numbers = {name: value for name, value in detail.items() if isinstance(value, int)}
    return Draw(
        plan=str(detail.get("plan", "")),
        seed=numbers.get("seed", 0),
        drawn_at=recorded,
        by=str(detail.get("by", "")),
        candidates=numbers.get("candidates", 0),
        visits=numbers.get("drawn", 0),
        progress={account: (done[account], count) for account, count in sorted(every.items())},
    )

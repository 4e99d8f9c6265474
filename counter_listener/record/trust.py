"""How right is the machine here: what the reviews of a period say of its verdicts, and how far reviewers agree."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from counter_listener.domain import Agreement, Estimate, Event, Review, Verdict, cohen_kappa, weighted_share
from counter_listener.judging import WHOLE_VISIT, effective_verdicts, observed, standing_reviews
from counter_listener.record.expressions import is_one_of
from counter_listener.record.figures import MachineTrust, ReportScope, Share, VerdictTrust
from counter_listener.record.history import JUDGED_KINDS, review_from_row
from counter_listener.record.judgements import replaced_streams
from counter_listener.record.places import COUNTERS, in_places, is_in
from counter_listener.record.rows import Row, event_from_row, iso, storable
from counter_listener.record.sampling import Assignment, assignments
from counter_listener.record.schema import EVENTS, WHEN

Key = tuple[str, str, str, str]
"""Name of the phrase set, kind, id and verdict."""


@dataclass(slots=True)
class _Visit:
    """A reviewed visit."""

    rows: list[Row] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    events: dict[str, Event] = field(default_factory=dict)


def machine_trust(connection: sa.Connection, scope: ReportScope) -> MachineTrust:
    """What the reviews of the visits of a period say of the machine. It reads the reviewed visits alone."""
    visits = _reviewed_visits(connection, scope)
    drawn = [each for each in assignments(connection) if each.visit in visits or _is_within(connection, each, scope)]
    chances = _chances(drawn, visits)
    cases = list(_cases(visits))
    right = [(case, visit) for visit, case in cases]
    by_key: dict[Key, list[tuple[bool, str]]] = defaultdict(list)
    titles: dict[Key, str] = {}
    for (key, title, held), visit in right:
        by_key[key].append((held, visit))
        titles[key] = title
    verdicts = tuple(_verdict_trust(key, titles[key], held, chances) for key, held in sorted(by_key.items()))
    missed = {visit: _missed(each) for visit, each in visits.items()}
    overturned = [(not held, visit) for (_, _, held), visit in right]
    return MachineTrust(
        reviewed=len(visits),
        changed=len({visit for wrong, visit in overturned if wrong} | {visit for visit, n in missed.items() if n}),
        verdicts=verdicts,
        overturned=Share(sum(wrong for wrong, _ in overturned), len(overturned)),
        overturned_sampled=_estimate(overturned, chances),
        missed=sum(missed.values()),
        visits_missed=_estimate([(bool(count), visit) for visit, count in missed.items()], chances),
        sampled=len({each.visit for each in drawn}),
        finished=len({each.visit for each in drawn if each.done}),
        agreement=_agreement(drawn, visits),
    )


def _reviewed_visits(connection: sa.Connection, scope: ReportScope) -> dict[str, _Visit]:
    """The visits of a scope with a review that judges, by id; what was judged again since is left out."""
    history = replaced_streams(connection)
    visits: dict[str, _Visit] = defaultdict(_Visit)
    for row in connection.execute(sa.select(EVENTS).where(EVENTS.c.kind == "review").order_by(EVENTS.c.seq)):
        review = review_from_row(Row(*row))
        if review.action != "note":
            visits[row.visit].reviews.append(review)
    kinds = (*JUDGED_KINDS, "visit_closed")
    for row in connection.execute(
        sa.select(EVENTS).where(is_one_of(EVENTS.c.visit, list(visits))).order_by(EVENTS.c.seq)
    ):
        if row.kind in kinds:  # as a condition, it would make SQLite search by kind instead of by visit
            visits[row.visit].rows.append(Row(*row))
    placed = set(
        connection.execute(
            sa.select(COUNTERS.c.name).where(in_places(COUNTERS.c.name, scope.branch, scope.region))
        ).scalars()
    )
    chosen = {name: visit for name, visit in visits.items() if _fits(visit, scope, history, placed)}
    for visit in chosen.values():
        visit.events = {row.uid: event_from_row(row) for row in visit.rows}
    return chosen


def _fits(visit: _Visit, scope: ReportScope, history: Collection[str], placed: Collection[str]) -> bool:
    """Whether a visit was closed in the scope, and its verdicts are no history."""
    close = next((row for row in visit.rows if row.kind == "visit_closed"), None)
    if close is None or close.stream in history:
        return False
    when = close.wall or close.recorded
    since, until = (None if each is None else iso(each) for each in (scope.since, scope.until))
    counters = {storable(counter) for counter in scope.counters}
    return (
        (since is None or when >= since)
        and (until is None or when < until)
        and (not counters or close.counter in counters)
        and (not (scope.branch or scope.region) or close.counter in placed)
        and (scope.only is None or close.counter in scope.only)
        and scope.phrases in (None, close.phrases)
    )


def _is_within(connection: sa.Connection, drawn: Assignment, scope: ReportScope) -> bool:
    """Whether a drawn visit that has no review yet is of the scope."""
    query = sa.select(EVENTS.c.seq).where(EVENTS.c.visit == drawn.visit)
    query = query.where(iso(scope.since) <= WHEN) if scope.since else query
    query = query.where(iso(scope.until) > WHEN) if scope.until else query
    if scope.counters:
        query = query.where(EVENTS.c.counter.in_([storable(counter) for counter in scope.counters]))
    if scope.branch or scope.region:
        query = query.where(in_places(EVENTS.c.counter, scope.branch, scope.region))
    if scope.only is not None:
        query = query.where(is_in(EVENTS.c.counter, scope.only))
    query = query if scope.phrases is None else query.where(EVENTS.c.phrases == storable(scope.phrases))
    machine = query.where(EVENTS.c.kind.in_(("visit_closed",)))
    return connection.execute(machine.limit(1)).first() is not None


def _chances(drawn: Sequence[Assignment], visits: Collection[str]) -> dict[str, float]:
    """By visit that a first reviewer has finished: the chance with which some sample drew it."""
    missed: dict[str, dict[str, float]] = defaultdict(dict)
    for each in drawn:
        if each.done and not each.blind and each.visit in visits:
            missed[each.visit][each.plan] = 1 - each.chance
    chances = {}
    for visit, by_plan in missed.items():
        none = 1.0
        for share in by_plan.values():
            none *= share
        chances[visit] = 1 - none
    return chances


def _cases(visits: dict[str, _Visit]) -> Iterator[tuple[str, tuple[Key, str, bool]]]:
    """Each reviewed verdict: the visit, and which verdict it is, its title, and whether it was upheld."""
    for name, visit in visits.items():
        standing = standing_reviews(visit.reviews)
        whole = WHOLE_VISIT in standing
        for row in visit.rows:
            if row.verdict is None or row.phrase is None:
                continue
            event = visit.events[row.uid]
            review = standing.get((row.uid, None, 0.0))
            if review is None and not whole:
                continue
            held = review is None or review.action == "uphold"
            title = str(event.detail.get("title") or row.phrase)
            yield name, ((row.phrases, row.kind, row.phrase, row.verdict), title, held)


def _verdict_trust(key: Key, title: str, held: Sequence[tuple[bool, str]], chances: dict[str, float]) -> VerdictTrust:
    phrases, kind, phrase, verdict = key
    upheld = Share(sum(one for one, _ in held), len(held))
    said: Any = verdict
    return VerdictTrust(phrases, kind, phrase, title, said, upheld, _estimate(held, chances))


def _estimate(cases: Sequence[tuple[bool, str]], chances: dict[str, float]) -> Estimate | None:
    """A share among all visits, from the cases of visits whose chance is known."""
    return weighted_share([(chances[visit], true) for true, visit in cases if visit in chances])


def _missed(visit: _Visit) -> int:
    """The number of offences and broken rules that a reviewer heard and the machine did not."""
    return sum(review.verdict in ("forbidden", "broken") for review in observed(visit.reviews))


def _agreement(drawn: Sequence[Assignment], visits: dict[str, _Visit]) -> Agreement | None:
    """Of the two reviewers of each visit that both have finished: what each said of each verdict."""
    done = Counter((each.plan, each.visit) for each in drawn if each.done)
    assigned: dict[tuple[str, str], list[Assignment]] = defaultdict(list)
    for each in sorted(drawn, key=lambda one: one.blind):
        assigned[each.plan, each.visit].append(each)
    pairs: list[tuple[Verdict, Verdict]] = []
    for (plan, name), both in assigned.items():
        if len(both) == 2 and done[plan, name] == 2 and name in visits:  # noqa: PLR2004 - two reviewers
            first, second = (_verdicts_by(visits[name], each) for each in both)
            pairs += [(first[uid], second[uid]) for uid in first]
    return cohen_kappa(pairs) if pairs else None


def _verdicts_by(visit: _Visit, assigned: Assignment) -> dict[str, Verdict]:
    """The verdicts as one reviewer left them who had not yet seen the other's: what came after the end is left out."""
    own = [
        Review(each.seq, each.uid, each.event, each.action, each.verdict, each.by)
        for each in visit.reviews
        if each.by == assigned.account
    ]
    ends = (each.seq for each in own if each.event is None and each.action == "uphold" and each.seq > assigned.seq)
    end = next(ends, own[-1].seq if own else 0)
    return effective_verdicts(visit.events, [each for each in own if each.seq <= end])

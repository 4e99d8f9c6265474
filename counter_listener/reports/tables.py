"""The figures of a report as tables with stable column names, which every format shows alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final, Literal

from counter_listener.domain import Translate
from counter_listener.record import DurationStatistics, ReportData, Share, VisitTotals, sum_totals

Kind = Literal["text", "count", "share", "points", "change_share", "change_points", "seconds", "yes", "time", "rate"]
"""share: 0-1; points: 0-100; changes: the same, with a sign; seconds; time: aware; rate: to one decimal."""
Row = Mapping[str, Any]
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    """The stable name, in CSV and JSON."""
    title: str
    """For people, in their language."""
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a report."""

    id: str
    """The stable name, in CSV and JSON."""
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str = ""
    """What to know before reading it."""


def share_cells(share: Share, name: str = "") -> dict[str, Any]:
    """A share with its interval and whether it is of few, under `name_share` and so on."""
    low, high = share.interval or (None, None)
    prefix = f"{name}_" if name else ""
    return {
        f"{prefix}share": share.value,
        f"{prefix}low": low,
        f"{prefix}high": high,
        f"{prefix}few": share.few,
    }


def share_columns(title: str, _: Translate, name: str = "") -> list[Column]:
    """The columns of share_cells()."""
    prefix = f"{name}_" if name else ""
    return [
        Column(f"{prefix}share", title, "share"),
        Column(f"{prefix}low", _("{what}, 95 % from").format(what=title), "share"),
        Column(f"{prefix}high", _("{what}, 95 % to").format(what=title), "share"),
        Column(f"{prefix}few", _("{what}: few").format(what=title), "yes"),
    ]


def sums_cells(sums: VisitTotals) -> dict[str, Any]:
    """What visits come to, as cells of sums_columns()."""
    low, high = sums.mean_interval or (None, None)
    return {
        "visits": sums.visits,
        "scored": sums.scored,
        "passed": sums.passed,
        **share_cells(sums.passing, "pass"),
        "mean_score": sums.mean,
        "mean_low": low,
        "mean_high": high,
        "heard_share": sums.hearing.value,
        "forbidden": sums.forbidden,
        "broken": sums.broken,
    }


def sums_columns(_: Translate) -> list[Column]:
    """The columns that every table of visits has."""
    return [
        Column("visits", _("visits"), "count"),
        Column("scored", _("scored"), "count"),
        Column("passed", _("passed"), "count"),
        *share_columns(_("passing"), _, "pass"),
        Column("mean_score", _("mean score"), "points"),
        Column("mean_low", _("mean score, 95 % from"), "points"),
        Column("mean_high", _("mean score, 95 % to"), "points"),
        Column("heard_share", _("owed heard"), "share"),
        Column("forbidden", _("offences"), "count"),
        Column("broken", _("rules broken"), "count"),
    ]


def counters_table(found: ReportData, _: Translate) -> Table:
    """One row a counter, the weakest first, with its share of lost listening."""
    listening = {one.counter: one for one in found.listening}
    names = dict.fromkeys([*found.counters, *listening])
    rows = []
    for name in names:
        heard = listening.get(name)
        sums = found.counters.get(name, VisitTotals())
        rows.append(
            {
                "id": name or "",
                "title": name if name is not None else _("not named"),
                **sums_cells(sums),
                "listened_seconds": heard.seconds if heard else None,
                "lost_seconds": heard.lost if heard else None,
                "gaps": heard.gaps if heard else None,
                "lost_share": heard.share if heard else None,
            }
        )
    rows.sort(key=lambda row: (row["pass_share"] is None, row["pass_share"], row["id"]))
    more = [
        Column("listened_seconds", _("listened to"), "seconds"),
        Column("lost_seconds", _("lost"), "seconds"),
        Column("gaps", _("losses"), "count"),
        Column("lost_share", _("share lost"), "share"),
    ]
    columns = [Column("title", _("counter")), *sums_columns(_), *more]
    return Table(
        "counters", _("By counter"), columns, rows, _("The counters with the lowest share passing come first.")
    )


def local(quarter: int, zone: tzinfo | None) -> datetime:
    """The local time at which a quarter of an hour since 1970 began."""
    return (EPOCH + quarter * QUARTER).astimezone(zone)


def grouped(found: ReportData, zone: tzinfo | None, key: Callable[[datetime], Any]) -> dict[Any, VisitTotals]:
    """Visits by what `key` makes of their local time, in order; those of unknown time are left out."""
    groups: dict[Any, list[VisitTotals]] = {}
    for quarter, sums in found.quarters.items():
        if quarter is not None:
            groups.setdefault(key(local(quarter, zone)), []).append(sums)
    return {name: sum_totals(groups[name]) for name in sorted(groups)}


def weekdays(_: Translate) -> tuple[str, ...]:
    """The days of the week, Monday first."""
    return (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))


def clock_tables(found: ReportData, zone: tzinfo | None, _: Translate) -> Iterator[Table]:
    """By weekday and by hour, then by week and by day with the change against the one before."""
    names = weekdays(_)
    days = grouped(found, zone, datetime.weekday)
    yield _plain("weekdays", _("By weekday"), _("weekday"), [(str(k + 1), names[k], v) for k, v in days.items()], _)
    hours = grouped(found, zone, lambda time: time.hour)
    yield _plain("hours", _("By hour"), _("hour"), [(str(k), f"{k:02}:00-{k:02}:59", v) for k, v in hours.items()], _)
    weeks = grouped(found, zone, lambda time: _monday(time.date()))
    yield _trend("weeks", _("By week"), _("week from"), weeks, _)
    yield _trend("days", _("By day"), _("day"), grouped(found, zone, datetime.date), _)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _plain(name: str, title: str, what: str, rows: Iterable[tuple[str, str, VisitTotals]], _: Translate) -> Table:
    cells = [{"id": key, "title": shown, **sums_cells(sums)} for key, shown, sums in rows]
    return Table(name, title, [Column("title", what), *sums_columns(_)], cells)


def _trend(name: str, title: str, what: str, groups: Mapping[date, VisitTotals], _: Translate) -> Table:
    rows, before = [], None
    for day, sums in groups.items():
        rows.append({"id": day.isoformat(), "title": day.isoformat(), **sums_cells(sums), **changes(sums, before)})
        before = sums
    columns = [
        Column("title", what),
        *sums_columns(_),
        Column("pass_change", _("passing, change"), "change_share"),
        Column("mean_change", _("mean score, change"), "change_points"),
    ]
    return Table(name, title, columns, rows, _("Changes are against the row before, the last with visits."))


def changes(sums: VisitTotals, before: VisitTotals | None) -> dict[str, float | None]:
    """How the share passing (0-1) and the mean score (0-100) changed; None where either cannot be told."""
    return {
        "pass_change": _less(sums.passing.value, before.passing.value if before else None),
        "mean_change": _less(sums.mean, before.mean if before else None),
    }


def _less(value: float | None, before: float | None) -> float | None:
    return None if value is None or before is None else value - before


def times_table(found: ReportData, _: Translate) -> Table:
    """How long visits are, and how long it is from one to the next."""
    rows = [_spread_row("length", _("length of a visit"), found.lengths)]
    rows.append(_spread_row("between", _("from one visit to the next"), found.between))
    columns = [
        Column("title", _("time")),
        Column("n", "n", "count"),
        Column("mean", _("mean"), "seconds"),
        Column("quarter", _("a quarter is at most"), "seconds"),
        Column("median", _("half are at most (median)"), "seconds"),
        Column("three_quarters", _("three quarters are at most"), "seconds"),
        Column("longest", _("longest"), "seconds"),
    ]
    return Table("times", _("How long"), columns, rows)


def _spread_row(name: str, title: str, spread: DurationStatistics) -> dict[str, Any]:
    quarter, median, more = spread.quartiles or (None, None, None)
    return {
        "id": name,
        "title": title,
        "n": spread.n,
        "mean": spread.mean,
        "quarter": quarter,
        "median": median,
        "three_quarters": more,
        "longest": spread.longest,
    }

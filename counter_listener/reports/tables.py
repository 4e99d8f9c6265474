"""The tables of a report, with stable ids and column keys that all formats share; visits by counter and time. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final, Literal

from counter_listener.domain import Translate
from counter_listener.record import ReportData, Share, VisitTotals, sum_totals, totals_by_place

Kind = Literal["text", "count", "share", "points", "change_share", "change_points", "seconds", "yes", "time", "rate"]
"""share: 0-1; points: 0-100; change_*: their signed differences; time: with a time zone; rate: to one decimal."""
Row = Mapping[str, Any]
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER_HOUR: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    """The stable name, in CSV and JSON."""
    title: str
    """For people, in their language."""
    kind: Kind = "text"
    interval: str | None = None
    """Prefix of the `low`, `high` and `few` columns that belong to this one, if any."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a report."""

    id: str
    """The stable name, in CSV and JSON."""
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str = ""
    """What a reader must know about the figures."""


def text_width(text: str) -> int:
    """In Latin letters; Chinese ones, and all others after U+2E80, are twice as wide."""
    return sum(2 if letter > "\u2e80" else 1 for letter in text)


def share_cells(share: Share, prefix: str = "") -> dict[str, Any]:
    """A share with its interval and whether there are few cases, as the cells of share_columns()."""
    low, high = share.interval or (None, None)
    return {f"{prefix}share": share.value, f"{prefix}low": low, f"{prefix}high": high, f"{prefix}few": share.few}


def share_columns(title: str, _: Translate, prefix: str = "") -> list[Column]:
    """The four columns of a share; their keys are `share`, `low`, `high` and `few` after the prefix."""
    return [
        Column(f"{prefix}share", title, "share", interval=prefix),
        Column(f"{prefix}low", _("{what}, 95 % from").format(what=title), "share"),
        Column(f"{prefix}high", _("{what}, 95 % to").format(what=title), "share"),
        Column(f"{prefix}few", _("{what}: few").format(what=title), "yes"),
    ]


def totals_cells(totals: VisitTotals) -> dict[str, Any]:
    """The totals of visits, as the cells of totals_columns()."""
    low, high = totals.mean_interval or (None, None)
    return {
        "visits": totals.visits,
        "scored": totals.scored,
        "passed": totals.passed,
        **share_cells(totals.pass_share, "pass_"),
        "mean_score": totals.mean,
        "mean_low": low,
        "mean_high": high,
        "heard_share": totals.heard_share.value,
        "forbidden": totals.forbidden,
        "broken": totals.broken,
    }


def totals_columns(_: Translate) -> list[Column]:
    """The columns that all tables of visits have."""
    return [
        Column("visits", _("visits"), "count"),
        Column("scored", _("scored"), "count"),
        Column("passed", _("passed"), "count"),
        *share_columns(_("pass rate"), _, "pass_"),
        Column("mean_score", _("mean score"), "points", interval="mean_"),
        Column("mean_low", _("mean score, 95 % from"), "points"),
        Column("mean_high", _("mean score, 95 % to"), "points"),
        Column("heard_share", _("required phrases heard"), "share"),
        Column("forbidden", _("offences"), "count"),
        Column("broken", _("rules broken"), "count"),
    ]


def place_tables(data: ReportData, _: Translate) -> list[Table]:
    """One row per region, and one per branch, if counters were given any."""
    titles = {"region": (_("By region"), _("region")), "branch": (_("By branch"), _("branch"))}
    ids: dict[Literal["branch", "region"], str] = {"region": "regions", "branch": "branches"}
    tables = []
    for level, id_ in ids.items():
        if not any(getattr(each, level) for each in data.places):
            continue
        found = totals_by_place(data.by_counter, data.places, level)
        rows = [
            {"id": name or "", "title": _("in none") if name is None else name, **totals_cells(totals)}
            for name, totals in found.items()
        ]
        rows.sort(key=lambda row: (row["pass_share"] is None, row["pass_share"], row["id"]))
        columns = [Column("title", titles[level][1]), *totals_columns(_)]
        tables.append(Table(id_, titles[level][0], columns, rows, _("Those with the lowest pass rate come first.")))
    return tables


def counters_table(data: ReportData, _: Translate) -> Table:
    """One row per counter, the lowest pass rate first, with its listening time and lost audio."""
    coverage = {one.counter: one for one in data.coverage}
    rows = []
    for counter in dict.fromkeys([*data.by_counter, *coverage, *data.no_service_by_counter]):
        listened = coverage.get(counter)
        rows.append(
            {
                "id": counter or "",
                "title": _("not named") if counter is None else counter,
                **totals_cells(data.by_counter.get(counter, VisitTotals())),
                "no_service": data.no_service_by_counter.get(counter, 0),
                "listened_seconds": listened and listened.seconds,
                "lost_seconds": listened and listened.lost,
                "gaps": listened and listened.gaps,
                "lost_share": listened and listened.share,
            }
        )
    rows.sort(key=lambda row: (row["pass_share"] is None, row["pass_share"], row["id"]))
    columns = [
        Column("title", _("counter")),
        *totals_columns(_),
        Column("no_service", _("no service"), "count"),
        Column("listened_seconds", _("listening time"), "seconds"),
        Column("lost_seconds", _("lost"), "seconds"),
        Column("gaps", _("losses"), "count"),
        Column("lost_share", _("share lost"), "share"),
    ]
    return Table("counters", _("By counter"), columns, rows, _("Counters with the lowest pass rate come first."))


def time_tables(data: ReportData, zone: tzinfo | None, _: Translate) -> Iterator[Table]:
    """Visits by weekday and hour, then by week and day with the change from row to row; `zone` None: the local one."""
    names = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    weekdays = [(str(day + 1), names[day], totals) for day, totals in _group_by_time(data, zone, datetime.weekday)]
    hours = [
        (str(hour), f"{hour:02}:00-{hour:02}:59", totals)
        for hour, totals in _group_by_time(data, zone, lambda time: time.hour)
    ]
    weeks = _group_by_time(data, zone, lambda time: time.date() - timedelta(days=time.weekday()))
    yield _totals_table("weekdays", _("By weekday"), _("weekday"), weekdays, _)
    yield _totals_table("hours", _("By hour"), _("hour"), hours, _)
    yield _trend_table("weeks", _("By week"), _("week from"), weeks, _)
    yield _trend_table("days", _("By day"), _("day"), _group_by_time(data, zone, datetime.date), _)


def _group_by_time(
    data: ReportData, zone: tzinfo | None, key: Callable[[datetime], Any]
) -> list[tuple[Any, VisitTotals]]:
    """Totals by a key of the local time, in order; visits of unknown time are left out."""
    groups: dict[Any, list[VisitTotals]] = {}
    for quarter, totals in data.by_quarter.items():
        if quarter is not None:
            groups.setdefault(key((EPOCH + quarter * QUARTER_HOUR).astimezone(zone)), []).append(totals)
    return [(name, sum_totals(groups[name])) for name in sorted(groups)]


def _totals_table(
    id_: str, title: str, heading: str, rows: Iterable[tuple[str, str, VisitTotals]], _: Translate
) -> Table:
    cells = [{"id": key, "title": name, **totals_cells(totals)} for key, name, totals in rows]
    return Table(id_, title, [Column("title", heading), *totals_columns(_)], cells)


def _trend_table(id_: str, title: str, heading: str, rows: Iterable[tuple[date, VisitTotals]], _: Translate) -> Table:
    """By date, with changes of the pass rate (0-1) and the mean score (0-100) against the row before."""
    cells: list[Row] = []
    previous = VisitTotals()
    for day, totals in rows:
        changes = {
            "pass_change": _difference(totals.pass_share.value, previous.pass_share.value),
            "mean_change": _difference(totals.mean, previous.mean),
        }
        cells.append({"id": day.isoformat(), "title": day.isoformat(), **totals_cells(totals), **changes})
        previous = totals
    columns = [
        Column("title", heading),
        *totals_columns(_),
        Column("pass_change", _("pass rate, change"), "change_share"),
        Column("mean_change", _("mean score, change"), "change_points"),
    ]
    return Table(id_, title, columns, cells, _("Changes are from the row before."))


def _difference(value: float | None, previous: float | None) -> float | None:
    return None if value is None or previous is None else value - previous


def durations_table(data: ReportData, _: Translate) -> Table:
    """Durations of visits, and times between visits."""
    rows = []
    for id_, title, durations in (
        ("length", _("length of a visit"), data.durations),
        ("between", _("time between visits"), data.pauses),
    ):
        quartiles = zip(("quarter", "median", "three_quarters"), durations.quartiles or (None,) * 3, strict=True)
        row = {"id": id_, "title": title, "n": durations.n, "mean": durations.mean}
        rows.append({**row, **dict(quartiles), "longest": durations.longest})
    columns = [
        Column("title", _("time")),
        Column("n", _("cases"), "count"),
        Column("mean", _("mean"), "seconds"),
        Column("quarter", _("lower quartile"), "seconds"),
        Column("median", _("median"), "seconds"),
        Column("three_quarters", _("upper quartile"), "seconds"),
        Column("longest", _("longest"), "seconds"),
    ]
    return Table("times", _("Durations"), columns, rows)

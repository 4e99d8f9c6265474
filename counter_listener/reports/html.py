"""A report as one HTML page that needs nothing beside it: no network, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from counter_listener.domain import Translate, format_duration, printable
from counter_listener.reports.charts import charts
from counter_listener.reports.report import Report, parts, verdict_titles
from counter_listener.reports.tables import Column, Kind, Row, Table

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
LONG, FIRST = 40, 12
"""A table of more rows than that is folded away after its first ones."""
HIDDEN: Final = ("low", "high", "few", "pass_low", "pass_high", "pass_few", "mean_low", "mean_high", "scored", "passed")
HIDDEN_TOO: Final = ("handled_low", "handled_high", "handled_few", "handled", "id")
"""Columns that stand inside another one, or that only machines need."""
NONE: Final = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one cell."""

    text: str
    kind: Kind
    beside: str = ""
    """The interval."""
    few: bool = False
    bar: float | None = None
    """How long a bar is drawn, 0-100."""


def as_html(report: Report, _: Translate) -> str:
    """The page; whatever somebody heard or named is escaped by the template, and stripped of control characters."""
    page = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return page.get_template(
        "report.html"
    ).render(
        report=report,
        _=_,
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=_hash(style),
        charts={name: (title, Markup(svg)) for name, (title, svg) in charts(report, _).items()},  # noqa: S704 - ElementTree has escaped it
        cards=[_card(row, _) for row in report.table("summary").rows],
        sections=[(table, *_table(table, report, _)) for table in parts(report) if table.rows],
        visits=_visits(report, _),
        long=LONG,
        first=FIRST,
        period=_period(report, _),
        when=lambda moment: when(moment.astimezone(report.zone)),
        shown=shown,
        clock=format_duration,
        zone=f"UTC{report.made.astimezone(report.zone).isoformat()[-6:]}",
    )


def _hash(style: str) -> str:
    """As a Content-Security-Policy names what it lets through."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def when(moment: datetime) -> str:
    """To the minute."""
    return moment.strftime("%Y-%m-%d %H:%M")


def shown(value: Any, kind: Kind, _: Translate) -> str:  # noqa: ANN401, PLR0911 - one line for each kind of cell
    """A value as people read it."""
    if value is None:
        return NONE
    match kind:
        case "count":
            return f"{value:,}".replace(",", "\u202f")
        case "share":
            return f"{100 * value:.1f}\u00a0%"
        case "change_share":
            return _signed(100 * value, 1)
        case "change_points":
            return _signed(value, 1)
        case "points" | "rate":
            return f"{value:.1f}"
        case "seconds":
            return format_duration(value)
        case "time":
            return when(value)
        case "yes":
            return _("yes") if value else _("no")
    return str(value)


def _signed(value: float, digits: int) -> str:
    """With a real minus sign, and none before nought."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def _period(report: Report, _: Translate) -> str:
    scope = report.gathered.scope
    since, until = (moment and when(moment.astimezone(report.zone)) for moment in (scope.since, scope.until))
    if since and until:
        return _("from {since} to before {until}").format(since=since, until=until)
    if since:
        return _("from {since} on").format(since=since)
    return _("before {until}").format(until=until) if until else _("all that is in the record")


def _card(row: Row, _: Translate) -> dict[str, Any]:
    unit: Kind = row["unit"]
    change: Kind = "change_share" if unit == "share" else "change_points"
    differs = row.get("change")
    told = None
    if differs is not None:
        told = _signed(differs, 0) if unit in {"count", "seconds"} else shown(differs, change, _)
    interval = _interval(row.get("low"), row.get("high"), unit)
    return {**row, "text": shown(row["value"], unit, _), "interval": interval, "told": told}


def _interval(low: float | None, high: float | None, kind: Kind) -> str:
    if low is None or high is None:
        return ""
    times = 100 if kind == "share" else 1
    return f"{times * low:.1f}–{times * high:.1f}"


def _table(table: Table, report: Report, _: Translate) -> tuple[Sequence[Column], list[list[Cell]]]:
    single = len(report.gathered.sets) < 2  # noqa: PLR2004 - with one set there is nothing to tell apart
    out = {*HIDDEN, *HIDDEN_TOO, *({"phrase_set"} if single else ())}
    titled, *others = (column for column in table.columns if column.key not in out)
    keys = {column.key for column in table.columns}
    columns = [titled, *sorted(others, key=lambda one: one.kind != "share" or _low(one) not in keys)]
    return columns, [[_cell(row, column, _) for column in columns] for row in table.rows]


def _cell(row: Row, column: Column, _: Translate) -> Cell:
    value = row.get(column.key)
    text = shown(value, column.kind, _)
    if column.kind not in {"share", "points"} or value is None:
        return Cell(text, column.kind)
    low = _low(column)
    beside = _interval(row.get(low), row.get(low.replace("low", "high")), column.kind)
    bar = 100 * value if column.kind == "share" and beside else None
    return Cell(text, column.kind, beside, bool(beside and row.get(low.replace("low", "few"))), bar)


def _low(column: Column) -> str:
    """The column that holds where the interval of this one begins, if it has any."""
    return "mean_low" if column.key == "mean_score" else f"{column.key.removesuffix('share')}low"


def _visits(report: Report, _: Translate) -> list[dict[str, Any]]:
    titles = verdict_titles(_)
    evidence: dict[str, list[Row]] = {}
    for row in report.table("evidence").rows:
        told = {**row, "told": titles.get((row["kind"], row["verdict"]), row["verdict"])}
        evidence.setdefault(row["visit"], []).append(told)
    rows = report.table("visits").rows
    return [{**row, "evidence": evidence.get(row["id"], ()), "marks": list(_marks(evidence, row))} for row in rows]


def _marks(evidence: dict[str, list[Row]], visit: Row) -> Iterator[str]:
    """What to see before a visit is opened: what was missed and what was said wrongly."""
    for row in evidence.get(visit["id"], ()):
        if row["verdict"] in {"not_heard", "forbidden", "broken"}:
            yield str(row["title"])

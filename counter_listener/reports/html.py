"""A report as one HTML page without network access and script."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path, PurePath
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from counter_listener.domain import Translate, format_duration, printable, visit_word, written
from counter_listener.reports.charts import charts
from counter_listener.reports.report import Report, outcome_title, verdict_title
from counter_listener.reports.tables import Column, Kind, Row, Table

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
LONG, FIRST = 40, 12
"""A table with more rows than `LONG` shows its `FIRST` rows; the others unfold."""
UNFOLDING: Final = 500
"""Visits whose evidence unfolds; of more, a page would have tens of megabytes."""
MACHINE_COLUMNS: Final = frozenset({"scored", "passed", "handled", "id"})
"""Column keys for programs only."""


def as_html(report: Report, _: Translate) -> str:
    """The page. The template escapes all names and recognised words and removes their control characters."""
    page = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    middle = report.tables[1:-3]  # without the summary, the visits, their evidence and the definitions
    return page.get_template(
        "report.html"
    ).render(
        report=report,
        _=_,
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),  # for the security policy
        charts={name: (title, Markup(svg)) for name, (title, svg) in charts(report, _).items()},  # noqa: S704 - ElementTree has escaped it
        sections=[(table, _shown_columns(table, report)) for table in middle if table.rows],
        visits=_visits(report, _),
        long=LONG,
        first=FIRST,
        unfolding=UNFOLDING,
        period=_period(report, _),
        minute=lambda moment: _minute(moment.astimezone(report.zone)),
        cell_text=partial(cell_text, _=_),
        change=_change,
        interval=_interval,
        duration=format_duration,
        zone=f"UTC{report.made.astimezone(report.zone).isoformat()[-6:]}",
    )


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def cell_text(value: Any, kind: Kind, _: Translate) -> str:  # noqa: ANN401, PLR0911 - one line for each kind of cell
    """A value for people."""
    if value is None:
        return "–"
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
            return _minute(value)
        case "yes":
            return _("yes") if value else _("no")
    return str(value)


def _signed(value: float, digits: int) -> str:
    """With a typographic minus sign, and never a negative zero."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def _period(report: Report, _: Translate) -> str:
    scope = report.data.scope
    since, until = (moment and _minute(moment.astimezone(report.zone)) for moment in (scope.since, scope.until))
    if since and until:
        return _("from {since} to before {until}").format(since=since, until=until)
    if since:
        return _("from {since} on").format(since=since)
    return _("before {until}").format(until=until) if until else _("the whole record")


def _change(row: Row) -> str | None:
    """The change of a figure of the summary, in its unit."""
    change, unit = row["change"], row["unit"]
    if change is None:
        return None
    return _signed(100 * change if unit == "share" else change, 1 if unit in {"share", "points"} else 0)


def _interval(row: Row, prefix: str | None, kind: Kind) -> str:
    """The interval of a share or of points, from the cells with this prefix; nothing if there is none."""
    low, high = (None, None) if prefix is None else (row[f"{prefix}low"], row[f"{prefix}high"])
    if low is None or high is None:
        return ""
    factor = 100 if kind == "share" else 1
    return f"{factor * low:.1f}–{factor * high:.1f}"


def _shown_columns(table: Table, report: Report) -> Sequence[Column]:
    """The title, then shares with an interval, then the others. Columns of intervals are part of their share."""
    prefixes = [column.interval for column in table.columns if column.interval is not None]
    hidden = {f"{prefix}{part}" for prefix in prefixes for part in ("low", "high", "few")} | MACHINE_COLUMNS
    if len(report.data.sets) < 2:  # noqa: PLR2004 - one phrase set needs no column
        hidden.add("phrase_set")
    title, *others = (column for column in table.columns if column.key not in hidden)
    return [title, *sorted(others, key=lambda column: column.kind != "share" or column.interval is None)]


def _visits(report: Report, _: Translate) -> list[dict[str, Any]]:
    """The visits with their evidence, and with the titles of what was missed or said wrongly."""
    evidence: dict[str, list[Row]] = {}
    for row in report.table("evidence").rows:
        titles = {f"{key}_title": verdict_title(row, _, key) for key in ("verdict", "review")}
        evidence.setdefault(row["visit"], []).append({**row, **titles, "heard": written(row["heard"] or "")})
    visits = []
    for visit in report.table("visits").rows:
        rows = evidence.get(visit["id"], [])
        shown = {
            "evidence": rows,
            "missing": _titles_of(rows, "not_heard"),
            "said": _titles_of(rows, "forbidden", "broken"),
            "word": visit_word(visit["grade"], visit["outcome"], _),
            "outcome_title": outcome_title(visit, _) if visit["grade"] else "",
            "file": PurePath(visit["recording"]).name if visit["recording"] else None,
        }
        visits.append({**visit, **shown})
    return visits


def _titles_of(rows: Sequence[Row], *verdicts: str) -> list[str]:
    """The titles of the evidence with one of these verdicts, each once; after its review, if there is one."""
    found = (str(row["title"]) for row in rows if (row["review"] or row["verdict"]) in verdicts)
    return list(dict.fromkeys(found))

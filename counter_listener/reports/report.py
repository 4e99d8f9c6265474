"""A report: the summary, the tables in order, the visits with their evidence, and the definitions. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import zip_longest
from typing import Final

from counter_listener.domain import N_, OUTCOMES, VERDICTS, Event, Review, Translate
from counter_listener.domain import REASONS as REVIEW_REASONS
from counter_listener.record import FEW, ReportData, ShownVisit, VisitTotals, sum_totals
from counter_listener.reports.definitions import definitions_table
from counter_listener.reports.manner_tables import manner_tables
from counter_listener.reports.phrase_tables import PhraseSets, phrase_tables
from counter_listener.reports.review_tables import machine_table, reviews_table
from counter_listener.reports.tables import (
    Column,
    Row,
    Table,
    counters_table,
    durations_table,
    place_tables,
    time_tables,
)

Playable = Callable[[str], str | None]
"""Returns the URL of a recording, given its path, or None if the file is not there."""
NO_SERVICE_KEYS: Final = ("id", "counter", "opened", "seconds", "recording")
"""The columns of what was no service: it has no score and no grade."""
TITLES: Final = {
    ("forbidden", "forbidden"): N_("offence"),
    ("rule", "heard"): N_("rule kept"),
    ("rule", "broken"): N_("rule broken"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a report, for any format."""

    lang: str
    made: datetime
    zone: tzinfo | None
    """The time zone of its times; None is the zone of this machine."""
    data: ReportData
    total: VisitTotals
    tables: Sequence[Table]
    """In the order in which they are shown; the first is the summary, the last are visits, evidence and definitions."""

    def table(self, id_: str) -> Table:
        """The table with this id."""
        return next(table for table in self.tables if table.id == id_)


def make_report(  # noqa: PLR0913 - everything that only the caller knows
    data: ReportData,
    sets: PhraseSets,
    playable: Playable,
    *,
    lang: str,
    made: datetime,
    zone: tzinfo | None,
    translate: Translate,
) -> Report:
    """The report in the language of `translate`; `made` is the current time with its time zone."""
    total = sum_totals(data.by_counter.values())
    tables = (
        _summary_table(data, total, translate),
        *phrase_tables(data, sets, total, translate),
        *place_tables(data, translate),
        counters_table(data, translate),
        *time_tables(data, zone, translate),
        durations_table(data, translate),
        *manner_tables(data, sets, zone, translate),
        reviews_table(data, total, translate),
        machine_table(data, translate),
        _no_service_table(data, zone, translate),
        _visits_table(data, total, zone, translate),
        _evidence_table(data, playable, _titles(sets), zone, translate),
        definitions_table(translate),
    )
    return Report(lang, made, zone, data, total, tables)


def _titles(sets: PhraseSets) -> dict[str, str]:
    """The titles of what reviewers can hear or see and the machine has no event of, by id."""
    titles: dict[str, str] = {}
    for phrases in sets.values():
        titles |= {**phrases.titles(), **{entry.id: entry.title for entry in phrases.observe}}
        titles |= {limit.id: limit.title for limit in phrases.manner}
    return titles


def _summary_table(data: ReportData, total: VisitTotals, _: Translate) -> Table:
    """The main figures, each with its interval and the figure of the previous period."""
    listened = sum(one.seconds for one in data.coverage)
    lost = sum(one.lost for one in data.coverage)
    values = _values(total)
    before = _values(data.previous) if data.previous else {}
    shares = {"pass": total.pass_share, "heard": total.heard_share, "kept": total.kept_share}
    samples = {id_: (share.interval, share.of, share.few) for id_, share in shares.items()}
    samples["mean"] = (total.mean_interval, total.scored, total.scored < FEW)

    def row(id_: str, title: str, unit: str, value: float | None) -> Row:
        old = before.get(id_)
        change = None if value is None or old is None else value - old
        interval, n, few = samples.get(id_, (None, None, None))
        low, high = interval or (None, None)
        figures = {"value": value, "before": old, "change": change, "low": low, "high": high, "n": n, "few": few}
        return {"id": id_, "title": title, "unit": unit, **figures}

    rows = [
        row("visits", _("visits"), "count", values["visits"]),
        row("no_service", _("no service"), "count", sum(data.no_service_by_counter.values())),
        row("not_understood", _("visits not understood"), "count", total.not_understood),
        row("pass", _("visits that passed"), "share", values["pass"]),
        row("mean", _("mean score"), "points", values["mean"]),
        row("heard", _("required phrases heard"), "share", values["heard"]),
        row("kept", _("rules kept"), "share", values["kept"]),
        row("forbidden", _("offences"), "count", values["forbidden"]),
        row("offending", _("visits with an offence"), "count", values["offending"]),
        row("doubtful", _("offences and broken rules in doubt"), "count", values["doubtful"]),
        row("listened", _("listening time"), "seconds", listened),
        row("lost", _("lost audio"), "seconds", lost),
        row("lost_share", _("share of audio lost"), "share", min(1.0, lost / listened) if listened else None),
        row("lost_visits", _("visits that lost audio"), "count", total.lost_audio),
    ]
    columns = [
        Column("title", _("figure")),
        Column("unit", _("unit")),
        Column("value", _("value"), "rate"),
        Column("low", _("95 % from"), "rate"),
        Column("high", _("95 % to"), "rate"),
        Column("n", _("cases"), "count"),
        Column("few", _("few"), "yes"),
        Column("before", _("previous period"), "rate"),
        Column("change", _("change"), "rate"),
    ]
    return Table("summary", _("Summary"), columns, rows)


def _values(totals: VisitTotals) -> dict[str, float | None]:
    """The figures that are compared with the previous period, by id."""
    return {
        "visits": totals.visits,
        "pass": totals.pass_share.value,
        "mean": totals.mean,
        "heard": totals.heard_share.value,
        "kept": totals.kept_share.value,
        "forbidden": totals.forbidden,
        "offending": totals.offending,
        "doubtful": totals.doubtful,
    }


def _visit_row(visit: ShownVisit, zone: tzinfo | None) -> Row:
    return {
        "id": visit.visit,
        "counter": visit.counter,
        "opened": visit.wall and visit.wall.astimezone(zone),
        "score": visit.score,
        "grade": visit.grade,
        "passed": visit.passed,
        "reviews": visit.reviewed.reviews if visit.reviewed else 0,
        "reviewed_score": visit.reviewed.score if visit.reviewed else None,
        "reviewed_passed": visit.reviewed.passed if visit.reviewed else None,
        "outcome": visit.outcome,
        "seconds": visit.seconds,
        "lost_audio": visit.lost_audio,
        **{name: visit.manner.get(name) for name in ("level", "rate", "interruptions", "silence")},
        "recording": visit.recording,
    }


def _visit_columns(_: Translate) -> list[Column]:
    return [
        Column("id", _("visit")),
        Column("counter", _("counter")),
        Column("opened", _("opened"), "time"),
        Column("score", _("score"), "points"),
        Column("grade", _("grade")),
        Column("passed", _("passed"), "yes"),
        Column("reviews", _("reviews"), "count"),
        Column("reviewed_score", _("score after reviews"), "points"),
        Column("reviewed_passed", _("passed after reviews"), "yes"),
        Column("outcome", _("outcome")),
        Column("seconds", _("length"), "seconds"),
        Column("lost_audio", _("audio lost"), "yes"),
        Column("level", _("volume (dBFS)"), "rate"),
        Column("rate", _("syllables a second"), "rate"),
        Column("interruptions", _("interruptions"), "count"),
        Column("silence", _("longest silence"), "seconds"),
        Column("recording", _("recording")),
    ]


def _visits_table(data: ReportData, total: VisitTotals, zone: tzinfo | None, _: Translate) -> Table:
    rows = [_visit_row(visit, zone) for visit in data.visits]
    note = _("{shown} of {visits} visits: the lowest score first, for equal scores the newest.")
    note = note.format(shown=len(rows), visits=total.visits)
    return Table("visits", _("Visits"), _visit_columns(_), rows, note)


def _no_service_table(data: ReportData, zone: tzinfo | None, _: Translate) -> Table:
    """What is kept off the list of visits, so that a supervisor can look at it."""
    columns = [column for column in _visit_columns(_) if column.key in NO_SERVICE_KEYS]
    rows = [{key: _visit_row(visit, zone)[key] for key in NO_SERVICE_KEYS} for visit in data.no_service]
    note = _("{shown} of {count}, the newest first. They count as no visit in any other figure.")
    count = sum(data.no_service_by_counter.values())
    return Table("no_service", _("No service"), columns, rows, note.format(shown=len(rows), count=count))


def _evidence_table(
    data: ReportData, playable: Playable, titles: Mapping[str, str], zone: tzinfo | None, _: Translate
) -> Table:
    """The events of the visits that are shown, each with the word of a person on it; `titles` are those of ids."""
    links = {visit.visit: visit.recording and playable(visit.recording) for visit in data.visits}
    rows = []
    for visit in data.visits:
        for event, review in zip_longest(visit.evidence, visit.reviews):
            row = _evidence_row(visit, event, links[visit.visit], zone, _)
            title = row["title"] if event.detail.get("title") else titles.get(event.phrase or "", row["title"])
            rows.append({**row, "title": title, **_review_cells(review, _)})
    columns = [
        Column("visit", _("visit")),
        Column("counter", _("counter")),
        Column("wall", _("time"), "time"),
        Column("at", _("position in the recording"), "seconds"),
        Column("kind", _("kind")),
        Column("title", _("what")),
        Column("verdict", _("verdict")),
        Column("review", _("after review")),
        Column("review_reason", _("reason of the review")),
        Column("heard", _("words heard")),
        Column("closeness", _("closeness"), "points"),
        Column("late", _("late by"), "seconds"),
        Column("reason", _("why in doubt")),
        Column("id", _("id")),
        Column("link", _("link into the recording")),
    ]
    return Table("evidence", _("Evidence"), columns, rows)


def _review_cells(review: Review | None, _: Translate) -> Row:
    """What a person said of a piece of evidence: the verdict after it, and why."""
    if review is None:
        return {"review": None, "review_reason": None}
    reason = REVIEW_REASONS.get(review.reason or "")
    return {"review": review.verdict, "review_reason": _(reason) if reason else None}


def _evidence_row(visit: ShownVisit, event: Event, link: str | None, zone: tzinfo | None, _: Translate) -> Row:
    wall = visit.wall and visit.wall + timedelta(seconds=event.at - visit.opened)
    reason = event.detail.get("reason")
    return {
        "visit": visit.visit,
        "counter": visit.counter,
        "wall": wall and wall.astimezone(zone),
        "at": event.at,
        "kind": event.kind,
        "title": event.detail.get("title") or event.phrase,
        "verdict": event.verdict,
        "heard": event.heard,
        "closeness": event.score,
        "late": event.detail.get("late"),
        "reason": _(str(reason)) if reason else None,
        "id": event.phrase,
        "link": f"{link}#t={event.at:.1f}" if event.heard is not None and link else None,
    }


def outcome_title(row: Row, _: Translate) -> str:
    """What people call the outcome of a row of the visits; nothing for a complete one, or where it is not known."""
    title = OUTCOMES.get(row["outcome"] or "")
    return _(title) if title and row["outcome"] != "complete" else ""


def verdict_title(row: Row, _: Translate, key: str = "verdict") -> str:
    """What people call a verdict of a row of the evidence; nothing where there is none."""
    verdict = row[key]
    title = TITLES.get((row["kind"], verdict)) or VERDICTS.get(verdict)
    return _(title) if title else verdict or ""

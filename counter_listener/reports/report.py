"""A report: what was gathered, as a heading, tables in order, visits with their evidence, and definitions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from counter_listener.domain import Translate
from counter_listener.record import FEW, ReportData, ShownEvent, ShownVisit, VisitTotals, sum_totals
from counter_listener.reports.phrase_tables import Sets, word_tables
from counter_listener.reports.tables import Column, Table, clock_tables, counters_table, times_table

Playable = Callable[[str], str | None]
"""Path of a recording -> its URL where it is at hand, else None."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says, ready to be shown in any format."""

    lang: str
    made: datetime
    zone: tzinfo | None
    gathered: ReportData
    total: VisitTotals
    tables: Sequence[Table]
    """In the order in which they are shown; the last are visits, evidence and definitions."""
    links: dict[str, str]
    """Visit -> URL of its recording, where that is at hand."""

    def table(self, name: str) -> Table:
        """The table with this id."""
        return next(one for one in self.tables if one.id == name)


def make_report(  # noqa: PLR0913 - what the edge knows comes in here
    found: ReportData,
    sets: Sets,
    playable: Playable,
    *,
    lang: str,
    made: datetime,
    zone: tzinfo | None,
    say: Translate,
) -> Report:
    """The report in the language of `say`; `made` is now, and `zone` (None: this machine's) that of its times."""
    total = sum_totals(found.counters.values())
    links = {one.visit: url for one in found.visits if one.recording and (url := playable(one.recording))}
    tables = (
        summary_table(found, total, say),
        *word_tables(found, sets, total, say),
        counters_table(found, say),
        *clock_tables(found, zone, say),
        times_table(found, say),
        visits_table(found, total, zone, say),
        evidence_table(found, links, zone, say),
        definitions_table(say),
    )
    return Report(lang, made, zone, found, total, tables, links)


def summary_table(found: ReportData, total: VisitTotals, _: Translate) -> Table:
    """The figures that come first, each with its interval and the one of the period before."""
    before = found.before
    rows = [
        _figure("visits", _("visits"), "count", total.visits, before.visits if before else None),
        _share("pass", _("visits that pass"), total, before, lambda sums: sums.passing),
        _mean(total, before, _),
        _share("heard", _("owed phrases heard"), total, before, lambda sums: sums.hearing),
        _share("kept", _("rules kept"), total, before, lambda sums: sums.keeping),
        _figure("forbidden", _("offences"), "count", total.forbidden, before.forbidden if before else None),
        _figure(
            "offending", _("visits with an offence"), "count", total.offending, before.offending if before else None
        ),
        _figure(
            "doubtful",
            _("offences and broken rules in doubt"),
            "count",
            total.doubtful,
            before.doubtful if before else None,
        ),
    ]
    heard = sum(one.seconds for one in found.listening)
    lost = sum(one.lost for one in found.listening)
    rows += [
        _figure("listened", _("listened to"), "seconds", heard),
        _figure("lost", _("lost of it"), "seconds", lost),
        _figure("lost_share", _("share of listening lost"), "share", min(1.0, lost / heard) if heard else None),
        _figure("lost_visits", _("visits that lost audio"), "count", total.lost_audio),
    ]
    columns = [
        Column("title", _("figure")),
        Column("unit", _("unit")),
        Column("value", _("value"), "rate"),
        Column("low", _("95 % from"), "rate"),
        Column("high", _("95 % to"), "rate"),
        Column("n", "n", "count"),
        Column("few", _("few"), "yes"),
        Column("before", _("the period before"), "rate"),
        Column("change", _("change"), "rate"),
    ]
    return Table("summary", _("In short"), columns, rows)


def _figure(name: str, title: str, unit: str, value: float | None, before: float | None = None) -> dict[str, Any]:
    change = None if value is None or before is None else value - before
    row = {"id": name, "title": title, "unit": unit, "value": value, "before": before, "change": change}
    return {**row, **dict.fromkeys(("low", "high", "n", "few"))}


def _share(
    name: str, title: str, total: VisitTotals, before: VisitTotals | None, of: Callable[[VisitTotals], Any]
) -> dict[str, Any]:
    share = of(total)
    low, high = share.interval or (None, None)
    row = _figure(name, title, "share", share.value, of(before).value if before else None)
    return {**row, "low": low, "high": high, "n": share.of, "few": share.few}


def _mean(total: VisitTotals, before: VisitTotals | None, _: Translate) -> dict[str, Any]:
    low, high = total.mean_interval or (None, None)
    row = _figure("mean", _("mean score"), "points", total.mean, before.mean if before else None)
    return {**row, "low": low, "high": high, "n": total.scored, "few": total.scored < FEW}


def visits_table(found: ReportData, total: VisitTotals, zone: tzinfo | None, _: Translate) -> Table:
    """The visits that are shown, the lowest score first."""
    rows = [
        {
            "id": one.visit,
            "counter": one.counter,
            "opened": one.wall.astimezone(zone) if one.wall else None,
            "score": one.score,
            "grade": one.grade,
            "passed": one.passed,
            "seconds": one.seconds,
            "lost_audio": one.lost_audio,
            "recording": one.recording,
        }
        for one in found.visits
    ]
    columns = [
        Column("id", _("visit")),
        Column("counter", _("counter")),
        Column("opened", _("opened"), "time"),
        Column("score", _("score"), "points"),
        Column("grade", _("grade")),
        Column("passed", _("passed"), "yes"),
        Column("seconds", _("length"), "seconds"),
        Column("lost_audio", _("audio lost"), "yes"),
        Column("recording", _("recording")),
    ]
    note = _("{shown} of {visits} visits: those with the lowest score, of equal ones the newest.")
    return Table("visits", _("Visits"), columns, rows, note.format(shown=len(rows), visits=total.visits))


def evidence_table(found: ReportData, links: dict[str, str], zone: tzinfo | None, _: Translate) -> Table:
    """What was told in each of those visits."""
    rows = [_evidence(one, event, links, zone, _) for one in found.visits for event in one.evidence]
    columns = [
        Column("visit", _("visit")),
        Column("counter", _("counter")),
        Column("wall", _("when"), "time"),
        Column("at", _("into the recording"), "seconds"),
        Column("kind", _("kind")),
        Column("title", _("what")),
        Column("verdict", _("verdict")),
        Column("heard", _("words heard")),
        Column("closeness", _("closeness"), "points"),
        Column("late", _("late by"), "seconds"),
        Column("reason", _("why in doubt")),
        Column("id", _("id")),
        Column("link", _("recording at that second")),
    ]
    return Table("evidence", _("Evidence"), columns, rows)


def _evidence(
    visit: ShownVisit, event: ShownEvent, links: dict[str, str], zone: tzinfo | None, _: Translate
) -> dict[str, Any]:
    wall = visit.wall and datetime.fromtimestamp(visit.wall.timestamp() + event.at - visit.opened, visit.wall.tzinfo)
    return {
        "visit": visit.visit,
        "counter": visit.counter,
        "wall": wall.astimezone(zone) if wall else None,
        "at": event.at,
        "kind": event.kind,
        "title": event.title,
        "verdict": event.verdict,
        "heard": event.heard,
        "closeness": event.closeness,
        "late": event.late,
        "reason": None if event.reason is None else reasons(_).get(event.reason, event.reason),
        "id": event.phrase,
        "link": f"{links[visit.visit]}#t={event.at:.1f}" if event.said and visit.visit in links else None,
    }


def verdict_titles(_: Translate) -> dict[tuple[str, str], str]:
    """What each verdict is called, by the kind of event and the verdict."""
    doubt = _("cannot be told")
    return {
        ("phrase", "heard"): _("heard"),
        ("phrase", "not_heard"): _("not heard"),
        ("phrase", "unknown"): doubt,
        ("forbidden", "forbidden"): _("offence"),
        ("forbidden", "unknown"): doubt,
        ("rule", "heard"): _("rule kept"),
        ("rule", "broken"): _("rule broken"),
        ("rule", "unknown"): doubt,
    }


def reasons(_: Translate) -> dict[str, str]:
    """Why something cannot be told, as the judge writes it, in the reader's language."""
    return {
        "customers say this as well, and the voice is unknown": _(
            "customers say this as well, and the voice is unknown"
        ),
        "audio was lost": _("audio was lost"),
        "audio was lost right beside it": _("audio was lost right beside it"),
        "no speech was recognised": _("no speech was recognised"),
    }


def definitions_table(_: Translate) -> Table:
    """What the figures mean, so that two people read the same thing."""
    told = (
        ("visit", _("visit"), _(
            "One customer's service, from greeting to farewell, told apart from speech alone. It belongs to the time at"
            " which it was opened; it is in the period if it was closed in it. Where no time is known, the time of"
            " recording decides on the period, and the visit is left out by weekday, hour, week and day."
        )),
        ("score", _("score"), _(
            "0 to 100: the share of the owed weight that was heard, less points for offences and broken rules, by the"
            " scheme in the phrase set. A visit in which nothing could be judged has none."
        )),
        ("passing", _("passing"), _("Visits at or above the pass mark of their phrase set, of those with a score.")),
        ("heard", _("share heard"), _(
            "Heard, of heard and not heard. What cannot be told counts on neither side."
        )),
        ("unknown", _("cannot be told"), _(
            "Audio was lost, nothing was recognised, or only a voice that may be the customer's said it."
            " It is never an accusation and never in a score."
        )),
        ("rule", _("rules"), _(
            "A request needs 请 or its like beside it, a refusal needs 对不起 or its like. Each time counts."
        )),
        ("offence", _("offences"), _("Forbidden phrases heard from the clerk; each time counts.")),
        ("handled", _("handled in full"), _(
            "Everything owed once a customer complained was heard in that visit. Visits in which something owed could"
            " not be told, and nothing was missed, are left out of the share."
        )),
        ("interval", _("95 % from, to"), _(
            "Of a share Wilson's score interval, of the mean score the normal one. Were the period repeated under the"
            " same conditions, 95 of 100 such intervals would hold the true value. It does not hold what the"
            " recogniser mishears."
        )),
        ("few", _("few"), _("Fewer than {few} of what is counted: read the interval, not the share.").format(few=FEW)),
        ("coverage", _("share lost"), _(
            "Seconds of sound that never reached the program, of the length of recordings and, live, of the time from"
            " the first to the last event of each listening. Losses whose length nobody knows count as losses of 0 s."
        )),
        ("between", _("from one visit to the next"), _(
            "From the last speech of a visit to the opening of the next in the same recording or listening."
        )),
        ("length", _("length of a visit"), _("From its opening to its last speech.")),
        ("change", _("change"), _(
            "In short: against the period of the same length right before, where both its ends are known."
            " By week and day: against the row before."
        )),
        ("closeness", _("closeness"), _("How close in sound the words heard are to the wording, 0 to 100.")),
    )  # fmt: skip
    rows = [{"id": name, "title": title, "text": text} for name, title, text in told]
    columns = [Column("title", _("word")), Column("text", _("meaning"))]
    return Table("definitions", _("What the figures mean"), columns, rows)


def parts(report: Report) -> Iterator[Table]:
    """The tables between the summary and the visits."""
    yield from islice(report.tables, 1, len(report.tables) - 3)

"""How clerks speak: volume, speech rate, interruptions and silence, of all visits, by counter, by month. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo

from counter_listener.domain import PhraseSet, Translate
from counter_listener.record import MannerCounts, MannerData, ReportData, Share, sum_manner
from counter_listener.reports.tables import EPOCH, QUARTER_HOUR, Column, Row, Table, share_cells, share_columns


def manner_tables(
    data: ReportData, sets: Mapping[str, PhraseSet], zone: tzinfo | None, _: Translate
) -> tuple[Table, Table, Table]:
    """The figures of all visits, by counter, and by month of the local time; without rows where nothing was told."""
    manner = data.manner or MannerData()
    named = [("" if name is None else name, name, counts) for name, counts in manner.by_counter.items()]
    counters = [(id_, _("not named") if name is None else name, counts) for id_, name, counts in sorted(named)]
    months = [(month, month, counts) for month, counts in by_month(manner, zone)]
    return (
        _figures_table(manner.total, sets, _),
        _group_table("manner_counters", _("Manner by counter"), _("counter"), counters, _),
        _group_table("manner_months", _("Manner by month"), _("month"), months, _),
    )


def by_month(manner: MannerData, zone: tzinfo | None) -> list[tuple[str, MannerCounts]]:
    """The figures of each month, in order; visits of unknown time are left out."""
    groups: dict[str, list[MannerCounts]] = {}
    for quarter, counts in manner.by_quarter.items():
        if quarter is not None:
            began: datetime = (EPOCH + quarter * QUARTER_HOUR).astimezone(zone)
            groups.setdefault(f"{began:%Y-%m}", []).append(counts)
    return [(month, sum_manner(groups[month])) for month in sorted(groups)]


def figure_titles(_: Translate) -> dict[str, str]:
    """What people call each figure, with its unit."""
    return {
        "level": _("volume (dBFS)"),
        "quiet": _("speech that is too quiet (%)"),
        "rate": _("speech rate (syllables a second)"),
        "interruptions": _("interruptions (times a visit)"),
        "silence": _("longest silence (seconds)"),
        "waits": _("waits without a word (times a visit)"),
    }


def _figures_table(total: MannerCounts, sets: Mapping[str, PhraseSet], _: Translate) -> Table:
    rows: list[Row] = []
    for name, title in figure_titles(_).items():
        if total.told(name):
            low, middle, high = total.quartiles(name) or (0.0, 0.0, 0.0)
            low, middle, high = (100 * each if name == "quiet" else each for each in (low, middle, high))
            cells = {"n": total.told(name), "quarter": low, "median": middle, "three_quarters": high}
            rows.append({"id": name, "title": title, **cells, "over": None})
    for phrases in sets.values():
        for entry in phrases.manner:
            if total.over[entry.id]:
                told = total.told("level" if entry.figure == "volume" else entry.figure)
                empty = dict.fromkeys(("quarter", "median", "three_quarters"))
                title = _("beyond the limit: {title}").format(title=entry.title)
                rows.append({"id": entry.id, "title": title, "n": told, **empty, "over": total.over[entry.id]})
    columns = [
        Column("title", _("figure")),
        Column("n", _("visits in which it can be told"), "count"),
        Column("quarter", _("lower quartile"), "rate"),
        Column("median", _("median"), "rate"),
        Column("three_quarters", _("upper quartile"), "rate"),
        Column("over", _("visits beyond the limit"), "count"),
    ]
    note = _("Of a visit in which a figure cannot be told, it counts nowhere. What each one means stands at the end.")
    return Table("manner", _("Manner"), columns, rows, note)


def _group_table(
    id_: str, title: str, heading: str, groups: Iterable[tuple[str, str, MannerCounts]], _: Translate
) -> Table:
    rows = [
        {
            "id": key,
            "title": name,
            "visits": counts.visits,
            "level": counts.median("level"),
            "rate": counts.median("rate"),
            "silence": counts.median("silence"),
            **share_cells(Share(*counts.some("interruptions")), "interrupted_"),
            **share_cells(Share(*counts.some("waits")), "waited_"),
        }
        for key, name, counts in groups
        if any(counts.told(figure) for figure in counts.values)
    ]
    columns = [
        Column("title", heading),
        Column("visits", _("visits"), "count"),
        Column("level", _("volume, median (dBFS)"), "rate"),
        Column("rate", _("syllables a second, median"), "rate"),
        Column("silence", _("longest silence, median"), "seconds"),
        *share_columns(_("visits with an interruption"), _, "interrupted_"),
        *share_columns(_("visits with a wait"), _, "waited_"),
    ]
    return Table(id_, title, columns, rows, _("In one-channel sound volume and rate are those of both voices."))

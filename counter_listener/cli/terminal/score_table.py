"""Scores as people read them: one table, and below it what the figures mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from counter_listener.cli.terminal.visit_table import printed
from counter_listener.domain import N_, Interval, _, format_duration, ngettext, printable
from counter_listener.evaluation import ALL, DRAWS, SLACK, Counts, Row, by_phrase

WIDTH: Final = 165
"""Characters: a narrower terminal breaks the lines rather than lose figures."""
TITLE_WIDTH: Final = 30
"""Characters."""
SHORT: Final = {"rapidfuzz, characters": N_("characters"), "rapidfuzz, pinyin": N_("pinyin")}
"""What stands over the column of a baseline."""
NOTES: Final = N_("""\
A hit is a finding of the right phrase that overlaps what was said, give or take {slack:g} s, whoever spoke; each \
saying is hit once at most.
Behind each share its 95 % interval: of precision and recall Wilson's, of F1 by a bootstrap over files ({draws} draws, \
fixed seed).
Each baseline stands at the threshold that is best for it on these very files, which favours it; ours has its own \
settings.
Phrases that were not said, and that ours did not find, are left out.""")


def score_text(rows: Sequence[Sequence[Row]], titles: Mapping[str, str], files: int, seconds: float) -> str:
    """The scores of each finder as text: ours first, then the baselines, in all and for each phrase."""
    return printed(lambda console: _show(console, rows, titles, files, seconds), WIDTH)


def _show(
    console: Console, rows: Sequence[Sequence[Row]], titles: Mapping[str, str], files: int, seconds: float
) -> None:
    text = ngettext("{count} file, {length} in all", "{count} files, {length} in all", files)
    console.print(text.format(count=files, length=format_duration(seconds)))
    console.print(_table(rows, titles))
    console.print(Text(_(NOTES).format(slack=SLACK, draws=DRAWS), style="dim"))


def _table(rows: Sequence[Sequence[Row]], titles: Mapping[str, str]) -> Table:
    ours, *baselines = rows
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column(_("phrase"), no_wrap=True)
    table.add_column("", max_width=TITLE_WIDTH)
    for name in (_("owed"), _("hits"), _("misses"), _("false"), _("an hour")):
        table.add_column(name, justify="right", no_wrap=True)
    for name in (_("precision"), _("recall"), "F1"):
        table.add_column(name, no_wrap=True)
    for baseline in baselines:
        table.add_column(f"F1 {_(SHORT.get(baseline[0].method, baseline[0].method))}", justify="right", no_wrap=True)
    for method in rows:
        whole = next(row for row in method if row.id == ALL)
        at = "" if whole.threshold is None else " " + _("from {threshold:g}").format(threshold=whole.threshold)
        style = "bold" if method is ours else ""
        table.add_row(Text(_("in all"), style=style), Text(_(whole.method) + at, style=style), *_cells(whole))
    for each, *others in by_phrase(rows):
        if each.counts != Counts():
            title = Text(printable(titles.get(each.id, "")), style="dim")
            table.add_row(each.id, title, *_cells(each), *(_share(other.counts.f1) for other in others))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    counts = row.counts
    return (
        str(counts.owed),
        str(counts.hits),
        str(counts.misses),
        str(counts.false_alarms),
        f"{row.false_alarms_an_hour:.2f}",
        _share(counts.precision, row.precision),
        _share(counts.recall, row.recall),
        _share(counts.f1, row.f1),
    )


def _share(share: float, interval: Interval | None = None) -> str:
    if isnan(share):
        return "-"
    return f"{share:.3f}" + (f" {interval[0]:.3f}-{interval[1]:.3f}" if interval else "")

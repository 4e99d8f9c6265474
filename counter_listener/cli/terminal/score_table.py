"""The scores of `eval` as one table, with an explanation of the figures below it."""

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from counter_listener.domain import N_, Interval, _, format_duration, ngettext, printable
from counter_listener.evaluation import ALL, DRAWS, SLACK, Counts, ScoreRow, rows_by_phrase

WIDTH: Final = 165
"""Characters: in a narrower terminal the lines break, so that no figure is lost."""
TITLE_WIDTH: Final = 30
"""Characters."""
SHORT: Final = {"rapidfuzz, characters": N_("characters"), "rapidfuzz, pinyin": N_("pinyin")}
"""Short names of baselines, for the column headings."""
NOTES: Final = N_("""\
A hit is a detection of the right phrase that overlaps its label, with a tolerance of {slack:g} s, for any speaker; \
each label is hit at most once.
After each share is its 95 % interval: Wilson's for precision and recall, a bootstrap over files for F1 ({draws} \
draws, fixed seed).
Each baseline has the threshold that is best for it on these files, which is an advantage; ours has its own settings.
Phrases that were not said and that ours did not find are left out.""")


def score_view(
    rows: Sequence[Sequence[ScoreRow]], titles: Mapping[str, str], files: int, seconds: float
) -> Iterator[RenderableType]:
    """The scores of each method, in all and for each phrase; `rows` are ours first, then the baselines."""
    text = ngettext("{count} file, {length} in all", "{count} files, {length} in all", files)
    yield text.format(count=files, length=format_duration(seconds))
    yield _table(rows, titles)
    yield Text(_(NOTES).format(slack=SLACK, draws=DRAWS), style="dim")


def _table(rows: Sequence[Sequence[ScoreRow]], titles: Mapping[str, str]) -> Table:
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
        name = _(whole.method)
        if whole.threshold is not None:
            name += " " + _("from {threshold:g}").format(threshold=whole.threshold)
        style = "bold" if method is ours else ""
        table.add_row(Text(_("in all"), style=style), Text(name, style=style), *_cells(whole))
    for row, *others in rows_by_phrase(rows):
        if row.counts != Counts():
            title = Text(printable(titles.get(row.id, "")), style="dim")
            table.add_row(row.id, title, *_cells(row), *(_share(other.counts.f1) for other in others))
    return table


def _cells(row: ScoreRow) -> tuple[str, ...]:
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

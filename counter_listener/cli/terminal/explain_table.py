"""Explanations as people read them: the wording over what was recognised, syllable by syllable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from counter_listener.cli.terminal.visit_table import printed
from counter_listener.domain import N_, _, format_duration, printable
from counter_listener.judging import AlignedColumn, Explanation

VERDICTS: Final = {
    "not_heard": N_("was not heard"),
    "unknown": N_("is unknown"),
    "heard": N_("was heard"),
    "forbidden": N_("was said"),
    "passes": N_("passes"),
    "excused": N_("is excused"),
    "too far": N_("does not pass"),
}
WIDTH: Final = 100
"""Characters: a narrower terminal breaks the lines rather than lose syllables."""


def explained_text(found: Sequence[Explanation], recording: str, titles: Mapping[str, str]) -> str:
    """The explanations of one recording as text; the titles are those of phrases and offences, by their ids."""
    return printed(lambda console: _show(console, found, recording, titles), WIDTH)


def _show(console: Console, found: Sequence[Explanation], recording: str, titles: Mapping[str, str]) -> None:
    if not found:
        text = _("{recording}: nothing to explain; whatever is owed was heard, or nothing was said.")
        console.print(Text(text.format(recording=recording)))
    for one in found:
        visit = _("Visit {number}").format(number=one.visit) + _(": ") if one.visit is not None else ""
        head = f"{visit}{printable(one.title)} ({one.phrase}) {_(VERDICTS.get(one.verdict, one.verdict))}{_('.')}"
        console.print(Text(head, style="bold"))
        closest = _("Closest at {time}, “{heard}” for “{wording}”:")
        console.print(
            Text("  " + closest.format(time=format_duration(one.start), heard=one.heard, wording=one.wording))
        )
        console.print(Padding(_laid_out(one.columns), (0, 0, 0, 4)))
        for line in _verdict_lines(one, titles):
            console.print(Text(f"  {line}"))


def _laid_out(columns: Sequence[AlignedColumn]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    for _column in columns:
        table.add_column(no_wrap=True, justify="center")
    marks = ["" if not one.cost else "✗" if one.cost >= 1 else "~" for one in columns]
    table.add_row(_("wording"), *(one.wanted or "-" for one in columns))
    table.add_row("", *(one.wanted_sound for one in columns), style="dim")
    table.add_row(_("recognised"), *(Text(one.heard or "-") for one in columns))
    table.add_row("", *(one.heard_sound for one in columns), style="dim")
    table.add_row("", *(Text(mark, style="red" if mark == "✗" else "yellow") for mark in marks))
    return table


def _verdict_lines(one: Explanation, titles: Mapping[str, str]) -> Iterator[str]:
    if differing := [_difference(column) for column in one.columns if column.cost]:
        yield _("Differs: {list}.").format(list=_(", ").join(differing))
    told = {"closeness": one.closeness, "line": one.line}
    if one.excused_by:
        text = _("Closeness {closeness:g}, needed here {line:g}: enough, but {list} beside it excuses it.")
        yield text.format(**told, list="、".join(one.excused_by))
    elif one.instead:
        better = _(", ").join(f"{printable(titles[owner])} ({owner})" for owner in one.instead)
        text = _("Closeness {closeness:g}, needed here {line:g}: enough, but {list} explains these words better.")
        yield text.format(**told, list=better)
    elif one.passes:
        yield _("Closeness {closeness:g}, needed here {line:g}: it passes.").format(**told)
    else:
        yield _refusal(one).format(**told, list="、".join(one.unsaid))
    if one.cure:
        yield _("With {list} heard right it would have passed.").format(list="、".join(one.cure))


def _refusal(one: Explanation) -> str:
    """Why it does not pass."""
    if one.unsaid:
        return _("Closeness {closeness:g}, which is not enough: without {list} it is another sentence.")
    if one.broken_off:
        return _("Closeness {closeness:g}, which is not enough: another phrase begins so, too.")
    if one.contrary:
        return _("Closeness {closeness:g}, which is not enough: it says the contrary, or says it of somebody else.")
    if one.torn:
        return _("Closeness {closeness:g}, which is not enough: what is missing makes it part of another sentence.")
    if one.line > 100:  # noqa: PLR2004 - a closeness is at most 100
        return _("Closeness {closeness:g}, which is not enough: so few sounds, written so, are often there by chance.")
    return _("Closeness {closeness:g}, needed here {line:g}.")


def _difference(column: AlignedColumn) -> str:
    if not column.wanted:
        return _("{heard} is put in").format(heard=column.heard)
    if not column.heard:
        return _("{wanted} is missing").format(wanted=column.wanted)
    near = _("near") if column.cost < 1 else _("another sound")
    text = _("{heard} for {wanted} ({near})")
    return text.format(heard=column.heard_sound, wanted=column.wanted_sound, near=near)

"""Explanations as people read them: the wording over what was recognised, syllable by syllable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from counter_listener.clocks import clock
from counter_listener.explain import Column, Explanation
from counter_listener.privacy import printable
from counter_listener.show import printed

VERDICTS: Final = {
    "not_heard": "was not heard",
    "unknown": "is unknown",
    "heard": "was heard",
    "passes": "passes",
    "too far": "does not pass",
}
WIDTH: Final = 100
"""Characters: a narrower terminal breaks the lines rather than lose syllables."""


def explained_text(found: Sequence[Explanation], recording: str) -> str:
    """The explanations of one recording as text."""
    return printed(lambda console: _show(console, found, recording), WIDTH)


def _show(console: Console, found: Sequence[Explanation], recording: str) -> None:
    if not found:
        console.print(Text(f"{recording}: nothing to explain; whatever is owed was heard, or nothing was said."))
    for one in found:
        visit = f"Visit {one.visit}: " if one.visit is not None else ""
        head = f"{visit}{printable(one.title)} ({one.phrase}) {VERDICTS.get(one.verdict, one.verdict)}."
        console.print(Text(head, style="bold"))
        console.print(Text(f"  Closest at {clock(one.start)}, “{one.heard}” for “{one.wording}”:"))
        console.print(Padding(_laid_out(one.columns), (0, 0, 0, 4)))
        for line in _verdict_lines(one):
            console.print(Text(f"  {line}"))


def _laid_out(columns: Sequence[Column]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    for _ in columns:
        table.add_column(no_wrap=True, justify="center")
    marks = ["" if not one.cost else "✗" if one.cost >= 1 else "~" for one in columns]
    table.add_row("wording", *(one.wanted or "-" for one in columns))
    table.add_row("", *(one.wanted_sound for one in columns), style="dim")
    table.add_row("heard", *(Text(one.heard or "-") for one in columns))
    table.add_row("", *(one.heard_sound for one in columns), style="dim")
    table.add_row("", *(Text(mark, style="red" if mark == "✗" else "yellow") for mark in marks))
    return table


def _verdict_lines(one: Explanation) -> Iterator[str]:
    if differing := [_difference(column) for column in one.columns if column.cost]:
        yield f"Differs: {', '.join(differing)}."
    if one.passes:
        yield f"Closeness {one.closeness:g}, needed here {one.line:g}: it passes."
    elif one.line > 100:  # noqa: PLR2004 - a closeness is at most 100
        yield f"Closeness {one.closeness:g}, which is not enough: so few sounds, written so, are often there by chance."
    else:
        yield f"Closeness {one.closeness:g}, needed here {one.line:g}."
    if one.cure:
        yield f"With {'、'.join(one.cure)} heard right it would have passed."


def _difference(column: Column) -> str:
    if not column.wanted:
        return f"{column.heard} is put in"
    if not column.heard:
        return f"{column.wanted} is missing"
    near = "near" if column.cost < 1 else "another sound"
    return f"{column.heard_sound} for {column.wanted_sound} ({near})"

"""Explanations as people read them: the wording above what was recognised, syllable by syllable."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

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
REFUSALS: Final = {
    "unsaid": N_("Closeness {closeness:g}, which is not enough: without {list} it is a different sentence."),
    "broken_off": N_("Closeness {closeness:g}, which is not enough: another phrase begins with the same words."),
    "contrary": N_("Closeness {closeness:g}, which is not enough: it says the opposite, or is about somebody else."),
    "torn": N_(
        "Closeness {closeness:g}, which is not enough: without the missing part it belongs to another sentence."
    ),
}
"""Why speech does not pass whatever its closeness, by the field of the explanation that says so."""
BY_CHANCE: Final = N_("Closeness {closeness:g}, which is not enough: so few syllables are often recognised by chance.")
WIDTH: Final = 100
"""Least number of characters per line: a narrower terminal wraps the lines, so that no syllable is lost."""


def explanation_view(
    explanations: Sequence[Explanation], recording: str, titles: Mapping[str, str]
) -> Iterator[RenderableType]:
    """The explanations of one recording; `titles` are those of phrases and forbidden phrases, by id."""
    if not explanations:
        text = _("{recording}: nothing to explain; every required phrase was heard, or nothing was said.")
        yield Text(text.format(recording=recording))
    for each in explanations:
        visit = _("Visit {number}").format(number=each.visit) + _(": ") if each.visit is not None else ""
        verdict = _(VERDICTS.get(each.verdict, each.verdict))
        yield Text(f"{visit}{printable(each.title)} ({each.phrase}) {verdict}{_('.')}", style="bold")
        closest = _("Closest at {time}, “{heard}” for “{wording}”:")
        closest = closest.format(time=format_duration(each.start), heard=each.heard, wording=each.wording)
        yield Text(f"  {closest}")
        yield Padding(_alignment_table(each.columns), (0, 0, 0, 4))
        for line in _reasons(each, titles):
            yield Text(f"  {line}")


def _alignment_table(columns: Sequence[AlignedColumn]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    for _column in columns:
        table.add_column(no_wrap=True, justify="center")
    marks = ["" if not each.cost else "✗" if each.cost >= 1 else "~" for each in columns]
    table.add_row(_("wording"), *(each.wanted or "-" for each in columns))
    table.add_row("", *(each.wanted_sound for each in columns), style="dim")
    table.add_row(_("recognised"), *(Text(each.heard or "-") for each in columns))
    table.add_row("", *(each.heard_sound for each in columns), style="dim")
    table.add_row("", *(Text(mark, style="red" if mark == "✗" else "yellow") for mark in marks))
    return table


def _reasons(explanation: Explanation, titles: Mapping[str, str]) -> Iterator[str]:
    """What differs, why it passes or not, and what would have passed."""
    if differences := [_difference(column) for column in explanation.columns if column.cost]:
        yield _("Differs: {list}.").format(list=_(", ").join(differences))
    text, names = _result(explanation), "、".join(explanation.unsaid)
    if explanation.excused_by:
        text = _("Closeness {closeness:g}, needed here {line:g}: enough, but {list} nearby excuses it.")
        names = "、".join(explanation.excused_by)
    elif explanation.instead:
        text = _("Closeness {closeness:g}, needed here {line:g}: enough, but {list} explains these words better.")
        names = _(", ").join(f"{printable(titles[owner])} ({owner})" for owner in explanation.instead)
    yield text.format(closeness=explanation.closeness, line=explanation.line, list=names)
    if explanation.cure:
        yield _("With {list} recognised correctly, it would have passed.").format(list="、".join(explanation.cure))


def _result(explanation: Explanation) -> str:
    """Why the closest speech passes or not, by its own sounds and words."""
    if explanation.passes:
        return _("Closeness {closeness:g}, needed here {line:g}: it passes.")
    for name, text in REFUSALS.items():
        if getattr(explanation, name):
            return _(text)
    if explanation.line > 100:  # noqa: PLR2004 - a closeness is at most 100
        return _(BY_CHANCE)
    return _("Closeness {closeness:g}, needed here {line:g}.")


def _difference(column: AlignedColumn) -> str:
    if not column.wanted:
        return _("{heard} is extra").format(heard=column.heard)
    if not column.heard:
        return _("{wanted} is missing").format(wanted=column.wanted)
    similarity = _("similar sound") if column.cost < 1 else _("different sound")
    text = _("{heard} for {wanted} ({near})")
    return text.format(heard=column.heard_sound, wanted=column.wanted_sound, near=similarity)

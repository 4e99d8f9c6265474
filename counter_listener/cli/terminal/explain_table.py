"""Explanations as people read them: the sentence looked for above what was recognised, syllable by syllable."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from counter_listener.domain import N_, _, format_duration, printable, written
from counter_listener.judging import FEATURES, AlignedColumn, Explanation

VERDICTS: Final = {
    "not_heard": N_("was not heard"),
    "unknown": N_("is unknown"),
    "heard": N_("was heard"),
    "forbidden": N_("was said"),
    "broken": N_("was broken"),
    "passes": N_("passes"),
    "excused": N_("is excused"),
    "too far": N_("does not pass"),
}
VETOES: Final = {
    "contrary": N_("it says the opposite"),
    "person": N_("it is about somebody else"),
    "fragment": N_("it is a part of another sentence"),
}
"""Why speech does not pass however close it is."""
NOTABLE: Final = 0.05
"""The least share of a feature that is shown."""
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
        closest = closest.format(
            time=format_duration(each.start), heard=written(each.heard), wording=written(each.wording)
        )
        yield Text(f"  {closest}")
        yield Padding(_alignment_table(each.columns), (0, 0, 0, 4))
        for line in _reasons(each, titles):
            yield Text(f"  {line}")


def _alignment_table(columns: Sequence[AlignedColumn]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    for _column in columns:
        table.add_column(no_wrap=True, justify="center")
    marks = ["" if each.same else "✗" if each.bits < 0 else "~" for each in columns]
    table.add_row(_("wording"), *(each.wanted or "-" for each in columns))
    table.add_row("", *(each.wanted_sound for each in columns), style="dim")
    table.add_row(_("recognised"), *(Text(each.heard or "-") for each in columns))
    table.add_row("", *(each.heard_sound for each in columns), style="dim")
    table.add_row("", *(Text(mark, style="red" if mark == "✗" else "yellow") for mark in marks))
    return table


def _reasons(explanation: Explanation, titles: Mapping[str, str]) -> Iterator[str]:
    """What differs, what counts how much, why it passes or not, and what would have passed."""
    if differences := [_difference(column) for column in explanation.columns if not column.same]:
        yield _("Differs: {list}.").format(list=_(", ").join(differences))
    if explanation.shares:
        notable = [share for share in explanation.shares.items() if abs(share[1]) >= NOTABLE]
        ranked = sorted(notable, key=lambda share: -abs(share[1]))
        listed = _(", ").join(f"{_(FEATURES.get(name, name))} {value:+.1f}" for name, value in ranked)
        yield _("Counts: {list}.").format(list=listed)
    yield _result(explanation, titles)
    if explanation.cure:
        yield _("With {list} recognised correctly, it would have passed.").format(list="、".join(explanation.cure))


def _result(explanation: Explanation, titles: Mapping[str, str]) -> str:
    """Why the closest speech passes or not."""
    needed = explanation.least is not None
    values = {name: getattr(explanation, name) for name in ("posterior", "threshold", "closeness", "least")}
    if explanation.excused_by:
        text, names = _("It was said, but {list} nearby excuses it."), "、".join(explanation.excused_by)
    elif explanation.frame:
        unsure = explanation.verdict == "unknown"
        text = _("In this frame it may be meant otherwise: {list}.") if unsure else _("It does not count here: {list}.")
        names = explanation.frame
    elif explanation.verdict == "broken":
        text, names = _("It was said without what the rule needs."), ""
    elif explanation.instead:
        text = _("It passes, but {list} explains these words better.")
        names = _(", ").join(f"{printable(titles[owner])} ({owner})" for owner in explanation.instead)
    elif explanation.veto:
        text, names = _("It does not pass: {list}."), _(VETOES[explanation.veto])
    elif explanation.passes and all(column.same for column in explanation.columns):
        text, names = _("To the letter: it passes."), ""
    elif needed and explanation.passes:
        text, names = _("Closeness {closeness:g}, needed here {least:g}: it passes."), ""
    elif needed:
        text, names = _("Closeness {closeness:g}, needed here {least:g}: it does not pass."), ""
    elif explanation.passes:
        text, names = _("Probability {posterior:.0%}, needed here {threshold:.0%}: it passes."), ""
    else:
        text, names = _("Probability {posterior:.0%}, needed here {threshold:.0%}: it does not pass."), ""
    return text.format(list=names, **values)


def _difference(column: AlignedColumn) -> str:
    if not column.wanted:
        return _("{heard} is extra").format(heard=column.heard)
    if not column.heard:
        return _("{wanted} is missing").format(wanted=column.wanted)
    if column.heard_sound == column.wanted_sound:
        return _("{heard} for {wanted} (same sound)").format(heard=column.heard, wanted=column.wanted)
    similarity = _("similar sound") if column.bits > 0 else _("different sound")
    text = _("{heard} for {wanted} ({near})")
    return text.format(heard=column.heard_sound, wanted=column.wanted_sound, near=similarity)

"""The screen beside the counter, drawn for a terminal of 80 by 24 and larger, in the language being spoken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from counter_listener.domain import N_, _, format_duration, ngettext, printable
from counter_listener.live import ClosedVisit, Day, Hint, Message, ScreenState, ShownGap, State

# The signs are ones that no Chinese terminal draws two columns wide (Unicode's East Asian Width: neutral).
MARKS: Final = {"heard": ("✓", "green"), "guessed": ("✓", "dim green"), "open": ("-", "dim")}
QUIET_DB, LOUD_DB, CLIP_DB = -60.0, -20.0, -1.0
"""Where the level's bar begins, is in the middle of what is good, and is too loud."""
BAR: Final = 10
BETWEEN: Final = "  "
"""Two titles of a line."""
SHOWN_EXTRA: Final = 4
"""Recommended phrases that a stage shows, the newest."""
SHOWN_OFFENCES: Final = 3
SHOWN_LOSSES: Final = 2

STATES: Final[Mapping[State, str]] = {
    "starting": N_("starting"),
    "listening": N_("listening"),
    "restarting": N_("restarting"),
    "stopped": N_("stopped"),
}


class Screen:
    """The whole board as one renderable, cut to the terminal's height with the foot always shown."""

    def __init__(self, board: ScreenState, now: str) -> None:
        self.board, self.now = board, now

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = options.height or console.height
        head = _lines(console, options, _head(self.board, self.now))
        foot = _lines(console, options, Group(*_foot(self.board)))
        body = _lines(console, options, Group(*_body(self.board)))
        room = max(0, height - len(head) - len(foot))
        body = (body + [[] for _ in range(room)])[:room]
        lines = (head + body + foot)[:height]
        for index, line in enumerate(lines):
            yield from line
            if index < len(lines) - 1:
                yield Segment.line()


def _lines(console: Console, options: ConsoleOptions, what: RenderableType) -> list[list[Segment]]:
    return console.render_lines(what, options.update(height=None), pad=True)


def _head(board: ScreenState, now: str) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(no_wrap=True, justify="right")
    style = {"listening": "green", "restarting": "yellow"}.get(board.state, "dim")
    name = _("Counter {name}").format(name=printable(board.counter)) if board.counter else "Counter Listener"
    left = Text.assemble((name, "bold"), "  ", ("◉ ", style), (_(STATES[board.state]), style))
    right = Text.assemble((f"{_('mic')} ", "dim"), level_bar(board.level), "  ", (now, "dim"))
    grid.add_row(left, right)
    return Group(grid, Rule(style="cyan"))


def level_bar(level: float) -> Text:
    """The microphone's peak as a bar and in decibels."""
    filled = round(BAR * min(1.0, max(0.0, (level - QUIET_DB) / -QUIET_DB)))
    style = "red" if level > CLIP_DB else "green" if level > LOUD_DB - 25 else "yellow"
    return Text.assemble(("▮" * filled, style), ("▯" * (BAR - filled), "dim"), f" {level:4.0f} dB")


def _body(board: ScreenState) -> Iterator[RenderableType]:
    visit = board.visit
    if visit is None:
        yield Text(_("Nobody at the counter. A greeting, or the space key, begins a visit."), style="dim")
    else:
        number = _("Visit {number}").format(number=visit.number)
        yield Text(f"{number}  {format_duration(max(0.0, board.at - visit.opened))}", style="bold")
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(ratio=1)
    for stage in board.shown_stages():
        table.add_row(printable(stage["title"]), _phrases(board, stage))
    if board.standard.get("words"):
        table.add_row(_("Courtesy"), _marked(board, [(one["id"], one["title"]) for one in board.standard["words"]]))
    yield table
    yield Text()
    for hint in board.hints():
        yield Text(f"➜ {_hint(hint)}", style="bold yellow")
    for offence in visit.offences[-SHOWN_OFFENCES:] if visit else ():
        text = _("Mind the words: {title}") if offence.sure else _("Perhaps the customer's words: {title}")
        yield Text(f"◦ {text.format(title=printable(offence.title))}", style="magenta" if offence.sure else "dim")
    if visit and visit.lost:
        yield Text(_("Audio was lost in this visit: what was not heard does not count as not said"), style="yellow")


def _phrases(board: ScreenState, stage: Message) -> Marks:
    """What is owed in a stage, and the newest of what was said beyond it."""
    owed = [(one["id"], one["title"]) for one in stage["phrases"] if one["required"]]
    extra = [(one["id"], one["title"]) for one in stage["phrases"] if not one["required"]]
    said = [one for one in extra if board.mark(one[0]) != "open"]
    heard = board.visit.heard if board.visit else {}
    newest = sorted(said, key=lambda one: heard.get(one[0], float("inf")))[-SHOWN_EXTRA:]
    return _marked(board, owed + newest)


def _marked(board: ScreenState, named: list[tuple[str, str]]) -> Marks:
    texts = []
    for owner, title in named:
        mark, style = MARKS[board.mark(owner)]
        texts.append(Text.assemble((f"{mark} ", style), (printable(title), "" if style == "green" else "dim")))
    return Marks(texts)


class Marks:
    """Titles with their marks, as many a line as fit whole: none is broken in two, or parted from its mark."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self.texts = texts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for text in self.texts:
            if line and line.cell_len + len(BETWEEN) + text.cell_len > options.max_width:
                yield line
                line = Text()
            line.append(BETWEEN if line else "").append_text(text)
        yield line


def _foot(board: ScreenState) -> Iterator[RenderableType]:
    yield _one_line((_("Just heard: "), "dim"), (printable(board.just_said()), "italic"))
    if board.trouble:
        yield _one_line((f"! {printable(_(board.trouble))}", "bold yellow"))
    for loss in board.losses[-SHOWN_LOSSES:]:
        yield _one_line((loss_text(board, loss), "yellow"))
    yield Rule(style="cyan")
    if board.last:
        yield _one_line((_("Last visit: "), "dim"), *closed_text(board.last))
    yield _one_line((day_text(board.day), ""))
    yield _one_line((_("space: open/close a visit   q: leave"), "dim"))


def _one_line(*parts: tuple[str, str]) -> Text:
    text = Text.assemble(*parts, no_wrap=True, overflow="ellipsis")
    text.truncate(10_000)
    return text


def _hint(hint: Hint) -> str:
    title, say = printable(hint.title), printable(hint.say)
    if say:
        return _("Not heard yet: {title}, such as “{say}”").format(title=title, say=say)
    return _("Not heard yet: {title}").format(title=title)


def loss_text(board: ScreenState, loss: ShownGap) -> str:
    """A gap in one line."""
    text = _("{time} lost {seconds:.0f} s: {reason}") if loss.seconds else _("{time} lost: {reason}")
    return text.format(time=board.wall(loss.at), seconds=loss.seconds, reason=printable(_(loss.reason)))


def closed_text(visit: ClosedVisit) -> Iterator[tuple[str, str]]:
    """A closed visit in one line: what was owed, never what a customer said."""
    if visit.score is None:
        yield _("no score"), "yellow"
    else:
        score = _("{score:g} {grade}").format(score=visit.score, grade=visit.grade)
        yield score.strip(), "green" if visit.passed else "red"
    if visit.missed:
        yield "  " + _("not heard: {titles}").format(titles=_listed(visit.missed)), "red"
    if visit.unknown:
        yield "  " + _("cannot be told: {titles}").format(titles=_listed(visit.unknown)), "yellow"
    if visit.lost:
        yield _(" (audio was lost)"), "yellow"


def _listed(titles: Iterable[str]) -> str:
    return "、".join(map(printable, titles))


def day_text(day: Day) -> str:
    """The day so far in one line."""
    visits = ngettext("Today: {count} visit, {passed} passed", "Today: {count} visits, {passed} passed", day.visits)
    mean = _(", mean {mean:.1f}").format(mean=day.points / day.scored) if day.scored else ""
    offences = _(", {count} forbidden").format(count=day.offences)
    return visits.format(count=day.visits, passed=day.passed) + mean + offences

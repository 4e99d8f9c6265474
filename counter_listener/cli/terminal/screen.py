"""The live screen at the counter, for a terminal of 80 by 24 and larger; its keys, and the log lines without it."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, Final

from prompt_toolkit.input import create_input
from prompt_toolkit.keys import Keys
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.segment import SegmentLines
from rich.table import Table
from rich.text import Text

from counter_listener.domain import N_, OUTCOMES, _, format_duration, ngettext, printable
from counter_listener.live import ClosedVisit, Message, ScreenState, ShownGap

# These signs have the East Asian Width "neutral": no Chinese terminal draws them two columns wide.
MARKS: Final = {"heard": ("✓", "green"), "guessed": ("✓", "dim green"), "open": ("-", "dim")}
QUIET_DB, GOOD_DB, CLIP_DB = -60.0, -45.0, -1.0
"""Where the level bar begins, where a level is good, and where it is too loud."""
BAR: Final = 10
"""Length of the level bar, in characters."""
UNJUDGED: Final[Mapping[str, str]] = {name: OUTCOMES[name] for name in ("not_understood", "no_service")}
"""What stands in the place of the score, by the outcome of a visit."""
SEPARATOR: Final = "  "
SHOWN_RECOMMENDED: Final = 4
"""Recommended phrases that a stage shows, the latest heard."""
SHOWN_OFFENCES: Final = 3
SHOWN_GAPS: Final = 2

ORDERS: Final = {" ": "space", "q": "stop", "Q": "stop", Keys.ControlC.value: "stop"}
"""The order for each key. Ctrl-C is a key in raw mode."""
STATES: Final = (N_("starting"), N_("listening"), N_("restarting"), N_("stopped"))
"""The states of the screen, for the catalogue."""


class Screen:
    """The whole screen; the body is cut to the height of the terminal, so that the foot is always shown."""

    def __init__(self, state: ScreenState, now: str) -> None:
        self.state, self.now = state, now

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        head, body, foot = (
            console.render_lines(Group(*part), options.update(height=None), pad=True)
            for part in (_head(self.state, self.now), _body(self.state), _foot(self.state))
        )
        room = max(0, (options.height or console.height) - len(head) - len(foot))
        yield SegmentLines(head + (body + [[]] * room)[:room] + foot, new_lines=True)


def _head(state: ScreenState, now: str) -> Iterator[RenderableType]:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(no_wrap=True, justify="right")
    style = {"listening": "green", "restarting": "yellow"}.get(state.state, "dim")
    name = _counter(state) or "Counter Listener"
    left = Text.assemble((name, "bold"), "  ", ("◉ ", style), (_(state.state), style))
    right = Text.assemble((f"{_('mic')} ", "dim"), level_bar(state.level), "  ", (now, "dim"))
    grid.add_row(left, right)
    yield grid
    yield Rule(style="cyan")


def _counter(state: ScreenState) -> str:
    return _("Counter {name}").format(name=printable(state.counter)) if state.counter else ""


def level_bar(level: float) -> Text:
    """The microphone's peak level as a bar and in decibels."""
    filled = round(BAR * min(1.0, max(0.0, (level - QUIET_DB) / -QUIET_DB)))
    style = "red" if level > CLIP_DB else "green" if level > GOOD_DB else "yellow"
    return Text.assemble(("▮" * filled, style), ("▯" * (BAR - filled), "dim"), f" {level:4.0f} dB")


def _body(state: ScreenState) -> Iterator[RenderableType]:
    visit = state.visit
    if visit is None:
        yield Text(_("Nobody at the counter. A greeting or the space key begins a visit."), style="dim")
    else:
        number = _("Visit {number}").format(number=visit.number)
        yield Text(f"{number}  {format_duration(max(0.0, state.at - visit.opened))}", style="bold")
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(ratio=1)
    for stage in state.shown_stages():
        table.add_row(printable(stage["title"]), MarkedTitles(state, _shown_phrases(state, stage)))
    if words := state.standard.get("words"):
        table.add_row(_("Courtesy"), MarkedTitles(state, words))
    yield table
    yield Text()
    for hint in state.hints():
        text = _("Not heard yet: {title}, such as “{say}”") if hint.say else _("Not heard yet: {title}")
        text = text.format(title=printable(hint.title), say=printable(hint.say))
        yield Text(f"➜ {text}", style="bold yellow")
    for offence in visit.offences[-SHOWN_OFFENCES:] if visit else ():
        text = _("Mind the words: {title}") if offence.sure else _("Perhaps the customer's words: {title}")
        yield Text(f"◦ {text.format(title=printable(offence.title))}", style="magenta" if offence.sure else "dim")
    if visit and visit.lost:
        yield Text(_("Audio was lost in this visit: what was not heard does not count as not said"), style="yellow")


def _shown_phrases(state: ScreenState, stage: Message) -> list[Message]:
    """The required phrases of a stage, and the recommended ones that were heard last."""
    heard = state.visit.heard if state.visit else {}
    recommended = [each for each in stage["phrases"] if not each["required"] and state.mark(each["id"]) != "open"]
    latest = sorted(recommended, key=lambda each: heard.get(each["id"], float("inf")))[-SHOWN_RECOMMENDED:]
    return [each for each in stage["phrases"] if each["required"]] + latest


class MarkedTitles:
    """Phrases or courtesy words with their marks, as many per line as fit; none is separated from its mark."""

    def __init__(self, state: ScreenState, shown: Iterable[Message]) -> None:
        self.state, self.shown = state, shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for each in self.shown:
            mark, style = MARKS[self.state.mark(each["id"])]
            title = Text.assemble((f"{mark} ", style), (printable(each["title"]), "" if style == "green" else "dim"))
            if line and line.cell_len + len(SEPARATOR) + title.cell_len > options.max_width:
                yield line
                line = Text()
            line.append(SEPARATOR if line else "").append_text(title)
        yield line


def _foot(state: ScreenState) -> Iterator[RenderableType]:
    yield _one_line((_("Just heard: "), "dim"), (printable(state.recent_words()), "italic"))
    if state.trouble:
        yield _one_line((f"! {printable(_(state.trouble))}", "bold yellow"))
    for gap in state.losses[-SHOWN_GAPS:]:
        yield _one_line((_gap_text(state, gap), "yellow"))
    yield Rule(style="cyan")
    if state.last:
        yield _one_line((_("Last visit: "), "dim"), *_closed_parts(state.last))
    day = state.day
    visits = ngettext("Today: {count} visit, {passed} passed", "Today: {count} visits, {passed} passed", day.visits)
    mean = _(", mean {mean:.1f}").format(mean=day.points / day.scored) if day.scored else ""
    offences = _(", {count} forbidden").format(count=day.offences)
    yield _one_line((visits.format(count=day.visits, passed=day.passed) + mean + offences, ""))
    yield _one_line((_("space: open/close a visit   q: quit"), "dim"))


def _one_line(*parts: tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _gap_text(state: ScreenState, gap: ShownGap) -> str:
    text = _("{time} lost {seconds:.0f} s: {reason}") if gap.seconds else _("{time} lost: {reason}")
    return text.format(time=state.time_of_day(gap.at), seconds=gap.seconds, reason=printable(_(gap.reason)))


def _closed_parts(visit: ClosedVisit) -> Iterator[tuple[str, str]]:
    """A closed visit as parts of a line with their styles, without any words of the customer."""
    if visit.outcome in UNJUDGED:
        yield _(UNJUDGED[visit.outcome]), "yellow"
        return
    if visit.score is None:
        yield _("no score"), "yellow"
    else:
        score = _("{score:g} {grade}").format(score=visit.score, grade=visit.grade)
        yield score.strip(), "green" if visit.passed else "red"
    if visit.missed:
        yield "  " + _("not heard: {titles}").format(titles=_joined(visit.missed)), "red"
    if visit.unknown:
        yield "  " + _("cannot be told: {titles}").format(titles=_joined(visit.unknown)), "yellow"
    if visit.lost:
        yield _(" (audio was lost)"), "yellow"


def _joined(titles: Iterable[str]) -> str:
    return "、".join(map(printable, titles))


def visit_line(change: ClosedVisit | ShownGap | None, state: ScreenState) -> str:
    """A closed visit as one line of the log; empty for everything else."""
    if not isinstance(change, ClosedVisit):
        return ""
    date = f"{state.started.astimezone():%Y-%m-%d} " if state.started else ""
    offences = _("forbidden {forbidden}, rules broken {broken}").format(
        forbidden=change.counts["forbidden"], broken=change.counts["broken"]
    )
    parts = (
        date + state.time_of_day(change.at),
        *filter(None, [_counter(state)]),
        _("Visit {number}").format(number=change.number),
        format_duration(max(0.0, change.at - change.opened)),
        "".join(text for text, _style in _closed_parts(change)),
        offences,
    )
    return "  ".join(parts)


def visit_facts(change: ClosedVisit | ShownGap | None) -> dict[str, Any]:
    """The same for programs: numbers alone."""
    if not isinstance(change, ClosedVisit):
        return {}
    return {
        "visit": change.number,
        "seconds": round(max(0.0, change.at - change.opened), 1),
        "outcome": change.outcome,
        "score": change.score,
        "passed": change.passed,
        "not_heard": len(change.missed),
        "unknown": len(change.unknown),
        "forbidden": change.counts["forbidden"],
        "broken": change.counts["broken"],
        "incomplete": bool(change.lost),
    }


def warning_line(message: Message, change: ClosedVisit | ShownGap | None, state: ScreenState, now: datetime) -> str:
    """A gap, a restart, a problem or the end of one as one line of the log; empty for everything else."""
    if isinstance(change, ShownGap):
        return f"{now:%Y-%m-%d} {_gap_text(state, change)}"
    if "restarting" in message:
        text = _("trying again in {seconds:.0f} s: {reason}")
        text = text.format(seconds=message["in"], reason=_(message["restarting"]))
    elif "trouble" in message:
        text = _(message["trouble"])
    elif "standard" in message:
        text = _("listening: {device}, model {model}").format(device=message["device"], model=message["model"])
    else:
        return ""
    return f"{now:%Y-%m-%d %H:%M:%S}  {printable(text)}"


@contextmanager
def key_orders() -> Iterator[Callable[[], list[str]]]:
    """Yields a function that returns the orders of the keys pressed since its last call: "space" or "stop".

    Within the block the terminal is in raw mode, in which Ctrl-C is a key and not a signal; output is processed as
    usual. If standard input is not a terminal, no key is read.
    """
    if not sys.stdin.isatty():
        yield list
        return
    with closing(create_input(sys.stdin)) as terminal, terminal.raw_mode():
        yield lambda: [ORDERS[pressed.key] for pressed in terminal.read_keys() if pressed.key in ORDERS]

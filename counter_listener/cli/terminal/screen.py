"""The live screen at the counter, for a terminal of 80 by 24 and larger; its keys, and the log lines without it."""

import sys
from collections.abc import Callable, Iterable, Iterator
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

from counter_listener.cli.terminal.day import closed_parts, day_line
from counter_listener.domain import N_, _, format_duration, printable, written
from counter_listener.live import ClosedVisit, Message, ScreenState, ShownGap

# These signs have the East Asian Width "neutral": no Chinese terminal draws them two columns wide.
MARKS: Final = {"heard": ("✓", "green"), "guessed": ("✓", "dim green"), "open": ("-", "dim")}
QUIET_DB, GOOD_DB, CLIP_DB = -60.0, -45.0, -1.0
"""Where the level bar begins, where a level is good, and where it is too loud."""
BAR: Final = 10
"""Length of the level bar, in characters."""
SEPARATOR: Final = "  "
SHOWN_RECOMMENDED: Final = 4
"""Recommended phrases that a stage shows, the latest heard."""
SHOWN_ADVICE: Final = 2
SHOWN_GAPS: Final = 2
LOW: Final = 20
"""Lines of a terminal in which each part of the foot has one line only."""
HIGH: Final = 30
"""Lines of a terminal with room for four, and for the visits before the last."""

ORDERS: Final = {
    " ": "space",
    "n": "wrong",
    "N": "wrong",
    "u": "undo",
    "U": "undo",
    "q": "stop",
    "Q": "stop",
    Keys.ControlC.value: "stop",
}
"""The order for each key. Ctrl-C is a key in raw mode."""
LOST_HERE: Final = N_("Audio was lost in this visit: what was not heard does not count as not said")
STATES: Final = (N_("starting"), N_("listening"), N_("restarting"), N_("stopped"))
"""The states of the screen, for the catalogue."""


class Screen:
    """The whole screen. What room is left holds the visits before the last one; if there is none, the body is cut, so
    that the foot is always shown.
    """

    def __init__(self, state: ScreenState, now: str, link: str = "") -> None:
        self.state, self.now, self.link = state, now, link

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = options.height or console.height
        lines = 1 if height <= LOW else 2 if height < HIGH else 4
        head, body, foot, earlier, day = (
            console.render_lines(Group(*part), options.update(height=None), pad=True)
            for part in (
                _head(self.state, self.now),
                _body(self.state),
                _foot(self.state, lines),
                _earlier_visits(self.state),
                _day(self.state, lines, self.link),
            )
        )
        room = max(0, height - len(head) - len(foot) - len(day))
        spare = max(0, room - len(body) - 1) if height >= HIGH else 0
        earlier = earlier[: spare if len(earlier) > spare else None]
        room -= len(earlier)
        yield SegmentLines(head + (body + [[]] * room)[:room] + foot + earlier + day, new_lines=True)


def _head(state: ScreenState, now: str) -> Iterator[RenderableType]:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(no_wrap=True, justify="right")
    style = {"listening": "green", "restarting": "yellow"}.get(state.state, "dim")
    name = counter_name(state) or "Counter Listener"
    left = Text.assemble((name, "bold"), "  ", ("◉ ", style), (_(state.state), style))
    sign = f"◉ {_('keeping clips')}  " if state.keeping else ""  # on the right, where a long name cannot hide it
    right = Text.assemble((sign, "bold red"), (f"{_('mic')} ", "dim"), level_bar(state.level), "  ", (now, "dim"))
    grid.add_row(left, right)
    yield grid
    yield Rule(style="cyan")


def counter_name(state: ScreenState) -> str:
    """The counter, if it has a name."""
    return _("Counter {name}").format(name=printable(state.counter)) if state.counter else ""


def level_bar(level: float) -> Text:
    """The microphone's peak level as a bar and in decibels."""
    filled = round(BAR * min(1.0, max(0.0, (level - QUIET_DB) / -QUIET_DB)))
    style = "red" if level > CLIP_DB else "green" if level > GOOD_DB else "yellow"
    return Text.assemble(("▮" * filled, style), ("▯" * (BAR - filled), "dim"), f" {level:4.0f} dB")


def _body(state: ScreenState) -> Iterator[RenderableType]:
    visit = state.visit
    yield Text(visit_title(state), style="bold" if visit else "dim")
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(ratio=1)
    for stage in state.shown_stages():
        table.add_row(printable(stage["title"]), MarkedTitles(state, shown_phrases(state, stage)))
    if words := state.standard.get("words"):
        table.add_row(_("Courtesy"), MarkedTitles(state, words))
    yield table
    yield Text()
    if hint := hint_text(state):
        yield Text(f"➜ {hint}", style="bold yellow")
    for better in advice_shown(state):
        yield Text(f"◦ {better}", style="cyan")
    if visit and visit.lost:
        yield Text(_(LOST_HERE), style="yellow")


def visit_title(state: ScreenState) -> str:
    """The number of the open visit and how long it has lasted; or that there is none."""
    if state.visit is None:
        return _("Nobody at the counter. A greeting or the space key begins a visit.")
    number = _("Visit {number}").format(number=state.visit.number)
    return f"{number}  {format_duration(max(0.0, state.at + state.waited - state.visit.opened))}"


def hint_text(state: ScreenState) -> str:
    """The one hint; empty for none."""
    hint = state.hint()
    if hint is None:
        return ""
    text = _("Now: {title}, such as “{say}”") if hint.say else _("Now: {title}")
    return text.format(title=printable(hint.title), say=printable(hint.say))


def advice_shown(state: ScreenState) -> list[str]:
    """What to say instead of an offence: in the visit or after it, as the settings say."""
    advice: Iterable[str] = ()
    if state.when_advised == "during":
        advice = filter(None, [state.advice()])
    elif state.when_advised == "after" and state.visit is None and state.last:
        advice = state.last.better[-SHOWN_ADVICE:]
    return [_("Better: “{say}”").format(say=printable(better)) for better in advice]


def shown_phrases(state: ScreenState, stage: Message) -> list[Message]:
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


def _foot(state: ScreenState, lines: int) -> Iterator[RenderableType]:
    """The foot; each part of it has at most so many lines."""
    yield Lines(lines, (_("Just heard: "), "dim"), (printable(written(state.recent_words())), "italic"), is_tail=True)
    if state.trouble:
        yield Lines(lines, (f"! {printable(_(state.trouble))}", "bold yellow"))
    for gap in state.losses[-SHOWN_GAPS:]:
        yield Lines(lines, (gap_text(state, gap), "yellow"))
    yield Rule(style="cyan")
    if state.last:
        yield Lines(lines, (_("Last visit: "), "dim"), *closed_parts(state.last))


def _day(state: ScreenState, lines: int, link: str) -> Iterator[RenderableType]:
    """The end of the foot: the day, a mark that can be taken back, the address of the page, and the keys."""
    yield Lines(lines, (day_line(state.day), ""))
    if state.can_undo():
        text = _("Marked as wrong: {title}. u: take it back")
        yield Lines(1, (text.format(title=printable(state.marked)), "bold cyan"))
    if link:
        yield Lines(1, (_("The page is here: {link}").format(link=link), "dim"))
    yield Lines(1, (_("space: open/close a visit   n: not me, or wrong   q: quit"), "dim"))


def _earlier_visits(state: ScreenState) -> Iterator[RenderableType]:
    """The visits before the last one, the newest first, a line each."""
    for visit in reversed(state.closed[:-1]):
        time = state.time_of_day(visit.at) or f"{visit.number}"
        yield Lines(1, (f"{time}  ", "dim"), *closed_parts(visit))


class Lines:
    """A text in at most so many lines; what is too long loses its end, or its beginning if the end is the newest."""

    def __init__(self, most: int, *parts: tuple[str, str], is_tail: bool = False) -> None:
        self.most, self.parts, self.is_tail = most, parts, is_tail

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text, width = Text.assemble(*self.parts), options.max_width
        if self.is_tail and text.cell_len > width * self.most:
            (title, style), (words, words_style) = self.parts
            room = width * self.most - Text(title).cell_len - self.most - 1  # a wide character may not fit a line
            while Text(words).cell_len > room:
                words = words[max(1, (Text(words).cell_len - room) // 2) :]
            text = Text.assemble((title, style), (f"…{words}", words_style))
        lines = text.wrap(console, width)
        if len(lines) > self.most:
            rest = Text().join(lines[self.most - 1 :])
            rest.truncate(width, overflow="ellipsis")
            yield from lines[: self.most - 1]
            yield rest
        else:
            yield from lines


def gap_text(state: ScreenState, gap: ShownGap) -> str:
    """When how much sound was lost, and why."""
    text = _("{time} lost {seconds:.0f} s: {reason}") if gap.seconds else _("{time} lost: {reason}")
    return text.format(time=state.time_of_day(gap.at), seconds=gap.seconds, reason=printable(_(gap.reason)))


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
        *filter(None, [counter_name(state)]),
        _("Visit {number}").format(number=change.number),
        format_duration(max(0.0, change.at - change.opened)),
        "".join(text for text, _style in closed_parts(change)),
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
        return f"{now:%Y-%m-%d} {gap_text(state, change)}"
    if "restarting" in message:
        text = _("trying again in {seconds:.0f} s: {reason}")
        text = text.format(seconds=message["in"], reason=_(message["restarting"]))
    elif "trouble" in message:
        text = _(message["trouble"])
    elif message.get("keeping"):
        text = _("keeping clips")
    elif "standard" in message:
        text = _("listening: {device}, model {model}").format(device=message["device"], model=message["model"])
    else:
        return ""
    return f"{now:%Y-%m-%d %H:%M:%S}  {printable(text)}"


@contextmanager
def key_orders() -> Iterator[Callable[[], list[str]]]:
    """Yields a function that returns the orders of the keys pressed since its last call, as in ORDERS.

    Within the block the terminal is in raw mode, in which Ctrl-C is a key and not a signal; output is processed as
    usual. If standard input is not a terminal, no key is read.
    """
    if not sys.stdin.isatty():
        yield list
        return
    with closing(create_input(sys.stdin)) as terminal, terminal.raw_mode():
        yield lambda: [ORDERS[pressed.key] for pressed in terminal.read_keys() if pressed.key in ORDERS]

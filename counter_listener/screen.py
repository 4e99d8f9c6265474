"""The screen beside the counter, drawn for a terminal of 80 by 24 and larger, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from counter_listener.board import Board, Closed, Loss, Message
from counter_listener.clocks import clock
from counter_listener.privacy import printable

# The signs are ones that no Chinese terminal draws two columns wide (Unicode's East Asian Width: neutral).
MARKS: Final = {"heard": ("✓", "green"), "guessed": ("✓", "dim green"), "open": ("-", "dim")}
QUIET_DB, LOUD_DB, CLIP_DB = -60.0, -20.0, -1.0
"""Where the level's bar begins, is in the middle of what is good, and is too loud."""
BAR: Final = 10
SHOWN_EXTRA: Final = 4
"""Recommended phrases that a stage shows, the newest."""
SHOWN_OFFENCES: Final = 3
SHOWN_LOSSES: Final = 2

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "counter": "柜台",
        "starting": "正在启动",
        "listening": "正在聆听",
        "restarting": "正在重启",
        "stopped": "已停止",
        "mic": "麦克风",
        "no_visit": "暂无客户。听到问候语或按空格键，开始一次接待。",
        "visit": "第 {} 位客户",
        "words": "文明用语",
        "hint": "还没有听到“{}”",
        "say": "，可以说：“{}”",
        "offence": "请留意：{}",
        "offence_unsure": "也许是客户说的：{}",
        "said": "刚听到：",
        "gap": "{} 漏听 {}：{}",
        "gap_short": "{} 漏听：{}",
        "seconds": "{:.0f} 秒",
        "lost_now": "本次接待有漏听：没听到的不算没说",
        "last": "上一位：",
        "score": "{:g} 分 {}",
        "no_score": "无法评分",
        "missed": "没有听到：{}",
        "unknown": "无法判断：{}",
        "day": "今天：接待 {} 次，合格 {} 次",
        "mean": "，平均 {:.1f} 分",
        "offences": "，不当用语 {} 次",
        "keys": "空格 开始/结束接待   q 退出",
        "lost": "（有漏听）",
    },
    "en": {
        "counter": "Counter",
        "starting": "starting",
        "listening": "listening",
        "restarting": "restarting",
        "stopped": "stopped",
        "mic": "mic",
        "no_visit": "Nobody at the counter. A greeting, or the space key, begins a visit.",
        "visit": "Visit {}",
        "words": "Courtesy",
        "hint": "Not heard yet: {}",
        "say": ", such as “{}”",
        "offence": "Mind the words: {}",
        "offence_unsure": "Perhaps the customer's words: {}",
        "said": "Just heard: ",
        "gap": "{} lost {}: {}",
        "gap_short": "{} lost: {}",
        "seconds": "{:.0f} s",
        "lost_now": "Audio was lost in this visit: what was not heard does not count as not said",
        "last": "Last visit: ",
        "score": "{:g} {}",
        "no_score": "no score",
        "missed": "not heard: {}",
        "unknown": "cannot be told: {}",
        "day": "Today: {} visits, {} passed",
        "mean": ", mean {:.1f}",
        "offences": ", {} forbidden",
        "keys": "space: open/close a visit   q: leave",
        "lost": " (audio was lost)",
    },
}
REASONS: Final = {
    "the listener used too much memory and was started anew": "占用内存过多，已重新启动",
    "the listener hung and was started anew": "停止响应，已重新启动",
    "the listener died and was started anew": "意外退出，已重新启动",
    "the microphone was away": "麦克风不在",
    "the computer could not keep up, and this was not listened to": "电脑太忙，来不及听",
    "the sound system dropped this before it reached the listener": "声音系统丢失了数据",
    "the microphone gave no sound for a while": "麦克风暂时没有声音",
    "the microphone gave nothing but zeros: is it muted or unplugged?": "麦克风只有静音：是否被关闭或拔出？",
    "The microphone stopped: was it unplugged?": "麦克风停止了：是否被拔出？",
}
"""What a gap says of itself, for a Chinese screen."""


def language(asked: str, standard: Message) -> str:
    """`zh` or `en`: as asked, else that of the phrase set."""
    if asked in WORDS:
        return asked
    return "en" if standard.get("language", "zh") != "zh" else "zh"


class Screen:
    """The whole board as one renderable, cut to the terminal's height with the foot always shown."""

    def __init__(self, board: Board, asked: str, now: str) -> None:
        self.board, self.asked, self.now = board, asked, now

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        words = WORDS[language(self.asked, self.board.standard)]
        height = options.height or console.height
        head = _lines(console, options, _head(self.board, words, self.now))
        foot = _lines(console, options, Group(*_foot(self.board, words)))
        body = _lines(console, options, Group(*_body(self.board, words)))
        room = max(0, height - len(head) - len(foot))
        body = (body + [[] for _ in range(room)])[:room]
        lines = (head + body + foot)[:height]
        for index, line in enumerate(lines):
            yield from line
            if index < len(lines) - 1:
                yield Segment.line()


def _lines(console: Console, options: ConsoleOptions, what: RenderableType) -> list[list[Segment]]:
    return console.render_lines(what, options.update(height=None), pad=True)


def _head(board: Board, words: Mapping[str, str], now: str) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(no_wrap=True, justify="right")
    style = {"listening": "green", "restarting": "yellow"}.get(board.state, "dim")
    name = f"{words['counter']} {printable(board.counter)}".strip() if board.counter else "Counter Listener"
    left = Text.assemble((name, "bold"), "  ", ("◉ ", style), (words[board.state], style))
    right = Text.assemble((f"{words['mic']} ", "dim"), level_bar(board.level), "  ", (now, "dim"))
    grid.add_row(left, right)
    return Group(grid, Rule(style="cyan"))


def level_bar(level: float) -> Text:
    """The microphone's peak as a bar and in decibels."""
    filled = round(BAR * min(1.0, max(0.0, (level - QUIET_DB) / -QUIET_DB)))
    style = "red" if level > CLIP_DB else "green" if level > LOUD_DB - 25 else "yellow"
    return Text.assemble(("▮" * filled, style), ("▯" * (BAR - filled), "dim"), f" {level:4.0f} dB")


def _body(board: Board, words: Mapping[str, str]) -> Iterator[RenderableType]:
    visit = board.visit
    if visit is None:
        yield Text(words["no_visit"], style="dim")
    else:
        yield Text(f"{words['visit'].format(visit.number)}  {clock(max(0.0, board.at - visit.opened))}", style="bold")
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(ratio=1)
    for stage in board.shown_stages():
        table.add_row(printable(stage["title"]), _phrases(board, stage))
    if board.standard.get("words"):
        table.add_row(words["words"], _marked(board, [(one["id"], one["title"]) for one in board.standard["words"]]))
    yield table
    yield Text()
    for hint in board.hints():
        say = words["say"].format(printable(hint.say)) if hint.say else ""
        yield Text(f"➜ {words['hint'].format(printable(hint.title))}{say}", style="bold yellow")
    for offence in visit.offences[-SHOWN_OFFENCES:] if visit else ():
        text = words["offence" if offence.sure else "offence_unsure"].format(printable(offence.title))
        yield Text(f"◦ {text}", style="magenta" if offence.sure else "dim")
    if visit and visit.lost:
        yield Text(words["lost_now"], style="yellow")


def _phrases(board: Board, stage: Message) -> Text:
    """What is owed in a stage, and the newest of what was said beyond it."""
    owed = [(one["id"], one["title"]) for one in stage["phrases"] if one["required"]]
    extra = [(one["id"], one["title"]) for one in stage["phrases"] if not one["required"]]
    said = [one for one in extra if board.mark(one[0]) != "open"]
    heard = board.visit.heard if board.visit else {}
    newest = sorted(said, key=lambda one: heard.get(one[0], float("inf")))[-SHOWN_EXTRA:]
    return _marked(board, owed + newest)


def _marked(board: Board, named: list[tuple[str, str]]) -> Text:
    line = Text()
    for owner, title in named:
        mark, style = MARKS[board.mark(owner)]
        # a title is never broken in two: its spaces do not break
        line.append(f"{mark} ", style=style).append(f"{printable(title)}  ", style="" if style == "green" else "dim")
    return line


def _foot(board: Board, words: Mapping[str, str]) -> Iterator[RenderableType]:
    chinese = words is WORDS["zh"]
    yield _one_line((words["said"], "dim"), (printable(board.just_said()), "italic"))
    if board.trouble:
        yield _one_line((f"! {printable(_reason(board.trouble, chinese=chinese))}", "bold yellow"))
    for loss in board.losses[-SHOWN_LOSSES:]:
        yield _one_line((loss_text(board, loss, words), "yellow"))
    yield Rule(style="cyan")
    if board.last:
        yield _one_line((words["last"], "dim"), *closed_text(board.last, words))
    yield _one_line((day_text(board, words), ""))
    yield _one_line((words["keys"], "dim"))


def _one_line(*parts: tuple[str, str]) -> Text:
    text = Text.assemble(*parts, no_wrap=True, overflow="ellipsis")
    text.truncate(10_000)
    return text


def loss_text(board: Board, loss: Loss, words: Mapping[str, str]) -> str:
    """A gap in one line."""
    reason = printable(_reason(loss.reason, chinese=words is WORDS["zh"]))
    if not loss.seconds:
        return words["gap_short"].format(board.wall(loss.at), reason)
    return words["gap"].format(board.wall(loss.at), words["seconds"].format(loss.seconds), reason)


def _reason(reason: str, *, chinese: bool) -> str:
    return REASONS.get(reason, reason) if chinese else reason


def closed_text(visit: Closed, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A closed visit in one line: what was owed, never what a customer said."""
    if visit.score is None:
        yield words["no_score"], "yellow"
    else:
        yield words["score"].format(visit.score, visit.grade).strip(), "green" if visit.passed else "red"
    for name, titles, style in (("missed", visit.missed, "red"), ("unknown", visit.unknown, "yellow")):
        if titles:
            yield f"  {words[name].format('、'.join(map(printable, titles)))}", style
    if visit.lost:
        yield words["lost"], "yellow"


def day_text(board: Board, words: Mapping[str, str]) -> str:
    """The day so far in one line."""
    day = board.day
    mean = words["mean"].format(day.points / day.scored) if day.scored else ""
    return words["day"].format(day.visits, day.passed) + mean + words["offences"].format(day.offences)

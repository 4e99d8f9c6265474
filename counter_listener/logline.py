"""What `listen` prints without a screen: a line a visit, one for whatever goes wrong, and nobody's words."""

from __future__ import annotations

from datetime import datetime

from counter_listener.board import Board, Closed, Loss, Message
from counter_listener.clocks import clock
from counter_listener.privacy import printable
from counter_listener.screen import WORDS, closed_text, language, loss_text

OFFENCES = {"zh": "  不当用语 {}，违反规则 {}", "en": "  forbidden {}, rules broken {}"}
LISTENING = {"zh": "正在聆听：{}，语音模型 {}", "en": "listening: {}, model {}"}
AGAIN = {"zh": "{:.0f} 秒后重试：{}", "en": "trying again in {:.0f} s: {}"}


def visit_line(told: Closed | Loss | None, board: Board, asked: str) -> str:
    """A closed visit as one line for a log; empty for everything else."""
    if not isinstance(told, Closed):
        return ""
    chosen = language(asked, board.standard)
    words = WORDS[chosen]
    counter = f"{words['counter']} {printable(board.counter)}  " if board.counter else ""
    score = "".join(text for text, _ in closed_text(told, words))
    date = f"{board.started.astimezone():%Y-%m-%d} " if board.started else ""
    accused = OFFENCES[chosen].format(told.counts["forbidden"], told.counts["broken"])
    length = clock(max(0.0, told.at - told.opened))
    return f"{date}{board.wall(told.at)}  {counter}{words['visit'].format(told.number)}  {length}  {score}{accused}"


def warning_line(message: Message, told: Closed | Loss | None, board: Board, asked: str, now: datetime) -> str:
    """A gap, a restart or another trouble, or that all is well again, as one line for a log; empty for the rest."""
    chosen = language(asked, board.standard)
    stamp = f"{now:%Y-%m-%d %H:%M:%S}"
    if isinstance(told, Loss):
        return f"{stamp[:11]}{loss_text(board, told, WORDS[chosen])}"
    if "restarting" in message:
        return f"{stamp}  {AGAIN[chosen].format(message['in'], printable(message['restarting']))}"
    if "trouble" in message:
        return f"{stamp}  {printable(message['trouble'])}"
    if "standard" in message:
        return f"{stamp}  {LISTENING[chosen].format(printable(message['device']), printable(message['model']))}"
    return ""

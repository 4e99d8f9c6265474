"""What `listen` prints without a screen: a line a visit, one for whatever goes wrong, and nobody's words."""

from __future__ import annotations

from datetime import datetime

from counter_listener.cli.terminal.screen import closed_text, loss_text
from counter_listener.domain import _, format_duration, printable
from counter_listener.live import ClosedVisit, Message, ScreenState, ShownGap


def visit_line(told: ClosedVisit | ShownGap | None, board: ScreenState) -> str:
    """A closed visit as one line for a log; empty for everything else."""
    if not isinstance(told, ClosedVisit):
        return ""
    counter = f"{_('Counter {name}').format(name=printable(board.counter))}  " if board.counter else ""
    visit = _("Visit {number}").format(number=told.number)
    length = format_duration(max(0.0, told.at - told.opened))
    score = "".join(text for text, _style in closed_text(told))
    date = f"{board.started.astimezone():%Y-%m-%d} " if board.started else ""
    accused = _("forbidden {forbidden}, rules broken {broken}").format(
        forbidden=told.counts["forbidden"], broken=told.counts["broken"]
    )
    return f"{date}{board.wall(told.at)}  {counter}{visit}  {length}  {score}  {accused}"


def warning_line(message: Message, told: ClosedVisit | ShownGap | None, board: ScreenState, now: datetime) -> str:
    """A gap, a restart or another trouble, or that all is well again, as one line for a log; empty for the rest."""
    stamp = f"{now:%Y-%m-%d %H:%M:%S}"
    if isinstance(told, ShownGap):
        return f"{stamp[:11]}{loss_text(board, told)}"
    if "restarting" in message:
        again = _("trying again in {seconds:.0f} s: {reason}")
        return f"{stamp}  {again.format(seconds=message['in'], reason=printable(_(message['restarting'])))}"
    if "trouble" in message:
        return f"{stamp}  {printable(_(message['trouble']))}"
    if "standard" in message:
        listening = _("listening: {device}, model {model}")
        return f"{stamp}  {listening.format(device=printable(message['device']), model=printable(message['model']))}"
    return ""

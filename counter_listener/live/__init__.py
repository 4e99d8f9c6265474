"""ROOM"""

from counter_listener.live.board import Board, Closed, Day, Hint, Loss, Message, State
from counter_listener.live.config import Config, find_config, read_config, template, with_flags
from counter_listener.live.listener import BEGAN, Live
from counter_listener.live.notify import notify, watchdog_seconds
from counter_listener.live.resume import event_of, left_open, resumed, started_at
from counter_listener.live.supervisor import NO_MICROPHONE, Supervisor

__all__ = [
    "BEGAN",
    "NO_MICROPHONE",
    "Board",
    "Closed",
    "Config",
    "Day",
    "Hint",
    "Live",
    "Loss",
    "Message",
    "State",
    "Supervisor",
    "event_of",
    "find_config",
    "left_open",
    "notify",
    "read_config",
    "resumed",
    "started_at",
    "template",
    "watchdog_seconds",
    "with_flags",
]

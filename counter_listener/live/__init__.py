"""ROOM"""

from counter_listener.live.board import ClosedVisit, Day, Hint, Message, ScreenState, ShownGap, State
from counter_listener.live.config import Config, find_config, read_config, template, with_flags
from counter_listener.live.listener import STARTED, LiveListener
from counter_listener.live.notify import notify, watchdog_seconds
from counter_listener.live.resume import close_open_visit, rebuild_state, stream_start
from counter_listener.live.supervisor import NO_MICROPHONE, Supervisor

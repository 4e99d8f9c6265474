"""Listening at a counter: the supervised process, its settings, and what a screen shows of it.

In: settings, clocks, and what a microphone delivers; the record, to continue after a failure.
Out: events in the record, messages for the screen, and the state of the screen that they build.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from counter_listener.live.config import Config, find_config, read_config, template, with_flags
from counter_listener.live.screen_state import ClosedVisit, Day, Hint, Message, ScreenState, ShownGap, State
from counter_listener.live.supervisor import NO_MICROPHONE, Supervisor, notify, watchdog_seconds

if TYPE_CHECKING:
    from counter_listener.live.listener import RENEWED, STARTED, LiveListener
    from counter_listener.live.resume import close_open_visit, rebuild_state, stream_start
else:

    def __getattr__(name: str) -> object:
        """Imports what only the listening process needs: the process that supervises stays small without it."""
        if name in {"RENEWED", "STARTED", "LiveListener"}:
            return getattr(import_module("counter_listener.live.listener"), name)
        if name in {"close_open_visit", "rebuild_state", "stream_start"}:
            return getattr(import_module("counter_listener.live.resume"), name)
        raise AttributeError(name)

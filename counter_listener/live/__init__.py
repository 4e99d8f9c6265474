"""Listening at a counter: the supervised process, its settings, and what a screen shows of it.

In: settings, clocks, and what a microphone delivers; the record, to continue after a failure.
Out: events in the record, messages for the screen, and the state of the screen that they build.
"""

from typing import TYPE_CHECKING

import lazy_loader

from counter_listener.live.config import Config, find_config, read_config, template, with_flags
from counter_listener.live.hints import hint_rules, service_points
from counter_listener.live.screen_state import RENEWED, STARTED, ClosedVisit, Day, Message, ScreenState, ShownGap
from counter_listener.live.supervisor import NO_MICROPHONE, Supervisor
from counter_listener.live.watchdog import Watchdog, notify, watchdog_seconds

if TYPE_CHECKING:
    from counter_listener.live.clips import ClipKeeper, ClipPlan, check_encoder
    from counter_listener.live.config_writing import write_config
    from counter_listener.live.listener import LiveListener, PartialResults
    from counter_listener.live.marking import Marks
    from counter_listener.live.resume import close_open_visit, rebuild_state, stream_start
else:  # the process that supervises stays small without what only the listening process needs
    __getattr__, _, _ = lazy_loader.attach(
        __name__,
        submod_attrs={
            "clips": ["ClipKeeper", "ClipPlan", "check_encoder"],
            "config_writing": ["write_config"],
            "listener": ["LiveListener", "PartialResults"],
            "marking": ["Marks"],
            "resume": ["close_open_visit", "rebuild_state", "stream_start"],
        },
    )

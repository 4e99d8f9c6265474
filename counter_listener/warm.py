"""Starts worker processes warm: as copies of one process that has loaded what they all need.

That process loads while this one still makes its phrase set ready, and loads once for all workers. It is Python's own
fork server, which has no thread and no open file of ours, so copying it is safe. Where there is none, or where native
libraries do not bear being copied (macOS), each worker starts from nothing, half a second later.
"""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing.context import BaseContext
from typing import Final

LOADED: Final = "counter_listener.loaded"
"""The module that imports all that a worker needs."""


def context() -> BaseContext:
    """How workers are started."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    warm = multiprocessing.get_context("forkserver")
    warm.set_forkserver_preload([LOADED])
    return warm


def get_ready() -> None:
    """Begins to load what workers need, beside whatever this process does next."""
    if context().get_start_method() == "forkserver":
        from multiprocessing.forkserver import ensure_running

        ensure_running()

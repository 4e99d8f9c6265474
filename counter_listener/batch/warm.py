"""Starts worker processes warm: as copies of one process that has loaded what they all need.

That process loads while this one still makes its phrase set ready, and loads once for all workers: a model of a
gigabyte is read once, and lies in memory once. It is Python's own fork server, which has no thread and no open file of
ours, so copying it is safe; libvosk starts no thread either. Where there is none, or where native libraries do not bear
being copied (macOS), each worker starts from nothing, half a second later, and loads a model of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Final

PRELOAD: Final = "counter_listener.batch.preload"
"""The module that imports all that a worker needs."""
MODEL_VARIABLE: Final = "COUNTER_LISTENER_SHARED_MODEL"
"""Environment variable that tells it which model; a fork server can be told nothing otherwise."""


def context() -> BaseContext:
    """How workers are started."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    warm = multiprocessing.get_context("forkserver")
    warm.set_forkserver_preload(["counter_listener.cli", PRELOAD])
    return warm


def start_preloading(model: Path | None) -> None:
    """Begins to load what workers need, beside whatever this process does next; the model too, if there is one."""
    if context().get_start_method() == "forkserver":
        from multiprocessing.forkserver import ensure_running

        if model is not None:
            os.environ[MODEL_VARIABLE] = str(model)
        ensure_running()
        os.environ.pop(MODEL_VARIABLE, None)

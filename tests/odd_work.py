"""Work for worker processes that goes wrong with files of certain names, and what a worker knows of its model."""

from __future__ import annotations

import os
import time
from pathlib import Path

from counter_listener.asr import recognizer
from counter_listener.batch.check import Result, Task, check_one
from counter_listener.batch.workers import alarm


def odd(path: Path, task: Task) -> Result:
    """Like check_one(), but a file named kills, kills-once or hangs does so."""
    if path.stem == "kills":
        os.abort()
    if path.stem == "kills-once" and not (mark := path.with_suffix(".mark")).exists():
        mark.touch()
        os.abort()
    if path.stem == "hangs":
        with alarm([path], least=0.3):
            time.sleep(60)
    return check_one(path, task)


def shares(folder: Path) -> bool:
    """Whether this worker has a model in common with the others."""
    return folder.resolve() in recognizer._SHARED  # noqa: SLF001

"""Work for worker processes that goes wrong with files of certain names, and what a worker knows of its model."""

from __future__ import annotations

import os
import time
from pathlib import Path

from counter_listener.asr import recognizer
from counter_listener.batch.check import CheckOptions, CheckResult, check_file
from counter_listener.batch.workers import time_limit


def odd(path: Path, task: CheckOptions) -> CheckResult:
    """Like check_one(), but a file named kills, kills-once or hangs does so."""
    if path.stem == "kills":
        os.abort()
    if path.stem == "kills-once" and not (mark := path.with_suffix(".mark")).exists():
        mark.touch()
        os.abort()
    if path.stem == "hangs":
        with time_limit([path], least=0.3):
            time.sleep(60)
    return check_file(path, task)


def shares(folder: Path) -> bool:
    """Whether this worker has a model in common with the others."""
    return folder.resolve() in recognizer._SHARED  # noqa: SLF001

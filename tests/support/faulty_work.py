"""A check function for workers that fails for files with certain names, and what a worker has loaded."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from counter_listener.asr import recognizer
from counter_listener.batch.check import CheckOptions, CheckResult, check_file
from counter_listener.batch.workers import time_limit


def check_or_fail(path: Path, options: CheckOptions) -> CheckResult:
    """Like check_file(), but crashes or hangs for a file named kills, kills-once or hangs."""
    if path.stem == "kills":
        os.abort()
    if path.stem == "kills-once" and not (mark := path.with_suffix(".mark")).exists():
        mark.touch()
        os.abort()
    if path.stem == "hangs":
        with time_limit([path], least=0.3):
            time.sleep(60)
    return check_file(path, options)


def has_preloaded(folder: Path, module: str) -> tuple[bool, bool]:
    """Whether this worker shares the model in a folder with the others, and whether it was forked with a module."""
    return folder.resolve() in recognizer._SHARED, module in sys.modules  # noqa: SLF001

"""`serve` as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(store: Path, *words: str, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of `serve`, and its link."""
    command = [sys.executable, "-m", "counter_listener", "serve", "--store", str(store), "--port", str(port), *words]
    environment = {**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": "", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().rpartition(" ")[2].strip()
        finally:
            process.kill()

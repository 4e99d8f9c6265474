"""A listening process that fails in a given way, instead of listener_process.py: `odd_listener.py FOLDER MODE...`.

Each start uses the next mode: FOLDER holds one file per start, with the request that the process was started with.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

folder, modes = Path(sys.argv[1]), sys.argv[2:]
first = sys.stdin.readline()
starts = len(list(folder.glob("start-*")))
(folder / f"start-{starts:03}").write_text(first)
mode = modes[min(starts, len(modes) - 1)]
orders: list[str] = []


def read_orders() -> None:
    for line in sys.stdin:
        orders.append(line.strip())  # noqa: PERF401 - each at once
    orders.append("stop")


def send(**message: object) -> None:
    print(json.dumps(message), flush=True)  # noqa: T201


if mode == "deaf":
    send(failed="There is no microphone here.")
    sys.exit(75)
if mode == "broken":
    send(failed="The phrase set is wrong.")
    sys.exit(2)


threading.Thread(target=read_orders, daemon=True).start()
send(begun="live-odd", started="2026-01-15T12:00:00+00:00")
for beat in range(10_000):
    megabytes = 500 if mode == "leaks" else 5000 if mode == "bursts" else 50
    send(beat=beat / 5, settled=beat / 5 - 1, since=100.0, level=-30.0, open=False, begun=True, megabytes=megabytes)
    if "stop" in orders and mode != "stubborn":
        sys.exit(0)
    if "renew" in orders:
        sys.exit(0)
    if beat == 3 and mode == "dies":
        os.kill(os.getpid(), 9)
    if beat == 3 and mode == "aborts":
        os.abort()
    if beat == 3 and mode == "raises":
        raise ValueError("beat")
    if beat == 3 and mode == "hangs":
        time.sleep(1000)
    time.sleep(0.02)

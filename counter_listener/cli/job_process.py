"""The main of a process that checks the recordings of a folder for the pages: a request in, a line a recording out."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from counter_listener.cli.options import beside_record
from counter_listener.domain import CounterListenerError, packed, printable, sentence

if TYPE_CHECKING:
    from counter_listener.batch import CheckResult, Plan


def main() -> None:
    """Checks what the first line of stdin asks for. Ends when it is done, at SIGTERM, and when stdin is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the server ends this process
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_server, daemon=True).start()
    try:
        check_folder(asked)
    except CounterListenerError as error:
        send({"stopped": packed(error.sentence)})
    except KeyboardInterrupt:
        sys.exit(1)


def check_folder(asked: dict[str, Any]) -> None:
    """Checks and records the recordings of a folder. Raises CounterListenerError if nothing more can be checked."""
    from counter_listener.batch import expand_inputs, is_recording, open_run, recorded_batches, worker_count

    inputs, left_out = expand_inputs([asked["folder"]])
    send({"total": len(inputs), "left_out": sum(len(each.paths) for each in left_out)})
    with open_run(plan_of(asked), preload=True, modules=["counter_listener.cli"]) as run:
        number = worker_count(asked["processes"], inputs) or int(any(map(is_recording, inputs)))
        recorder, workers = run.recorder, run.workers(number)
        batches = recorded_batches(inputs, run.options, workers, recorder, time.monotonic, lambda: datetime.now(UTC))
        with closing(batches):
            for batch in batches:
                lost = dict(recorder.failures) if recorder else {}
                if recorder:
                    recorder.failures.clear()
                for result in batch.values():
                    send(line_of(result, lost.get(result.path)))


def plan_of(asked: dict[str, Any]) -> Plan:
    """How a request asks for recordings to be checked."""
    from counter_listener.batch import Plan

    return Plan(
        phrases=asked["phrases"],
        model=asked["model"],
        record=asked["record"],
        beside=beside_record(asked["record"]),
        key=Path(asked["key"]) if asked["key"] else None,
        counter=asked["counter"],
        one_visit=asked["one_visit"],
        executor=asked["executor"] or None,
    )


def line_of(result: CheckResult, lost: CounterListenerError | None) -> dict[str, Any]:
    """What the server is told of a recording: no words of it."""
    known = result.error is None and not result.added and lost is None
    line: dict[str, Any] = {"path": printable(str(result.path)), "known": known}
    if lost or result.error:
        line["why"] = packed((lost or result.error).sentence)  # type: ignore[union-attr]
    elif result.losses:
        line["why"] = packed(sentence("a part could not be read or understood"))
    return line


def send(line: dict[str, Any]) -> None:
    """Writes a line."""
    sys.stdout.buffer.write(json.dumps(line).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


def _end_with_server() -> None:
    """Ends this process once the server is gone."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()

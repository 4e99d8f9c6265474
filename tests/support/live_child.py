"""A listener that is killed again and again while it hears visits faster than in real time: run by test_listener.py."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from counter_listener.asr import SpeechModel, find_model
from counter_listener.audio import blocks, read_recording
from counter_listener.cli.listener_process import continue_stream
from counter_listener.judging import load_matcher
from counter_listener.live import STARTED, LiveListener
from counter_listener.record import LIVE, Origin, open_record

FIXTURES = Path(__file__).parents[1] / "fixtures"
MATCHER, DIGEST = load_matcher("bank-counter")
MODEL = SpeechModel(find_model("counter-cn"))
MODEL.model  # noqa: B018 - loads it, once for all children
SOUND = [
    block
    for name in ("forbidden", "full-marks", "refusal-without-sorry")
    for block in blocks(read_recording(FIXTURES / f"{name}.wav"))
    if isinstance(block, bytes)
]


def main(path: str, rounds: str) -> None:
    """Prints the events that each listener had sent, one JSON list a round."""
    moment = random.Random(11)  # noqa: S311
    resume: dict[str, Any] | None = None
    position = 0
    for number in range(int(rounds) + 1):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            listen(path, resume, position, writing, last=number == int(rounds))
        os.close(writing)
        pipe, messages = os.fdopen(reading, "rb"), []
        if number < int(rounds):
            messages = [json.loads(pipe.readline()) for _ in range(moment.randint(1, 12))]
            time.sleep(moment.uniform(0, 0.005))
            os.kill(child, signal.SIGKILL)
        messages += [json.loads(line) for line in pipe.read().split(b"\n")[:-1]]
        pipe.close()
        os.waitpid(child, 0)
        for message in messages:
            if "begun" in message and "started" in message:
                resume = {"stream": message["begun"], "at": 0.0, "since": fast_clock(), "reason": "killed"}
            if "beat" in message and resume and message["begun"]:
                resume |= {"at": message["settled"], "since": message["since"]}
        position += sum("beat" in message for message in messages)
        print(json.dumps([message["event"] for message in messages if "event" in message]))  # noqa: T201


def fast_clock() -> float:
    """Seconds that pass so fast that every block is due for a beat."""
    return 100 * time.monotonic()


def listen(path: str, resume: dict[str, Any] | None, position: int, pipe: int, *, last: bool) -> None:
    """Listens from the block at `position` on, and never returns."""

    def send(message: dict[str, Any]) -> None:
        os.write(pipe, json.dumps(message).encode() + b"\n")

    def sound() -> Iterator[bytes]:
        start = position % len(SOUND)
        yield from islice([*SOUND, *SOUND], start, start + (30 if last else len(SOUND)))

    new = Origin(f"live-{os.getpid()}", LIVE, "3", None, MATCHER.phrases.name, DIGEST, "counter-cn")
    with open_record(path) as record:
        origin, state = continue_stream(record, MATCHER, new, resume)
        listener = LiveListener(
            MATCHER,
            origin,
            record,
            fast_clock,
            lambda: datetime.now(UTC),
            send,
            lambda: False,
            state=state,
            lost_since=resume["since"] if resume else None,
            first_reason=resume["reason"] if resume else STARTED,
        )
        listener.run(sound(), MODEL.recognizer())
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A listener that is killed again and again while it hears visits faster than in real time.

`live_child.py RECORD PHRASES SCENE KILLS SEED`; run by test_listener.py and by the campaign of kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from counter_listener.asr import SpeechModel, find_model
from counter_listener.audio import blocks, read_recording
from counter_listener.cli.listener_process import continue_stream
from counter_listener.judging import load_matcher
from counter_listener.live import STARTED, LiveListener
from counter_listener.live.supervisor import resume_point
from counter_listener.matching import Matcher
from counter_listener.record import LIVE, Origin, open_record

FIXTURES = Path(__file__).parents[1] / "fixtures"
MODEL = SpeechModel(find_model("counter-cn"))
CUT = 7 * 5
"""Blocks of the recording full-marks after which it is talked about something else for a while."""


def blocks_of(name: str) -> list[bytes]:
    return [block for block in blocks(read_recording(FIXTURES / f"{name}.wav")) if isinstance(block, bytes)]


def visits() -> list[bytes]:
    """Visits one right after the other, in which everything owed is said."""
    return [block for name in ("forbidden", "full-marks", "refusal-without-sorry") for block in blocks_of(name)]


def talk() -> list[bytes]:
    """Visits with everything owed, and with talk in which nothing is found: in their middle, and after a farewell."""
    whole, talk, pause = blocks_of("full-marks"), blocks_of("everyday-talk"), blocks_of("noise")[: 5 * 5]
    return [*whole[:CUT], *talk, *whole[CUT:], *talk, *whole, *pause]


SCENES = {each.__name__: each for each in (visits, talk)}


def main(path: str, phrases: str, scene: str, kills: str, seed: str) -> None:
    """Prints the events that each listener had sent, one JSON list a kill, and a last one."""
    matcher, digest = load_matcher(phrases)
    MODEL.model  # noqa: B018 - loads it, once for all children
    moment, sound = random.Random(seed), SCENES[scene]()  # noqa: S311
    resume: dict[str, Any] | None = None
    position = 0
    for number in range(int(kills) + 1):
        last = number == int(kills)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            start = position % len(sound)
            heard = [*sound[start:], *sound][: 30 if last else len(sound)]
            listen(path, (matcher, digest), resume, heard, writing)
        os.close(writing)
        pipe, messages = os.fdopen(reading, "rb"), []
        if not last:
            messages = [json.loads(pipe.readline()) for _ in range(moment.choice((1, 2, 6, 12, 40, 120)))]
            time.sleep(moment.uniform(0, 0.005))
            os.kill(child, signal.SIGKILL)
        messages += [json.loads(line) for line in pipe.read().split(b"\n")[:-1]]
        pipe.close()
        os.waitpid(child, 0)
        for message in messages:
            resume = resume_point(resume, message, fast_clock())
        position += sum("beat" in message for message in messages)
        print(json.dumps([message["event"] for message in messages if "event" in message]))  # noqa: T201


def fast_clock() -> float:
    """Seconds that pass so fast that every block is due for a beat."""
    return 100 * time.monotonic()


def listen(
    path: str, phrases: tuple[Matcher, str], resume: dict[str, Any] | None, heard: Sequence[bytes], pipe: int
) -> None:
    """Listens to some blocks, and never returns."""

    def send(message: dict[str, Any]) -> None:
        os.write(pipe, json.dumps(message).encode() + b"\n")

    def sound() -> Iterator[bytes]:
        yield from heard

    matcher, digest = phrases
    new = Origin(f"live-{os.getpid()}", LIVE, "3", None, matcher.phrases.name, digest, "counter-cn")
    with open_record(path) as record:
        origin, state = continue_stream(record, matcher, new, resume)
        listener = LiveListener(
            matcher,
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

"""A listener that is killed again and again while it hears a visit faster than in real time: run by test_live.py."""

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

from counter_listener.asr.model_files import find_model
from counter_listener.asr.recognizer import VoskRecognizer
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.audio.chunking import blocks
from counter_listener.audio.recording import read_recording
from counter_listener.cli.listener_process import continued
from counter_listener.live.listener import STARTED, LiveListener
from counter_listener.matching.matcher import prepare_matcher
from counter_listener.phrases.phrase_file import find_phrase_set, read_phrase_set
from counter_listener.record.rows import Origin
from counter_listener.record.store import LIVE, open_record

FIXTURES = Path(__file__).parents[1] / "fixtures"
PHRASES, DIGEST = read_phrase_set(find_phrase_set("bank-counter"))
MATCHER = prepare_matcher(PHRASES)
MODEL = SpeechModel(find_model("counter-cn")).model
SOUND = [
    block
    for name in ("forbidden", "full-marks", "refusal-without-sorry")
    for block in blocks(read_recording(FIXTURES / f"{name}.wav"))
    if isinstance(block, bytes)
]


def main(path: str, rounds: str) -> None:
    """Prints what each listener had told of, one JSON object a round."""
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
                resume = {"stream": message["begun"], "at": 0.0, "since": quick(), "reason": "killed"}
            if "beat" in message and resume and message["begun"]:
                resume |= {"at": message["settled"], "since": message["since"]}
        position += sum("beat" in message for message in messages)
        print(json.dumps([message["event"] for message in messages if "event" in message]))  # noqa: T201


def quick() -> float:
    """Seconds of which many go by while the sound does: a beat for every block."""
    return 100 * time.monotonic()


def listen(path: str, resume: dict[str, Any] | None, position: int, pipe: int, *, last: bool) -> None:
    """Hears from some block on, and never returns."""

    def tell(message: dict[str, Any]) -> None:
        os.write(pipe, json.dumps(message).encode() + b"\n")

    def sound() -> Iterator[bytes]:
        start = position % len(SOUND)
        yield from islice([*SOUND, *SOUND], start, start + (30 if last else len(SOUND)))

    fresh = Origin(f"live-{os.getpid()}", LIVE, "3", None, PHRASES.name, DIGEST, "counter-cn")
    with open_record(path) as store:
        origin, counter = continued(store, MATCHER, fresh, resume)
        since, reason = (resume["since"], resume["reason"]) if resume else (None, STARTED)
        wall = lambda: datetime.now(UTC)  # noqa: E731
        live = LiveListener(
            MATCHER,
            origin,
            store,
            quick,
            wall,
            tell,
            lambda: False,
            counter=counter,
            lost_since=since,
            lost_to=reason,
        )
        live.run(sound(), VoskRecognizer(MODEL))
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

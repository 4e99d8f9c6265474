"""The main of the listening process: it reads orders as lines from stdin and writes messages as lines to stdout.

Most imports stand in functions: Ctrl-C reaches this process too, and must be ignored before the slow ones.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from counter_listener.cli.options import ExitCode, beside_record, key_location, monotonic_clock, record_location
from counter_listener.domain import CounterListenerError, MicrophoneError, RecordError, _, use_language

if TYPE_CHECKING:
    from counter_listener.judging import CounterState
    from counter_listener.live import Day, Message
    from counter_listener.matching import Matcher
    from counter_listener.record import Origin, Record

MEMORY_SECONDS: Final = 5.0
"""How often the memory in use is reported."""
TEMPLATE_MARKS: Final = frozenset("()[]{}<>|;")
"""A template without them is one sentence, which the screen can suggest."""


@dataclass
class Orders:
    """What this process has been ordered to do since it began."""

    stop: threading.Event = field(default_factory=threading.Event)
    renew: threading.Event = field(default_factory=threading.Event)
    keys: deque[str] = field(default_factory=deque)

    def read(self) -> None:
        """Reads orders until stdin ends, which means that the parent process has ended."""
        for line in iter(sys.stdin.buffer.readline, b""):
            order = line.decode("ascii", "replace").strip()
            if order == "space":
                self.keys.append(order)
            elif order == "renew":
                self.renew.set()
            elif order == "stop":
                break
        self.stop.set()


def main() -> None:
    """Listens, and ends the process with its exit code.

    The first line of stdin holds {"config": {...}, "resume": {...} or null}.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent handles it
    from counter_listener.live import NO_MICROPHONE

    request = json.loads(sys.stdin.buffer.readline())
    orders = Orders()
    signal.signal(signal.SIGTERM, lambda *_: orders.stop.set())
    threading.Thread(target=orders.read, daemon=True).start()
    code: int = ExitCode.PASSED
    with use_language(request["config"]["language"]), ExitStack() as stack:
        try:
            listen_to(request["config"], request["resume"], orders, stack)
        except CounterListenerError as error:
            send({"failed": error.translated(_)})
            codes = {MicrophoneError: NO_MICROPHONE, RecordError: ExitCode.NO_RECORD}
            code = codes.get(type(error), ExitCode.USAGE)
        # Everything is written. PortAudio's own shutdown takes seconds after a device has gone, and may crash.
        os._exit(code)


def send(message: Message) -> None:
    """Writes a message as a line."""
    sys.stdout.buffer.write(json.dumps(message).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


def listen_to(config: dict[str, Any], resume: dict[str, Any] | None, orders: Orders, stack: ExitStack) -> None:
    """Opens everything, the microphone first, and listens until the order to stop. Raises CounterListenerError."""
    from counter_listener.asr import SpeechModel, find_model, find_speaker_model
    from counter_listener.audio import find_device, list_devices, open_microphone
    from counter_listener.judging import load_matcher
    from counter_listener.live import STARTED, LiveListener
    from counter_listener.record import LIVE, Origin, open_record

    device = find_device(config["device"], list_devices())
    microphone = stack.enter_context(open_microphone(device, config["channel"], monotonic_clock, orders.stop.is_set))
    location = "none" if config["store"] == "none" else record_location(config["store"] or None)
    matcher, digest = load_matcher(config["phrases"], proven=resume is None, beside=beside_record(location))
    record = None
    if location != "none":
        key_file = key_location(config["key"])
        record = stack.enter_context(open_record(location, key_file=key_file))
        record.require_key()
    model = SpeechModel(find_model(config["model"]), find_speaker_model() if config["who_spoke"] else None)
    stream = f"live-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"
    new = Origin(stream, LIVE, config["counter"] or None, None, matcher.phrases.name, digest, model.name)
    origin, state = continue_stream(record, matcher, new, resume)
    lost_since = None
    if resume:  # the record may reach a little further than the last message
        lost_since = float(resume["since"]) + max(0.0, state.now - resume["at"] if state else 0.0)
    day = asdict(_visits_of_today(record, new.counter))
    send({"standard": describe_standard(matcher), "device": device.name, "model": new.model, "day": day})
    listener = LiveListener(
        matcher,
        origin,
        record,
        monotonic_clock,
        lambda: datetime.now(UTC),
        _with_memory(send),
        orders.stop.is_set,
        orders.renew.is_set,
        state,
        lost_since,
        resume["reason"] if resume else STARTED,
        microphone.first_sound,
        orders.keys,
    )
    listener.run(microphone.sound, model.recognizer())


def describe_standard(matcher: Matcher) -> Message:
    """What the screen needs to know of a phrase set: stages with their phrases, courtesy words, limits."""
    phrases = matcher.phrases
    return {
        "name": phrases.name,
        "language": phrases.language,
        "quiet": phrases.visit.quiet,
        "pass_mark": phrases.score.pass_mark,
        "stages": [
            {
                "id": stage.id,
                "title": stage.title,
                "scenario": scenario and scenario.id,
                "phrases": [
                    {
                        "id": phrase.id,
                        "title": phrase.name,
                        "required": phrase.required,
                        "within": phrase.within,
                        "say": next((text for text in phrase.say if not TEMPLATE_MARKS & set(text)), ""),
                    }
                    for phrase in stage.phrase
                ],
            }
            for stage, scenario in phrases.stages()
        ],
        "words": [{"id": word.id, "title": word.name} for word in phrases.word],
    }


def continue_stream(
    record: Record | None, matcher: Matcher, new: Origin, resume: dict[str, Any] | None
) -> tuple[Origin, CounterState | None]:
    """The stream to continue and its state, or the new stream and None; a visit that was left open is closed first.

    A stream is not continued with another phrase set; the visit is then closed by that one, with nothing `not_heard`.
    """
    from counter_listener.live import close_open_visit, rebuild_state, stream_start
    from counter_listener.record import event_from_row

    rows = record.newest_visit(new.counter) if record else []
    if resume and not record:
        return replace(new, stream=resume["stream"]), rebuild_state((), matcher.phrases, resume["at"])
    if not rows or record is None:
        return new, None
    old = replace(new, stream=rows[-1].stream)
    events = [event_from_row(row) for row in rows]
    if resume and old.stream == resume["stream"] and rows[-1].phrases_hash == new.phrases_hash:
        return replace(old, started=stream_start(rows)), rebuild_state(events, matcher.phrases, resume["at"])
    if closing := close_open_visit(events, matcher.phrases):
        record.append(closing, replace(old, started=stream_start(rows)), datetime.now(UTC))
    return new, None


def _visits_of_today(record: Record | None, counter: str | None) -> Day:
    """The totals of today's visits so far, by the record."""
    from counter_listener.live import Day
    from counter_listener.record import LIVE

    day = Day()
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    for row in record.read(since=midnight) if record else ():
        if (row.kind, row.counter, row.source) == ("visit_closed", counter, LIVE):
            detail = json.loads(row.detail)
            if detail.get("outcome") == "no_service":
                continue
            day.add(row.score, passed=detail["passed"], offences=detail["counts"]["forbidden"])
    return day


def _with_memory(send_message: Callable[[Message], None]) -> Callable[[Message], None]:
    """The same function, with the memory in use added to a beat every MEMORY_SECONDS."""
    import psutil

    process = psutil.Process()
    last = -MEMORY_SECONDS

    def send_with_memory(message: Message) -> None:
        nonlocal last
        now = monotonic_clock()
        if "beat" in message and now - last >= MEMORY_SECONDS:
            last = now
            message = {**message, "megabytes": round(process.memory_info().rss / 1e6)}
        send_message(message)

    return send_with_memory


if __name__ == "__main__":
    main()

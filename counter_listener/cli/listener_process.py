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

from counter_listener.cli.clip_keeping import clip_keeper
from counter_listener.cli.options import ExitCode, beside_record, key_location, monotonic_clock, record_location
from counter_listener.domain import CounterListenerError, MicrophoneError, RecordError, _, use_language

if TYPE_CHECKING:
    from counter_listener.judging import CounterState
    from counter_listener.live import Day, Message
    from counter_listener.matching import Matcher
    from counter_listener.record import Origin, Record

KEYS: Final = frozenset({"space", "wrong", "undo"})
"""Orders that are keys of the clerk's."""
MEMORY_SECONDS: Final = 5.0
"""How often the memory in use is reported."""
SHIFT: Final = 4 * 3600.0
"""Seconds after which a stream that begins is a new shift's, and no restart."""
LEAST_AWAY: Final = 0.001
"""Seconds that nobody listened between two streams, at least."""


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
            if order in KEYS:
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
    from counter_listener.live import STARTED, LiveListener, Marks
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
    away = seconds_away(record, new.counter, datetime.now(UTC))
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
        away,
        microphone.first_sound,
        orders.keys,
        marks=Marks(record, monotonic_clock, lambda: datetime.now(UTC)),
        clips=clip_keeper(config["clips"], record, matcher.phrases, send),
    )
    try:
        listener.run(microphone.sound, model.recognizer())
    finally:
        if listener.clips:
            listener.clips.close()


def describe_standard(matcher: Matcher) -> Message:
    """What the screen needs to know of a phrase set: stages, phrases, courtesy words, hints, better wordings."""
    from counter_listener.live import hint_rules, service_points
    from counter_listener.phrases import one_way

    phrases = matcher.phrases
    ways = {phrase.id: one_way(phrases, phrase) for phrase, _ in phrases.phrases() if phrase.required}
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
                    }
                    for phrase in stage.phrase
                ],
            }
            for stage, scenario in phrases.stages()
        ],
        "words": [{"id": word.id, "title": word.name} for word in phrases.word],
        "hints": [asdict(rule) for rule in hint_rules(phrases, ways)],
        "asides": [aside.id for aside in phrases.aside],
        "service": {
            "least": phrases.visit.service.least,
            "points": service_points(phrases),
            "errands": [errand.id for errand in phrases.errand],
        },
        "better": {
            **{each.id: each.better or phrases.better.get(each.class_, "") for each in phrases.forbidden},
            **{rule.id: rule.better for rule in phrases.rule},
            **{limit.id: limit.better for limit in phrases.manner},
        },
    }


def seconds_away(record: Record | None, counter: str | None, now: datetime) -> float:
    """Seconds since something of this counter was recorded; 0 if that was not within a shift.

    Within it somebody may have been served while nobody listened, so what was not heard is unknown.
    """
    rows = record.newest_visit(counter) if record else []
    if not rows:
        return 0.0
    away = (now - datetime.fromisoformat(rows[-1].recorded)).total_seconds()
    return max(away, LEAST_AWAY) if away < SHIFT else 0.0


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
    missed: dict[str | None, list[str]] = {}
    for row in record.read(since=midnight) if record else ():
        if row.verdict == "not_heard" and (row.kind, row.counter, row.source) == ("phrase", counter, LIVE):
            missed.setdefault(row.visit, []).append(str(json.loads(row.detail).get("title", row.phrase)))
        if (row.kind, row.counter, row.source) == ("visit_closed", counter, LIVE):
            detail = json.loads(row.detail)
            if detail.get("outcome") == "no_service":
                continue
            counts, titles = detail["counts"], missed.get(row.visit, ())
            day.add(row.score, passed=detail["passed"], offences=counts["forbidden"], missed=titles)
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

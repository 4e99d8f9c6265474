"""The listener as a process of its own: orders come in as lines on stdin, messages go out on stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import deque
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from counter_listener.cli.options import monotonic_clock, record_location
from counter_listener.domain import CounterListenerError, MicrophoneError, RecordError, _, use_language

if TYPE_CHECKING:
    from counter_listener.judging import CounterState
    from counter_listener.live import Day, Message
    from counter_listener.matching import Matcher
    from counter_listener.record import Origin, Record, Row

MEMORY_SECONDS: Final = 5.0
"""How often the memory in use is told."""
NO_MICROPHONE: Final = 75
"""Exit code: the microphone cannot be used for now (sysexits.h, EX_TEMPFAIL)."""


@dataclass
class Orders:
    """What has been asked of this process since it began."""

    stop: threading.Event = field(default_factory=threading.Event)
    renew: threading.Event = field(default_factory=threading.Event)
    keys: deque[str] = field(default_factory=deque)

    def follow(self) -> None:
        """Reads orders until there are no more: whoever started this process has then gone."""
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

    The first line of stdin says what to do: {"config": {...}, "resume": {...} or null}.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent sees to it
    asked = json.loads(sys.stdin.buffer.readline())
    orders = Orders()
    signal.signal(signal.SIGTERM, lambda *_: orders.stop.set())
    threading.Thread(target=orders.follow, daemon=True).start()
    with ExitStack() as stack:
        stack.enter_context(use_language(asked["config"]["language"]))
        try:
            listen_to(asked["config"], asked["resume"], orders, stack)
            code = 0
        except CounterListenerError as error:
            tell({"failed": error.translated(_)})
            code = NO_MICROPHONE if isinstance(error, MicrophoneError) else 4 if isinstance(error, RecordError) else 2
        # Everything is written. PortAudio's own end takes seconds where a device has gone, and may crash.
        os._exit(code)


def tell(message: Message) -> None:
    """Writes a message as a line."""
    sys.stdout.buffer.write(json.dumps(message).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


def listen_to(config: dict[str, Any], resume: dict[str, Any] | None, orders: Orders, stack: ExitStack) -> None:
    """Opens everything, the microphone first, and listens until told to stop. Raises our own errors."""
    from counter_listener.asr import VoskRecognizer, find_model, load_model
    from counter_listener.audio import find_device, list_devices, open_microphone
    from counter_listener.judging import load_matcher
    from counter_listener.live import STARTED, LiveListener
    from counter_listener.record import open_record

    device = find_device(config["device"], list_devices())
    hearing = stack.enter_context(open_microphone(device, config["channel"], monotonic_clock, orders.stop.is_set))
    matcher, digest = load_matcher(config["phrases"], proven=resume is None)
    store = (
        None
        if config["store"] == "none"
        else stack.enter_context(open_record(record_location(config["store"] or None)))
    )
    folder = find_model(config["model"])
    fresh = _origin(config, matcher, digest, folder.resolve().name)
    origin, counter = continued(store, matcher, fresh, resume)
    day = asdict(_today(store, fresh.counter))
    tell({"standard": standard(matcher), "device": device.name, "model": fresh.model, "day": day})
    engine = VoskRecognizer(load_model(folder))
    live = LiveListener(
        matcher,
        origin,
        store,
        monotonic_clock,
        lambda: datetime.now(UTC),
        _with_memory(tell),
        orders.stop.is_set,
        orders.renew.is_set,
        counter,
        _lost_since(resume, counter),
        resume["reason"] if resume else STARTED,
        hearing.first_sound,
        orders.keys,
    )
    live.run(hearing.sound, engine)


def _lost_since(resume: dict[str, Any] | None, counter: CounterState | None) -> float | None:
    """When the sound was lost, by the clock: the record may know the stream a little further than what was told."""
    if resume is None:
        return None
    return float(resume["since"]) + max(0.0, counter.now - resume["at"] if counter else 0.0)


def standard(matcher: Matcher) -> Message:
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
                        "id": one.id,
                        "title": one.name,
                        "required": one.required,
                        "within": one.within,
                        "say": next((wording for wording in one.say if "{" not in wording), ""),
                    }
                    for one in stage.phrase
                ],
            }
            for stage, scenario in phrases.stages()
        ],
        "words": [{"id": word.id, "title": word.name} for word in phrases.word],
    }


def _origin(config: dict[str, Any], matcher: Matcher, digest: str, model: str) -> Origin:
    from counter_listener.record import LIVE, Origin

    began = datetime.now(UTC)
    return Origin(
        stream=f"live-{began:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}",
        source=LIVE,
        counter=config["counter"] or None,
        started=None,
        phrases=matcher.phrases.name,
        phrases_hash=digest,
        model=model,
    )


def continued(
    store: Record | None, matcher: Matcher, fresh: Origin, resume: dict[str, Any] | None
) -> tuple[Origin, CounterState | None]:
    """The stream to go on with and what is known of it, or a new one; a visit that was left open is closed first."""
    from counter_listener.live import close_open_visit, rebuild_state, stream_start
    from counter_listener.record import event_from_row

    rows = store.newest_visit(fresh.counter) if store else []
    if resume and not store:
        return replace(fresh, stream=resume["stream"]), rebuild_state((), matcher.phrases, resume["at"])
    if not rows or store is None:
        return fresh, None
    of_then = _of(rows[-1], fresh)
    same = rows[-1].phrases_hash == fresh.phrases_hash
    events = [event_from_row(row) for row in rows]
    if resume and same and rows[-1].stream == resume["stream"]:
        return replace(of_then, started=stream_start(rows)), rebuild_state(events, matcher.phrases, resume["at"])
    if same and (closing := close_open_visit(events, matcher.phrases)):
        store.append(closing, replace(of_then, started=stream_start(rows)), datetime.now(UTC))
    return fresh, None


def _today(store: Record | None, counter: str | None) -> Day:
    """What the visits of today came to before now, by the record."""
    from counter_listener.live import Day
    from counter_listener.record import LIVE

    day = Day()
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    for row in store.read(since=midnight) if store else ():
        if (row.kind, row.counter, row.source) == ("visit_closed", counter, LIVE):
            detail = json.loads(row.detail)
            day.add(row.score, passed=detail["passed"], offences=detail["counts"]["forbidden"])
    return day


def _of(row: Row, fresh: Origin) -> Origin:
    return replace(fresh, stream=row.stream)


def _with_memory(tell: Any) -> Any:  # noqa: ANN401 - a function like tell()
    """The same, with the memory in use added to a beat now and then."""
    import psutil

    process = psutil.Process()
    last = [-MEMORY_SECONDS]

    def told(message: Message) -> None:
        now = monotonic_clock()
        if "beat" in message and now - last[0] >= MEMORY_SECONDS:
            last[0] = now
            message = {**message, "megabytes": round(process.memory_info().rss / 1e6)}
        tell(message)

    return told


if __name__ == "__main__":
    main()

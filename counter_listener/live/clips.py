"""Keeps clips of the visit that closed: its sound waits in memory, and goes to the disk encrypted or not at all.

Encoding, encrypting and writing have a thread of their own, so that listening waits for none of it; whatever goes
wrong there is told once, and changes no verdict.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from counter_listener.audio import opus_of
from counter_listener.domain import (
    BLOCK_SAMPLES,
    SAMPLE_BYTES,
    SAMPLE_RATE,
    ClipKeep,
    CounterListenerError,
    Event,
    PhraseSet,
    _,
    ngettext,
)
from counter_listener.judging import ClipSpan, clip_spans
from counter_listener.live.screen_state import Message
from counter_listener.record import (
    ClipFacts,
    Origin,
    Record,
    clips_folder,
    iso,
    keep_clip,
    seal,
    sweep_clips,
    visit_history,
)

RING_SECONDS: Final = 1_200.0
"""Sound that waits for its visit to close: 38 MB."""
PATIENCE: Final = 1.2
"""Seconds in which clips are still written when listening stops."""
IDLE_SECONDS: Final = 900.0
SWEEP_AGAIN: Final = timedelta(minutes=1)
TELL_AGAIN: Final = timedelta(days=1)
"""When it is told again that clips had to make room."""


@dataclass
class SoundRing:
    """The newest sound of a stream."""

    seconds: float = RING_SECONDS
    _blocks: deque[tuple[int, bytes]] = field(default_factory=deque)
    """Each with the number of its first sample in the stream."""

    def add(self, at: float, block: bytes) -> None:
        """Takes the next samples, which begin `at` seconds into the stream; what is too old is forgotten."""
        start = round(at * SAMPLE_RATE)
        self._blocks.append((start, block))
        oldest = start - round(self.seconds * SAMPLE_RATE)
        while self._blocks and self._blocks[0][0] < oldest:
            self._blocks.popleft()

    def cut(self, start: float, end: float) -> tuple[float, bytes] | None:
        """The sound between two seconds of the stream, silent where it was lost, and the second at which it begins.

        None if nothing of it is here.
        """
        first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        found = bytearray()
        begin = first
        for at, block in self._blocks:
            stop = at + len(block) // SAMPLE_BYTES
            if stop <= first or at >= last:
                continue
            if not found:
                begin = max(first, at)
            silent = max(0, at - begin - len(found) // SAMPLE_BYTES)
            found += bytes(silent * SAMPLE_BYTES)
            found += block[max(0, first - at) * SAMPLE_BYTES : (min(last, stop) - at) * SAMPLE_BYTES]
        return (begin / SAMPLE_RATE, bytes(found)) if found else None


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """Which clips are kept, and how long."""

    keep: ClipKeep
    before: float
    """Seconds before each verdict."""
    after: float
    days: int
    most_bytes: int
    """Of all clips of the record."""
    public: str
    """The key for which they are encrypted."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """Sound that is to become a clip."""

    visit: str
    span: ClipSpan
    start: float
    samples: bytes

    @property
    def end(self) -> float:
        return self.start + len(self.samples) / SAMPLE_BYTES / SAMPLE_RATE


class ClipKeeper:
    """Keeps the clips of one stream."""

    def __init__(
        self,
        record: Record,
        phrases: PhraseSet,
        plan: ClipPlan,
        wall_clock: Callable[[], datetime],
        tell: Callable[[Message], None],
    ) -> None:
        self._record, self._phrases, self._plan, self._wall_clock, self._tell = record, phrases, plan, wall_clock, tell
        self._folder = clips_folder(record.path)
        self._ring = SoundRing()
        self._waiting: queue.SimpleQueue[list[_Cut] | None] = queue.SimpleQueue()
        self._handed = 0  # clips that the thread was given, and those that it is done with
        self._done = 0
        self._told = ""
        self._room_told: datetime | None = None
        self._swept: datetime | None = None
        self._thread = threading.Thread(target=self._work, name="clips", daemon=True)
        self._thread.start()

    def hear(self, at: float, block: bytes) -> None:
        """Takes the next samples, which begin `at` seconds into the stream."""
        self._ring.add(at, block)

    def note(self, events: Iterable[Event], origin: Origin) -> None:
        """Cuts the clips of the visits that these events, which are in the record, close. Raises nothing of it."""
        for event in events:
            if event.kind == "visit_closed":
                with self._telling():
                    self._cut(f"{origin.stream}-{event.visit}")

    def close(self, patience: float = PATIENCE) -> None:
        """Writes what is waiting, if that takes no longer than `patience` seconds; else it tells how many it lost."""
        self._waiting.put(None)
        self._thread.join(patience)
        if lost := self._handed - self._done:
            text = ngettext(
                "{count} clip could not be written before listening stopped",
                "{count} clips could not be written before listening stopped",
                lost,
            )
            self._tell({"trouble": text.format(count=lost)})

    def _cut(self, visit: str) -> None:
        history = self._record.query(partial(visit_history, visit=visit))
        plan = self._plan
        spans = clip_spans(history.events, self._phrases, plan.keep, plan.before, plan.after)
        cuts = [(span, self._ring.cut(span.start, span.end)) for span in spans]
        if found := [_Cut(visit, span, *cut) for span, cut in cuts if cut]:
            self._handed += len(found)
            self._waiting.put(found)

    def _work(self) -> None:
        while (cuts := self._next()) is not None:
            after = self._done + len(cuts)
            with self._telling():
                for cut in cuts:
                    self._keep(cut)
                    self._done += 1
                self._told = "" if cuts else self._told
                self._sweep()
            self._done = after  # what went wrong was told

    def _next(self) -> list[_Cut] | None:
        """What waits next; nothing to keep from time to time, so that clips go by their date also on a quiet day."""
        try:
            return self._waiting.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return []

    def _keep(self, cut: _Cut) -> None:
        now, plan = self._wall_clock(), self._plan
        until = iso(now + timedelta(days=plan.days))
        facts = ClipFacts(cut.visit, cut.start, cut.end, cut.span.verdicts, iso(now), until, plan.public)
        keep_clip(self._folder, cut.visit, seal(facts, opus_of(cut.samples)))

    def _sweep(self) -> None:
        now = self._wall_clock()
        if self._swept is not None and now - self._swept < SWEEP_AGAIN:
            return
        self._swept = now
        removed = sweep_clips(self._record.path, None, now, self._plan.most_bytes).over_size
        if removed and (self._room_told is None or now - self._room_told >= TELL_AGAIN):
            self._room_told = now
            text = ngettext(
                "{count} clip went before its date, because all may take {size} MB",
                "{count} clips went before their date, because all may take {size} MB",
                removed,
            )
            self._tell({"trouble": text.format(count=removed, size=round(self._plan.most_bytes / 1e6))})

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tells once what went wrong in a block; listening goes on, whatever it was."""
        try:
            yield
        except CounterListenerError as error:
            said = error.translated(_)
        except Exception as error:  # noqa: BLE001 - no fault of clips may end listening
            said = _("no clip could be kept ({said})").format(said=error or type(error).__name__)
        else:
            return
        if said != self._told:
            self._told = said
            self._tell({"trouble": said})


def check_encoder() -> None:
    """Raises AudioError if sound cannot be made Opus here."""
    opus_of(bytes(BLOCK_SAMPLES * SAMPLE_BYTES))

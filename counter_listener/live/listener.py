"""Listening at a counter: the same chain as for a recording, its events written as they come, its progress told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from counter_listener.asr import DECODER_LAG, UNKNOWN_WORD, Recognizer
from counter_listener.audio import MUTED, SILENCE_DB, CaptureItem, mark_muted, peak_level
from counter_listener.domain import (
    N_,
    SAMPLE_BYTES,
    SAMPLE_RATE,
    Event,
    Gap,
    MicrophoneError,
    RecordError,
    VisitToggle,
    Word,
    _,
    mask_numbers,
)
from counter_listener.judging import CounterState, typed_utterance
from counter_listener.matching import Matcher, find_in_utterance
from counter_listener.pipeline import AudioSource, judge_events

if TYPE_CHECKING:
    from counter_listener.record import Origin, Record

STARTED: Final = N_("listening began")
STOPPED: Final = N_("listening was stopped")
RENEWED: Final = N_("the listener made room for a new one")
WRITES: Final = 3
"""Attempts to write an event, a block apart and up to 5 s each, before the listener gives up and is started anew."""
BEAT_SECONDS: Final = 0.2
BUFFERED_SECONDS: Final = 1.0
"""Of sound that may be on its way when listening stops."""

Message = dict[str, Any]
"""What the listener tells the screen; docs/LISTEN.md lists them."""


class Engine(Recognizer, Protocol):
    """A recogniser that can be asked in the middle of an utterance."""

    def partial(self) -> str:
        """What the utterance holds so far."""
        ...


@dataclass
class PartialResults:
    """A recogniser whose guesses are passed on while an utterance still goes on; what it hears is the same."""

    engine: Engine
    guess: Callable[[str], None]
    """Told what the utterance holds so far, whenever that changes; "" when it is over."""
    settle: Callable[[], None]
    """Told when nothing that was said is undecided."""
    last: str = ""

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        """The words of the utterance that this block ended, as the recogniser says."""
        heard = self.engine.accept(block)
        self._tell(self.engine.partial() if heard is None else "")
        return heard

    def finish(self) -> tuple[Word, ...]:
        """The words of what has not been given out yet."""
        heard = self.engine.finish()
        self._tell("")
        return heard

    def _tell(self, text: str) -> None:
        if not text:
            self.settle()
        text = text.replace(UNKNOWN_WORD, "").strip()
        if text != self.last:
            self.last = text
            self.guess(text)


@dataclass
class LiveListener:
    """One stream of a counter while it is listened to."""

    matcher: Matcher
    origin: Origin
    store: Record | None
    clock: Callable[[], float]
    """Seconds; it never goes back."""
    wall: Callable[[], datetime]
    tell: Callable[[Message], None]
    stopping: Callable[[], bool]
    renewing: Callable[[], bool] = lambda: False
    """Whether to end as soon as no visit is open."""
    counter: CounterState | None = None
    """Of a stream that goes on."""
    lost_since: float | None = None
    """When the sound was lost that a stream that goes on lacks, by the clock."""
    lost_to: str = STARTED
    first_sound: Callable[[], float | None] = lambda: None
    """When the first sound began, by the clock; None where it began just before it came."""
    keys: deque[str] = field(default_factory=deque)
    """Presses of the key that opens and closes a visit, put in by another thread."""
    at: float = 0.0
    """Seconds into the stream: how far sound has been taken in."""
    settled: float = 0.0
    """Seconds into the stream: how far everything is decided, and written."""
    open: bool = False
    """Whether a visit is open."""
    begun: bool = False
    _zero: float = 0.0
    """Second 0 of the stream, by the clock."""
    _pending: list[Event] = field(default_factory=list)
    _decided: float = 0.0
    _samples: int = 0
    _lost: float = 0.0
    """Seconds of the stream that are no samples: what was lost, and what was before."""
    _failures: int = 0
    _beat: float = 0.0
    _peak: float = SILENCE_DB
    _saying: str = ""
    _over: float | None = None
    """When the recogniser ended an utterance whose guesses are still on the screen, by the clock."""

    def run(self, sound: Iterable[CaptureItem], engine: Engine) -> None:
        """Listens until told to stop. Raises MicrophoneError and StoreError; what was written by then is kept."""
        if self.counter:
            self._lost = self.at = self.settled = self._decided = self.counter.now
            self.open = self.counter.visit is not None
        overheard = PartialResults(engine, self._guess, self._settle)
        source = AudioSource(self._source(sound), overheard, self.counter.now if self.counter else 0.0)
        for event in judge_events(source, self.matcher, state=self.counter):
            self._pending.append(event)
            if event.kind in ("visit_opened", "visit_closed"):
                self.open = event.kind == "visit_opened"
        while self._pending:
            self._write()

    def _source(self, sound: Iterable[CaptureItem]) -> Iterator[bytes | Gap | VisitToggle]:
        """The chain asks for the next only when it has done with the last: here its events are written."""
        try:
            for item in mark_muted(sound):
                if self.stopping() or self._may_end():
                    break
                if item is None or (isinstance(item, Gap) and not self.begun):
                    self._passed()
                    continue
                if isinstance(item, bytes) and not self.begun:
                    yield self._begin(len(item) / SAMPLE_BYTES / SAMPLE_RATE)
                while self.keys and self.begun:
                    self.keys.popleft()
                    yield VisitToggle(self.at)
                yield self._placed(item)
                self._passed()
        except MicrophoneError as error:
            if self.begun:  # what was said so far is decided and written; the visit stays open, for it may go on
                yield Gap(self.at, 0.0, str(error))
                self._decided, self._beat = self.at, float("-inf")
                self._passed()
            raise
        if self.begun and not self.stopping():  # the last words may still open a visit, which goes on unheard
            yield Gap(self.at, 0.0, RENEWED)
        elif self.begun:
            unheard = self.clock() - self._zero - self.at
            yield Gap(self.at, unheard if unheard > BUFFERED_SECONDS else 0.0, STOPPED)

    def _may_end(self) -> bool:
        """Whether a new listener was asked for, and nobody is there who would notice."""
        return self.renewing() and not self.open and not self._saying

    def _begin(self, length: float) -> Gap:
        """The gap with which every stream begins, or goes on: what was said before it was not heard."""
        self.begun = True
        now = self.clock()
        first = self.first_sound()
        first = now - length if first is None else first  # it may have waited long for a model to be loaded
        seconds = max(0.0, first - self.lost_since) if self.lost_since is not None else 0.0
        if self.counter is None:
            self.origin = replace(self.origin, started=self.wall() - timedelta(seconds=now - first + seconds))
        gap = Gap(self.at, seconds, self.lost_to)
        self._move(seconds)
        self._zero = first - self.at
        self.tell({"begun": self.origin.stream, "started": self.origin.started and self.origin.started.isoformat()})
        return gap

    def _placed(self, item: bytes | Gap) -> bytes | Gap:
        if isinstance(item, Gap):
            gap = replace(item, start=self.at)
            self._move(item.seconds)
            if item.reason == MUTED:
                self.tell({"trouble": MUTED})
            return gap
        self._samples += len(item) // SAMPLE_BYTES
        self._move(0.0)
        self._peak = max(self._peak, peak_level(item))
        return item

    def _move(self, lost: float) -> None:
        """Counted in samples, so that no sum of a day's blocks carries noise."""
        self._lost += lost
        self.at = self._samples / SAMPLE_RATE + self._lost

    def _passed(self) -> None:
        """A chunk has been through the whole chain: what came of it is written, and the listener is alive."""
        if self._pending:
            self._write()
        if not self._pending:
            self.settled = self._decided
            if self._over is not None:  # only now, or a tick would go out before its event puts it back
                self.tell({"guess": "", "ids": [], "ended": self._over})
                self._over = None
        now = self.clock()
        if now - self._beat >= BEAT_SECONDS:
            self._beat = now
            beat = {"beat": round(self.at, 2), "settled": round(self.settled, 2), "level": round(self._peak, 1)}
            self.tell({**beat, "since": self._zero + self.settled, "open": self.open, "begun": self.begun})
            self._peak = SILENCE_DB

    def _write(self) -> None:
        if self.store is not None:
            try:
                self.store.append(self._pending, self.origin, self.wall())
            except RecordError as error:
                self._failures += 1
                if self._failures >= WRITES:
                    raise
                self.tell({"trouble": error.translated(_)})
                return
        self._failures = 0
        for event in self._pending:
            self.tell({"event": asdict(event)})
        self._pending.clear()

    def _settle(self) -> None:
        self._decided = max(self._decided, self.at - DECODER_LAG)

    def _guess(self, text: str) -> None:
        """What is being said, for the screen: the words, masked, and what a clerk says with them."""
        self._saying = text
        if not text:
            self._over = self.clock()
            return
        self._over = None
        findings = find_in_utterance(self.matcher, typed_utterance(text))
        sure = {hit.owner for hit in (*findings.phrases, *findings.words) if not hit.shared}
        self.tell({"guess": mask_numbers(text), "ids": sorted(sure)})

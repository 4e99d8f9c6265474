"""Listening at a counter: the same chain as for a recording. Its events are written as they come, and reported."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from counter_listener.asr import DECODER_LAG, Recognizer
from counter_listener.audio import MUTED, SILENCE_DB, CaptureItem, mark_muted, peak_level
from counter_listener.domain import (
    SAMPLE_BYTES,
    SAMPLE_RATE,
    Event,
    Gap,
    MicrophoneError,
    RecordError,
    Utterance,
    VisitToggle,
    Voice,
    Word,
    _,
    mask_numbers,
)
from counter_listener.judging import CounterState, typed_utterance
from counter_listener.live.clips import ClipKeeper
from counter_listener.live.hints import signs_in
from counter_listener.live.marking import Marks
from counter_listener.live.screen_state import RENEWED, STARTED, STOPPED, Message
from counter_listener.matching import Matcher, find_in_utterance
from counter_listener.pipeline import AudioSource, judge_events
from counter_listener.record import Origin, Record

WRITES: Final = 3
"""Attempts to write an event, a block apart and up to 5 s each, before the listener gives up and is restarted."""
BEAT_SECONDS: Final = 0.2
BUFFERED_SECONDS: Final = 1.0
"""Length of the audio that may still be in a buffer when listening stops."""


class PartialRecognizer(Recognizer, Protocol):
    """A recogniser that has results in the middle of an utterance."""

    def partial(self) -> str:
        """The utterance so far."""

    def voice(self) -> Voice | None:
        """The voice of the utterance whose words were returned last, if it is known."""


@dataclass
class PartialResults:
    """A recogniser that passes on partial results; its final results are the same."""

    recognizer: PartialRecognizer
    on_partial: Callable[[str], None]
    """Called with the utterance so far whenever that changes, and with "" when it is over."""
    on_silence: Callable[[], None]
    """Called while no utterance is under way."""
    last: str = ""

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        """The words of the utterance that this block ended, as the recogniser returns them."""
        words = self.recognizer.accept(block)
        self._pass_on(self.recognizer.partial() if words is None else "")
        return words

    def finish(self) -> tuple[Word, ...]:
        """The words that have not been returned yet."""
        words = self.recognizer.finish()
        self._pass_on("")
        return words

    def _pass_on(self, text: str) -> None:
        if not text:
            self.on_silence()
        if text != self.last:
            self.last = text
            self.on_partial(text)


@dataclass
class LiveListener:
    """Listens at one counter: one stream, from its first block to its end."""

    matcher: Matcher
    origin: Origin
    record: Record | None
    clock: Callable[[], float]
    """Seconds; it never goes back."""
    wall_clock: Callable[[], datetime]
    send: Callable[[Message], None]
    """Called with every message for the screen."""
    stopping: Callable[[], bool]
    renewing: Callable[[], bool] = lambda: False
    """Whether to end as soon as no visit is open."""
    state: CounterState | None = None
    """Of a stream that continues."""
    lost_since: float | None = None
    """When the audio before a stream that continues was lost, by the clock."""
    first_reason: str = STARTED
    """The reason of the gap with which this part of the stream begins."""
    away: float = 0.0
    """Of a new stream: seconds in which nobody listened since the stream before; 0 if there was none in this shift."""
    first_sound: Callable[[], float | None] = lambda: None
    """When the first sample was recorded, by the clock; None if that was just before it came."""
    keys: deque[str] = field(default_factory=deque)
    """Presses of keys, appended by another thread: `space` toggles a visit, `wrong` and `undo` mark a verdict."""
    at: float = 0.0
    """Seconds into the stream up to which audio has been taken in."""
    settled: float = 0.0
    """Seconds into the stream up to which everything is decided, and written."""
    open: bool = False
    """Whether a visit is open."""
    begun: bool = False
    """Whether the first audio has come."""
    marks: Marks | None = None
    """The verdicts that can be marked as wrong; None where no key can."""
    clips: ClipKeeper | None = None
    """Keeps the sound around verdicts in question; None for none."""
    _zero: float = 0.0
    """Second 0 of the stream, by the clock."""
    _pending: list[Event] = field(default_factory=list)
    """Events that are not written yet."""
    _decided: float = 0.0
    _samples: int = 0
    _moved: float = 0.0
    """When the last audio or gap was taken in, by the clock."""
    _lost: float = 0.0
    """Seconds of the stream that are not in `_samples`: lost audio, and what was before."""
    _failures: int = 0
    """Failed writes in a row."""
    _beat: float = 0.0
    _peak: float = SILENCE_DB
    _partial: str = ""
    _ended: float | None = None
    """When the recogniser ended an utterance that is still on the screen, by the clock."""

    def run(self, sound: Iterable[CaptureItem], recognizer: PartialRecognizer) -> None:
        """Listens until `stopping`. Raises MicrophoneError and RecordError; what was written before stays written."""
        start = self.state.now if self.state else 0.0
        self._lost = self.at = self.settled = self._decided = start
        self.open = self.state is not None and self.state.visit is not None
        passing = PartialResults(recognizer, self._send_partial, self._settle)
        source = AudioSource(self._chunks(sound), passing, start, recognizer.voice)
        for event in judge_events(source, self.matcher, state=self.state):
            self._pending.append(event)
            if event.kind in ("visit_opened", "visit_closed"):
                self.open = event.kind == "visit_opened"
        while self._pending:
            self._write()

    def _chunks(self, sound: Iterable[CaptureItem]) -> Iterator[bytes | Gap | VisitToggle]:
        """The input of the chain, which asks for an item only after it has handled the one before."""
        try:
            for item in mark_muted(sound):
                if self.stopping() or (self.renewing() and not self.open and not self._partial):
                    break
                if item is None or (isinstance(item, Gap) and not self.begun):
                    self._after_item()
                    continue
                if isinstance(item, bytes) and not self.begun:
                    yield self._begin(len(item) / SAMPLE_BYTES / SAMPLE_RATE)
                yield from self._pressed()
                yield self._placed(item)
                self._after_item()
        except MicrophoneError as error:
            if self.begun:  # what was said so far is decided and written; the visit stays open, for it may continue
                yield Gap(self.at, 0.0, str(error))
                self._decided, self._beat = self.at, float("-inf")
                self._after_item()
            raise
        if self.begun and not self.stopping():  # the last words may still open a visit, which continues unheard
            yield Gap(self.at, 0.0, RENEWED)
        elif self.begun:
            unheard = self.clock() - self._zero - self.at
            yield Gap(self.at, unheard if unheard > BUFFERED_SECONDS else 0.0, STOPPED)

    def _pressed(self) -> Iterator[VisitToggle]:
        """Does what the keys say that were pressed since the last item."""
        while self.keys and self.begun:
            if (key := self.keys.popleft()) == "space":
                yield VisitToggle(self.at)
            elif self.marks:
                self.send(self.marks.press(key, self.origin))

    def _begin(self, length: float) -> Gap:
        """The gap with which every stream begins or continues: what was said before it was not heard."""
        self.begun = True
        now = self.clock()
        first = self.first_sound()
        first = now - length if first is None else first  # it may have waited long for a model to be loaded
        seconds = max(0.0, first - self.lost_since) if self.lost_since is not None else 0.0
        if self.state is None:
            self.origin = replace(self.origin, started=self.wall_clock() - timedelta(seconds=now - first + seconds))
        away = self.away if self.state is None else 0.0
        gap = Gap(self.at - away, seconds + away, self.first_reason)
        self._move(seconds)
        self._zero = first - self.at
        self.send({"begun": self.origin.stream, "started": self.origin.started and self.origin.started.isoformat()})
        return gap

    def _placed(self, item: bytes | Gap) -> bytes | Gap:
        """The item, a gap with its start; counted."""
        if isinstance(item, Gap):
            gap = replace(item, start=self.at)
            self._move(item.seconds)
            if item.reason == MUTED:
                self.send({"trouble": MUTED})
            return gap
        if self.clips:
            self.clips.hear(self.at, item)
        self._samples += len(item) // SAMPLE_BYTES
        self._move(0.0)
        self._peak = max(self._peak, peak_level(item))
        return item

    def _move(self, lost: float) -> None:
        """Counts in samples, so that a day's blocks add up without rounding errors."""
        self._lost += lost
        self._moved = self.clock()
        self.at = self._samples / SAMPLE_RATE + self._lost

    def _after_item(self) -> None:
        """An item has been through the whole chain: its events are written, and the listener reports that it lives."""
        if self._pending:
            self._write()
        if not self._pending:
            self.settled = self._decided
            if self._ended is not None:  # only now, or the screen would remove a mark before its event sets it again
                self.send({"guess": "", "ids": [], "ended": self._ended})
                self._ended = None
        now = self.clock()
        if now - self._beat >= BEAT_SECONDS:
            self._beat = now
            beat = {"beat": round(self.at, 2), "settled": round(self.settled, 2), "level": round(self._peak, 1)}
            beat["waited"] = round(now - self._moved, 1)
            self.send({**beat, "since": self._zero + self.settled, "open": self.open, "begun": self.begun})
            self._peak = SILENCE_DB

    def _write(self) -> None:
        if self.record is not None:
            try:
                self.record.append(self._pending, self.origin, self.wall_clock())
            except RecordError as error:
                self._failures += 1
                if self._failures >= WRITES:
                    raise
                self.send({"trouble": error.translated(_)})
                return
        self._failures = 0
        for event in self._pending:
            self.send({"event": asdict(event)})
        if self.marks:
            self.marks.add(self._pending)
        if self.clips:
            self.clips.note(self._pending, self.origin)
        self._pending.clear()

    def _settle(self) -> None:
        self._decided = max(self._decided, self.at - DECODER_LAG)

    def _send_partial(self, text: str) -> None:
        """The utterance so far, and when it is over."""
        self._partial = text
        self._ended = None if text else self.clock()
        if text:
            self.send(guess_message(typed_utterance(text), self.matcher))


def guess_message(utterance: Utterance, matcher: Matcher) -> Message:
    """The utterance so far, for the screen: masked, the phrases in it, those apart that customers say too, and what in
    it shows that somebody is served.
    """
    findings = find_in_utterance(matcher, utterance)
    sure = {hit.owner for hit in (*findings.phrases, *findings.words) if not hit.shared}
    doubtful = {hit.owner for hit in findings.phrases if hit.shared} - sure
    text = " ".join(word.text for word in utterance.words)
    signs = sorted(signs_in(findings, matcher.phrases))
    return {"guess": mask_numbers(text), "ids": sorted(sure), "doubtful": sorted(doubtful), "signs": signs}

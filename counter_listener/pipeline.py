"""The chain, in one expression: the same for a microphone, a recording and, from `match` on, a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from counter_listener.chunks import blocks
from counter_listener.matcher import Matcher
from counter_listener.matching import match
from counter_listener.recognizer import Recognizer, transcribe
from counter_listener.types import ByHand, Event, Gap, Recognised, Tick, Utterance
from counter_listener.visit import Counter, judge


def listen(
    chunks: Iterable[bytes | Gap | ByHand],
    recognizer: Recognizer,
    matcher: Matcher,
    *,
    one_visit: bool = False,
    counter: Counter | None = None,
) -> Iterator[Event]:
    """The events of a stream of audio: 16 kHz mono signed 16-bit little-endian, in chunks of any length, with gaps.

    `counter` is what is known of a stream that goes on; its `now` is where the first chunk begins.
    """
    since = counter.now if counter else 0.0
    heard = match(transcribe(blocks(chunks), recognizer, since), matcher)
    return judge(heard, matcher.phrases, one_visit=one_visit, counter=counter)


def read(utterances: Iterable[Utterance], matcher: Matcher, *, one_visit: bool = False) -> Iterator[Event]:
    """The events of a transcript: utterances in order of time."""
    return judged(timed(utterances), matcher, one_visit=one_visit)


def judged(heard: Iterable[Recognised], matcher: Matcher, *, one_visit: bool = False) -> Iterator[Event]:
    """The events of what was recognised, in order of time."""
    return judge(match(heard, matcher), matcher.phrases, one_visit=one_visit)


def timed(items: Iterable[Utterance | Gap], length: float = 0.0) -> Iterator[Recognised]:
    """Utterances and gaps with the time passing between them, to the end of a stream of `length` seconds at least."""
    over = length
    for item in items:
        yield Tick(item.start, item.start)
        yield item
        over = max(over, item.end if isinstance(item, Utterance) else item.start + item.seconds)
    yield Tick(over, over)


def beside(channels: Sequence[Iterable[Recognised]]) -> Iterator[Recognised]:
    """Channels that were recorded side by side as one stream, in order of time; gaps are those of the first."""
    kept: list[Utterance | Gap] = []
    length = 0.0
    for number, items in enumerate(channels):
        for item in items:
            if isinstance(item, Tick):
                length = max(length, item.at)
            elif isinstance(item, Utterance) or (isinstance(item, Gap) and number == 0):
                kept.append(item)
    return timed(sorted(kept, key=lambda item: item.start), length)

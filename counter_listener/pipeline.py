"""The chain, in one expression: the same for a microphone, a recording and, from `match` on, a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counter_listener.audio import blocks
from counter_listener.matching import Matcher, match
from counter_listener.recognizer import Recognizer, transcribe
from counter_listener.types import ByHand, Event, Gap, Tick, Utterance
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
    return judge(match(timed(utterances), matcher), matcher.phrases, one_visit=one_visit)


def timed(utterances: Iterable[Utterance]) -> Iterator[Utterance | Tick]:
    """Utterances with the time passing between them."""
    over = 0.0
    for utterance in utterances:
        yield Tick(utterance.start, utterance.start)
        yield utterance
        over = max(over, utterance.end)
    yield Tick(over, over)

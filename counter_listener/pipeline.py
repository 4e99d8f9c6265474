"""The chain, in one expression: the same for a microphone, a recording and, from `match` on, a transcript."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from counter_listener.asr import Ears, Recognizer, is_transcript, read_transcript, transcribe
from counter_listener.audio import blocks, in_bursts, read_recording
from counter_listener.domain import AudioError, ByHand, Event, Gap, Recognised, Speaker, Tick, Utterance
from counter_listener.judging import Counter, judge
from counter_listener.matching import Matcher, match


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


def hear(path: Path, ears: Ears, progress: Callable[[float], None] | None = None) -> Iterator[Recognised]:
    """What is recognised in a recording, or stands in a transcript; `progress` is told the seconds read so far.

    Raises AudioError, TranscriptError, ModelError.
    """
    if is_transcript(path):
        return timed(read_transcript(path))
    return _heard(path, ears, progress, None)


def hear_channels(
    path: Path, ears: Ears, roles: Sequence[Speaker], progress: Callable[[float], None] | None = None
) -> Iterator[Recognised]:
    """What is recognised on the channels of a recording, one after the other, in order of time, each with its speaker.

    A customer's channel may be silent, a clerk's may not. Raises AudioError, ModelError.
    """
    channels = []
    for number, role in enumerate(roles):
        items: list[Recognised] = []
        try:
            items.extend(
                replace(item, speaker=role) if isinstance(item, Utterance) else item
                for item in _heard(path, ears, progress, number)
            )
        except AudioError:
            if role != "customer" or not items:
                raise
        channels.append(items)
    return beside(channels)


def _heard(
    path: Path, ears: Ears, progress: Callable[[float], None] | None, channel: int | None
) -> Iterator[Recognised]:
    return transcribe(blocks(in_bursts(read_recording(path, progress, channel))), ears.recognizer())

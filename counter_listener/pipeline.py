"""The processing chain: audio or a transcript goes in, events come out. It is composed here and nowhere else.

    source -> recognise -> find_phrases -> judge_events -> events

`check`, `listen`, `rejudge`, `explain` and `eval` differ in their source alone. Every stage is a generator, pulled from
the end, so that a recording of any length needs little memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from counter_listener.asr import (
    Recognizer,
    SilenceSkipper,
    SpeechModel,
    VoiceSource,
    is_transcript,
    no_voice,
    read_transcript,
    transcribe,
)
from counter_listener.audio import blocks, coalesce, read_recording
from counter_listener.domain import (
    AudioError,
    Event,
    Gap,
    MatchedItem,
    Sentence,
    Speaker,
    StreamItem,
    Tick,
    Utterance,
    VisitToggle,
)
from counter_listener.judging import CounterState, judge
from counter_listener.matching import Matcher, match

Progress = Callable[[float], None]
"""Called with the seconds of a recording that have been read so far."""


@dataclass(frozen=True, slots=True)
class AudioSource:
    """Audio that is still to be recognised."""

    chunks: Iterable[bytes | Gap | VisitToggle]
    """16 kHz mono signed 16-bit little-endian samples in chunks of any length, with gaps."""
    recognizer: Recognizer
    start: float = 0.0
    """Seconds into the stream at which the first chunk begins."""
    voice: VoiceSource = no_voice
    """The voice of the utterance that was recognised last."""


Source = AudioSource | Iterable[StreamItem]
"""Audio, or utterances with ticks between them in order of time."""


def recognise(source: Source) -> Iterator[StreamItem]:
    """The utterances, gaps and ticks of a source. Raises AudioError while a recording is read."""
    if isinstance(source, AudioSource):
        return transcribe(blocks(source.chunks), source.recognizer, source.start, source.voice)
    return iter(source)


def find_phrases(source: Source, matcher: Matcher) -> Iterator[MatchedItem]:
    """The items of a source, each utterance with what was found in it."""
    return match(recognise(source), matcher)


def judge_events(
    source: Source, matcher: Matcher, *, one_visit: bool = False, state: CounterState | None = None
) -> Iterator[Event]:
    """The events of a source. `state` is what is known of a live stream that continues."""
    return judge(find_phrases(source, matcher), matcher.phrases, one_visit=one_visit, state=state)


def analyse(source: Source, matcher: Matcher, *, one_visit: bool = False) -> tuple[list[MatchedItem], list[Event]]:
    """The matched items of a source and its events, for an explanation of both."""
    matched = list(find_phrases(source, matcher))
    return matched, list(judge(matched, matcher.phrases, one_visit=one_visit))


def file_source(  # noqa: PLR0913 - what only the caller knows
    path: Path,
    model: SpeechModel,
    *,
    roles: Sequence[Speaker] = (),
    speakers: Mapping[str, Speaker] | None = None,
    skip_silence: bool = True,
    progress: Progress | None = None,
    tell: Callable[[Sentence], None] = lambda _: None,
) -> Source:
    """A recording or a transcript as a source. Raises AudioError, TranscriptError, ModelError.

    `roles` names the speaker of each channel; without roles the channels are mixed. `speakers` says whom a name in a
    transcript stands for. `tell` is called with what a user must know of how the input was read.
    """
    if is_transcript(path):
        return with_ticks(read_transcript(path, speakers, tell))
    if not roles:
        return recording_source(path, model, None, progress, skip_silence=skip_silence)
    channels: list[list[StreamItem]] = []
    for number, role in enumerate(roles):
        source = recording_source(path, model, number, progress, skip_silence=skip_silence)
        channels.append(_channel_items(source, role, number))
    return merge_channels(channels)


def recording_source(
    path: Path, model: SpeechModel, channel: int | None, progress: Progress | None, *, skip_silence: bool
) -> AudioSource:
    """One channel of a recording (from 0), or all channels mixed for None, with its own recogniser.

    With `skip_silence` the recogniser does not receive long stretches of unchanging sound without speech.
    """
    recognizer = model.recognizer()
    voice = recognizer.voice if channel is None else no_voice  # a channel of its own says who speaks
    skipping = SilenceSkipper(recognizer) if skip_silence else recognizer
    return AudioSource(coalesce(read_recording(path, progress, channel)), skipping, voice=voice)


def _channel_items(source: AudioSource, role: Speaker, number: int) -> list[StreamItem]:
    """The items of one channel. The channel of a customer may be silent, the channel of a clerk may not."""
    items: list[StreamItem] = []
    try:
        items.extend(
            replace(item, speaker=role, channel=number) if isinstance(item, Utterance) else item
            for item in recognise(source)
        )
    except AudioError:
        if role != "customer" or not items:
            raise
    return items


def merge_channels(channels: Sequence[Iterable[StreamItem]]) -> Iterator[StreamItem]:
    """Channels that were recorded in parallel as one stream in order of time.

    What the first channel lost is a gap; what only another one lost is a gap beside the sound of the first.
    """
    merged: list[Utterance | Gap] = []
    length = 0.0
    for number, items in enumerate(channels):
        for item in items:
            if isinstance(item, Tick):
                length = max(length, item.at)
            elif isinstance(item, Utterance) or (isinstance(item, Gap) and number == 0):
                merged.append(item)
            elif isinstance(item, Gap) and item not in merged:
                merged.append(replace(item, beside=True))
    return with_ticks(sorted(merged, key=lambda item: item.start), length)


def with_ticks(items: Iterable[Utterance | Gap], length: float = 0.0) -> Iterator[StreamItem]:
    """Utterances and gaps with ticks between them, up to the end of a stream of at least `length` seconds."""
    end = length
    for item in items:
        yield Tick(item.start, item.start)
        yield item
        if isinstance(item, Utterance):
            end = max(end, item.end)
        elif not item.beside:
            end = max(end, item.start + item.seconds)
    yield Tick(end, end)


@dataclass(slots=True)
class StreamLog:
    """Observes a stream: its length and, if `keep` is set, its utterances and gaps."""

    keep: bool = False
    seconds: float = 0.0
    """Length of the stream so far."""
    items: list[Utterance | Gap] = field(default_factory=list)

    def observe(self, items: Iterable[StreamItem]) -> Iterator[StreamItem]:
        """The same items."""
        for item in items:
            if isinstance(item, Tick):
                self.seconds = max(self.seconds, item.at)
            elif self.keep and isinstance(item, Utterance | Gap):
                self.items.append(item)
            yield item

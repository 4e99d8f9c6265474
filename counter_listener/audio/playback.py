"""What a browser needs to play a recording: whether it can play the file as it is, the file as Opus, a waveform."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from av.audio.frame import AudioFrame

from counter_listener.audio.chunking import Chunk, samples_of
from counter_listener.audio.containers import FAULTS, open_part, open_recording
from counter_listener.audio.recording import read_recording
from counter_listener.domain import SAMPLE_RATE, AudioError, Gap

if TYPE_CHECKING:
    from counter_listener.audio.mixing import Samples

PLAYABLE: Final = {
    ("wav", "pcm_s16le"): "audio/wav",
    ("wav", "pcm_u8"): "audio/wav",
    ("mp3", "mp3"): "audio/mpeg",
    ("flac", "flac"): "audio/flac",
    ("ogg", "opus"): "audio/ogg",
    ("ogg", "vorbis"): "audio/ogg",
}
"""Container and codec of what every browser plays, and its type. All else is made Opus in Ogg."""
OPUS_TYPE: Final = "audio/ogg"
BIT_RATE: Final = 24_000
"""Bits a second: speech at 16 kHz is not told from the original."""
FRAME: Final = 960
"""Samples of an Opus frame of 60 ms."""
LONGEST_SILENCE: Final = 3_600
"""Seconds of a gap that are played as silence; a longer one is shortened, which no recorder writes."""


def browser_type(path: Path) -> str | None:
    """The media type of a recording that browsers play as it is; None for all others. Raises AudioError."""
    with open_recording(path) as (file, parts):
        if len(parts) > 1:
            return None
        with open_part(path, file, parts[0]) as opened:
            if len(opened.tracks) > 1 or opened.container.streams.video:
                return None
            codec = opened.tracks[0].codec_context
            return PLAYABLE.get((opened.format, codec.name)) if codec else None


@dataclass(slots=True)
class Waveform:
    """The loudness of a recording, a few values a second."""

    per_second: int
    values: list[int] = field(default_factory=list)
    """The loudest sample of each part, 0-100."""
    _rest: Samples | None = None

    def add(self, samples: Samples) -> None:
        """Takes the next samples."""
        step = SAMPLE_RATE // self.per_second
        whole = samples if self._rest is None else np.concatenate([self._rest, samples])
        count = len(whole) // step
        if count:
            parts = np.abs(whole[: count * step].astype(np.int32)).reshape(count, step).max(axis=1)
            self.values += [int(value) for value in (parts * 100) // 32_768]
        self._rest = whole[count * step :]


def waveform(path: Path, per_second: int) -> Waveform:
    """The waveform of a recording, with silence where audio was lost, so that times are those of its events.

    Raises AudioError.
    """
    found = Waveform(per_second)
    for chunk in _with_silence(path):
        found.add(samples_of(chunk))
    return found


def write_opus(path: Path, target: Path) -> None:
    """Writes a recording as Opus in Ogg, with silence where audio was lost. Raises AudioError."""
    try:
        _encode(_with_silence(path), str(target))
    except FAULTS as error:
        raise AudioError("{path} cannot be made ready to be played; turn it into a WAV file", path=path) from error


def opus_of(samples: Chunk) -> bytes:
    """Samples as Opus in Ogg, in memory alone. Raises AudioError if PyAV was built without the encoder."""
    target = io.BytesIO()
    try:
        _encode([samples], target)
    except FAULTS as error:
        raise AudioError("the encoder for Opus cannot be used ({said}); install PyAV again", said=str(error)) from error
    return target.getvalue()


def _encode(chunks: Iterable[Chunk], target: str | io.BytesIO) -> None:
    """Writes Opus in Ogg. Raises what is in FAULTS."""
    with av.open(target, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, options={"application": "voip"})
        stream.layout = "mono"
        stream.bit_rate = BIT_RATE
        for frame in _frames(chunks):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _frames(chunks: Iterable[Chunk]) -> Iterator[AudioFrame]:
    fifo = av.AudioFifo()
    at = 0
    for chunk in chunks:
        samples = samples_of(chunk)
        if samples.size:
            frame = AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, at
            at += samples.size
            fifo.write(frame)
        while (ready := fifo.read(FRAME)) is not None:
            yield ready
    if (last := fifo.read(0, partial=True)) is not None:
        yield last


def _with_silence(path: Path) -> Iterator[Chunk]:
    """The audio of a recording. A recording that is silent from end to end is played as it is."""
    try:
        for item in read_recording(path):
            if not isinstance(item, Gap):
                yield item
            elif not item.beside:
                seconds = min(item.seconds, LONGEST_SILENCE)
                yield bytes(2 * int(seconds * SAMPLE_RATE))
    except AudioError as error:
        if "silent from end to end" not in str(error):
            raise

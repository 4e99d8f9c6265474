"""PyAV: decodes the tracks of a recording, and resamples audio to mono, 16 000 Hz, 16 bits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import chain, groupby
from typing import Final, NamedTuple, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from counter_listener.audio.avi import packet_times
from counter_listener.audio.chunking import Chunk
from counter_listener.audio.containers import FAULTS, OpenPart
from counter_listener.audio.headers import flac_start, tag_bytes
from counter_listener.audio.losses import BROKEN_OFF, LATE_TRACK, MISSING_START, UNDECODABLE
from counter_listener.audio.mixing import Mixer, Samples
from counter_listener.audio.ogg import PageClock
from counter_listener.domain import SAMPLE_BYTES, SAMPLE_RATE, Gap

_NO_TIME_STAMPS: Final = ("mp3", "aac", "amr")
"""Formats in which the length of a damaged packet shows only in its size."""
_RETRIES: Final = 1
_RATES: Final = range(1_000, 768_001)
"""Hertz; a rate outside is damage."""


class Decoded(NamedTuple):
    """A packet, None where none could be read, and what it gave."""

    packet: Packet[AudioStream] | None
    frames: list[AudioFrame | Gap]


def decode(opened: OpenPart, track: int) -> Iterator[AudioFrame | Gap]:
    """The frames of a track, with a gap where a packet cannot be read or decoded, or packets are known to be missing.

    Their time stamps are those of the container, unless the audio itself, its pages or an index say it better.
    """
    stream = opened.tracks[track]
    packets, section = _decoded(opened, stream), opened.part.section(opened.file)
    match opened.format:
        case "ogg" if stream.time_base:
            pages = ((packet.pos if packet else None, frames) for packet, frames in packets)
            yield from PageClock(section, stream.time_base).stamp(pages)
        case "flac":
            yield from _stamp_flac(packets)
        case "avi" if stream.time_base:
            times = packet_times(section, stream.index, float(stream.time_base))
            yield from _stamp_packets(packets, times.starts if times else {}, stream.time_base)
        case "aac":
            yield from _with_missing(packets, opened.part.adts.missing if opened.part.adts else {})
        case _:
            yield from (frame for _, frames in packets for frame in frames)


def _decoded(opened: OpenPart, stream: AudioStream) -> Iterator[Decoded]:
    """The packets of a track, decoded. Tags between joined MP3 or AAC files look like damaged packets, and are none."""
    tag_end = 0
    for packet in _packets(opened, stream):
        if isinstance(packet, Gap):
            yield Decoded(None, [packet])
            continue
        at = packet.pos or 0
        try:
            frames = packet.decode()
        except FAULTS:
            tag_end = max(tag_end, at + tag_bytes(bytes(packet)))
            if at >= tag_end:
                yield Decoded(packet, [Gap(0.0, _packet_seconds(packet, opened), UNDECODABLE)])
            continue
        usable = [frame if frame.sample_rate in _RATES else Gap(0.0, 0.0, UNDECODABLE) for frame in frames]
        yield Decoded(packet, usable)


def _packets(opened: OpenPart, stream: AudioStream) -> Iterator[Packet[AudioStream] | Gap]:
    """The packets of a track, and a gap where none can be read, or where a track has begun that no header names."""
    packets = opened.container.demux()
    faults = 0
    while faults <= _RETRIES:
        try:
            packet = next(packets, None)
        except FAULTS:
            faults += 1
            packets = opened.container.demux()
            yield Gap(0.0, 0.0, BROKEN_OFF)
            continue
        except IndexError:  # at the end: PyAV knows only the tracks that were there when it opened the file
            yield Gap(0.0, 0.0, LATE_TRACK, beside=True)
            return
        if packet is None:
            return
        faults = 0
        opened.reached.pass_packet(packet)
        if packet.stream.index == stream.index:
            yield cast("Packet[AudioStream]", packet)


def _packet_seconds(packet: Packet[AudioStream], opened: OpenPart) -> float:
    """Length of the audio in a damaged packet."""
    seconds = float((packet.duration or 0) * (packet.time_base or 0))
    if opened.format in _NO_TIME_STAMPS and opened.container.bit_rate:
        return max(seconds, packet.size * 8 / opened.container.bit_rate)
    return seconds


def _stamp_flac(packets: Iterable[Decoded]) -> Iterator[AudioFrame | Gap]:
    """The frames of a FLAC file by their own numbers: the demuxer counts on past missing frames."""
    block = 0  # samples in each frame but the last
    for packet, frames in packets:
        for frame in frames:
            if not isinstance(frame, Gap) and packet is not None:
                is_first, block = not block, max(block, frame.samples)
                frame.pts, frame.time_base = flac_start(bytes(packet), block), Fraction(1, frame.sample_rate)
                if is_first and frame.time:
                    yield Gap(0.0, frame.time, MISSING_START)
            yield frame


def _stamp_packets(packets: Iterable[Decoded], times: Mapping[int, int], base: Fraction) -> Iterator[AudioFrame | Gap]:
    """Frames with the times of their packets, in ticks of `base` seconds, by their place in the file."""
    for packet, frames in packets:
        ticks = times.get(packet.pos) if packet and packet.pos is not None else None
        for frame in frames:
            if not isinstance(frame, Gap):
                frame.pts, frame.time_base, ticks = ticks, base, None
            yield frame


def _with_missing(packets: Iterable[Decoded], missing: Mapping[int, float]) -> Iterator[AudioFrame | Gap]:
    """Frames without time stamps, and a gap where so many seconds are missing behind so many packets."""
    for number, (_, frames) in enumerate(packets):
        if number in missing:
            yield Gap(0.0, missing[number], UNDECODABLE)
        for frame in frames:
            if not isinstance(frame, Gap):
                frame.pts = None
            yield frame


def resample(items: Iterable[AudioFrame | Gap], channel: int | None) -> Iterator[Chunk | Gap]:
    """Frames as 16 kHz chunks of one channel, counted from 0, or of all channels mixed; gaps pass.

    A sound with fewer channels gives its last. There is a new resampler after every gap and every change of format.
    """
    mixer: Mixer | None = None
    for form, run in groupby(items, key=_frame_format):
        if form is None:
            yield from (item for item in run if isinstance(item, Gap))
            continue
        channels = form[2]
        if mixer is None or mixer.channels != channels:
            mixer = Mixer(channels)
        for item in _resampled(run):
            if isinstance(item, Gap):
                yield item
            elif channel is None and channels > 1:
                yield mixer.mix(item)
            else:
                yield item[min(channel or 0, channels - 1)].tobytes()
        yield mixer.finish()


def _resampled(frames: Iterable[AudioFrame | Gap]) -> Iterator[Samples | Gap]:
    """Frames of one format at 16 kHz, a row for each channel."""
    resampler: av.AudioResampler | None = None
    for frame in chain(frames, (None,)):  # None asks for the last samples
        if isinstance(frame, Gap):
            continue
        if frame is not None:
            frame.pts = None  # the clock has been read, and the resampler counts
            resampler = resampler or av.AudioResampler("s16", frame.layout, SAMPLE_RATE)
        try:
            made = resampler.resample(frame) if resampler else []
        except FAULTS:
            resampler = None
            yield Gap(0.0, frame.samples / frame.sample_rate if frame else 0.0, UNDECODABLE)
        else:
            yield from map(_rows, made)


def _frame_format(item: AudioFrame | Gap) -> tuple[str, str, int, int] | None:
    """What one resampler can go on with."""
    if isinstance(item, Gap):
        return None
    return item.format.name, item.layout.name, item.layout.nb_channels, item.sample_rate


def _rows(frame: AudioFrame) -> Samples:
    """The samples of an interleaved 16-bit frame, a row for each channel.

    PyAV crashes at the array of a planar frame with more than seven channels, so frames are made interleaved.
    """
    samples: Samples = frame.to_ndarray()[0]
    return samples.reshape(-1, frame.layout.nb_channels).T


def to_speech(items: Iterable[Chunk | Gap | None], rate: int, channels: int) -> Iterator[Chunk | Gap | None]:
    """Interleaved 16-bit audio of any rate (Hertz) and number of channels as 16 kHz mono, the channels mixed.

    Other items pass, after the audio before them.
    """
    if (rate, channels) == (SAMPLE_RATE, 1):
        yield from items
        return
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
    resampler, mixer = av.AudioResampler("s16", layout, SAMPLE_RATE), Mixer(channels)

    def made(frame: AudioFrame | None) -> Chunk:
        samples = np.concatenate([np.zeros((channels, 0), np.int16), *map(_rows, resampler.resample(frame))], axis=1)
        return samples[0].tobytes() if channels == 1 else mixer.mix(samples)

    for item in items:
        if item is None:
            yield None
        elif isinstance(item, Gap):
            yield made(None) + mixer.finish()
            resampler = av.AudioResampler("s16", layout, SAMPLE_RATE)
            yield item
        else:
            frame = AudioFrame("s16", layout, len(item) // (SAMPLE_BYTES * channels))
            frame.sample_rate = rate
            frame.planes[0].update(item)
            yield made(frame)
    yield made(None) + mixer.finish()

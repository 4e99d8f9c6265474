"""Makes recordings of every kind with PyAV, and reads them.

- `tone`, `noise`: sound as signed 16-bit samples; `wav`, `encode`: a file of it; `video`: one with pictures beside it.
- `remux`: the same packets with other time stamps, or without some of them; `tracks`: several sound tracks in one file.
- `ogg_page`, `ogg_pages`: pages of an Ogg file; `gsm`, `speex`: formats that PyAV cannot write.
- `heard`: what a recording gives; `seconds`, `level` and `hertz` measure it.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.packet import Packet

from counter_listener.audio import read_recording
from counter_listener.domain import Gap

RATE = 16_000
SAMPLE_BYTES = 2


def tone(seconds: float, rate: int = RATE, channels: int = 1, hertz: float = 440.0) -> bytes:
    """A sine wave."""
    wave = 8_000 * np.sin(2 * math.pi * hertz * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave.astype("<i2"), channels).tobytes()


@cache
def noise(seconds: float, rate: int = RATE) -> bytes:
    """A codec cannot compress this, so damage to the file is damage to the audio."""
    return np.random.default_rng(1).integers(-4_000, 4_000, int(seconds * rate)).astype("<i2").tobytes()


def encode(path: Path, codec: str, sound: bytes, *, rate: int = RATE, layout: str = "mono", **tags: str) -> Path:
    """A recording made by PyAV."""
    with av.open(str(path), "w", options=_options(path)) as container:
        container.metadata.update(tags)
        stream = _add_track(container, codec, rate, layout)
        container.mux([packet for packets in _packets(stream, sound, layout) for packet in packets])
    return path


def _options(path: Path) -> dict[str, str]:
    """The index first, so that a file that is cut can be opened."""
    return {"movflags": "faststart"} if path.suffix in {".m4a", ".mp4", ".mov", ".3gp"} else {}


def _add_track(container: av.container.OutputContainer, codec: str, rate: int, layout: str) -> av.AudioStream:
    options = {"strict": "experimental"} if codec == "vorbis" else {}
    stream = container.add_stream(codec, rate=rate, layout=layout, options=options)
    assert isinstance(stream, av.AudioStream)
    stream.bit_rate = 12_200 if codec == "libopencore_amrnb" else 64_000
    return stream


def _packets(stream: av.AudioStream, sound: bytes, layout: str) -> Iterable[list[Packet[Any]]]:
    channels, rate = av.AudioLayout(layout).nb_channels, stream.rate
    frame = av.AudioFrame(format="s16", layout=layout, samples=len(sound) // (SAMPLE_BYTES * channels))
    frame.sample_rate, frame.pts = rate, 0
    frame.planes[0].update(sound)
    context = stream.codec_context
    resampler = av.AudioResampler(context.format, layout, rate, frame_size=context.frame_size or 1_024)
    for piece in (frame, None):
        for out in resampler.resample(piece):
            yield stream.encode(out)
    yield stream.encode(None)


def tracks(path: Path, sounds: Sequence[bytes], codec: str, *, begin: Sequence[float] = (), rate: int = RATE) -> Path:
    """A recording with a mono sound track for each of `sounds`, which begin so many seconds into the file."""
    with av.open(str(path), "w") as container:
        streams = [_add_track(container, codec, rate, "mono") for _ in sounds]
        made: list[Packet[Any]] = []
        for number, (stream, sound) in enumerate(zip(streams, sounds, strict=True)):
            for packets in _packets(stream, sound, "mono"):
                for packet in packets:
                    _shift(packet, begin[number] if begin else 0.0)
                    made.append(packet)
        container.mux(sorted(made, key=lambda packet: float((packet.dts or 0) * packet.time_base)))
    return path


def _shift(packet: Packet[Any], seconds: float) -> None:
    ticks = round(seconds / packet.time_base)
    packet.pts, packet.dts = (packet.pts or 0) + ticks, (packet.dts or 0) + ticks


def remux(
    source: Path,
    path: Path,
    change: Callable[[float], float] = lambda _: 0.0,
    keep: Callable[[float], bool] = lambda _: True,
) -> Path:
    """The packets of a recording in another file: those that are kept, their time stamps changed by so many seconds."""
    with av.open(str(source)) as old, av.open(str(path), "w", options=_options(path)) as new:
        stream = old.streams.audio[0]
        target = new.add_stream_from_template(stream)
        last = None
        for packet in old.demux(stream):
            if packet.pts is None or not keep(at := float(packet.pts * packet.time_base)):
                continue
            _shift(packet, change(at))
            if last is not None:
                packet.pts = packet.dts = max(packet.pts, last + 1)
            last, packet.stream = packet.pts, target
            new.mux(packet)
    return path


def video(path: Path, seconds: float, codec: str, sound: bytes, begin: float = 0.0) -> Path:
    """Pictures of this length, and beside them a sound track that begins later."""
    picture_codec = {".flv": "flv", ".wmv": "wmv2", ".mpg": "mpeg1video"}.get(path.suffix, "mpeg4")
    with av.open(str(path), "w", options=_options(path)) as container:
        pictures = container.add_stream(picture_codec, rate=25)
        assert isinstance(pictures, av.VideoStream)
        pictures.width = pictures.height = 32
        pictures.pix_fmt = "yuv420p"
        track = _add_track(container, codec, RATE, "mono")
        made: list[Packet[Any]] = []
        for number in range(round(25 * seconds)):
            picture = av.VideoFrame(32, 32, "yuv420p")
            picture.pts = number
            made += pictures.encode(picture)
        made += pictures.encode(None)
        for packets in _packets(track, sound, "mono"):
            for packet in packets:
                _shift(packet, begin)
                made.append(packet)
        container.mux(sorted(made, key=lambda packet: float((packet.dts or 0) * packet.time_base)))
    return path


def wav(  # noqa: PLR0913 (a header has as many fields)
    sound: bytes,
    *,
    declared: int | None = None,
    tag: int = 1,
    rate: int = RATE,
    channels: int = 1,
    bits: int = 16,
    after: bytes = b"",
    before: bytes = b"",
) -> bytes:
    """The bytes of a WAV file, with a wrong header where asked."""
    align = channels * bits // 8
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, rate * align, align, bits)
    size = len(sound) if declared is None else declared
    body = b"WAVE" + before + fmt + struct.pack("<4sI", b"data", size) + sound + after
    return struct.pack("<4sI", b"RIFF", len(body) % 2**32) + body


def chunk(name: bytes, body: bytes) -> bytes:
    """A RIFF chunk."""
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2)


def gsm(frames: int) -> bytes:
    """GSM 06.10, 20 ms a frame."""
    dice = random.Random(1)  # noqa: S311
    return b"".join(bytes([0xD0 | dice.randrange(16)]) + dice.randbytes(32) for _ in range(frames))


def speex(packets: int) -> bytes:
    """Speex in Ogg, 20 ms a packet, 50 packets a page."""
    head = b"Speex   " + b"1.2".ljust(20, b"\0")
    head += struct.pack("<13i", 1, 80, 8_000, 0, 4, 1, 8_000, 160, 0, 1, 0, 0, 0)
    dice = random.Random(1)  # noqa: S311
    sound = [bytes([0x18 | dice.randrange(8)]) + dice.randbytes(19) for _ in range(packets)]
    pages = [ogg_page(0, 0, [head], 2), ogg_page(1, 0, [struct.pack("<II", 0, 0)], 0)]
    for number, first in enumerate(range(0, packets, 50)):
        some = sound[first : first + 50]
        end = first + len(some)
        pages.append(ogg_page(2 + number, end * 160, some, 4 * (end == packets)))
    return b"".join(pages)


def ogg_page(number: int, end: int, packets: Sequence[bytes], flags: int, stream: int = 7) -> bytes:
    """A page of Ogg that holds whole packets."""
    lengths = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    return ogg_page_of(number, end, lengths, b"".join(packets), flags, stream)


def ogg_page_of(  # noqa: PLR0913 (a header has as many fields)
    number: int, end: int, lengths: bytes, body: bytes, flags: int, stream: int
) -> bytes:
    """A page of Ogg with these lengths of segments."""
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, end, stream, number, 0, len(lengths)) + lengths
    page = head + body
    return page[:22] + struct.pack("<I", _ogg_checksum(page)) + page[26:]


@cache
def _checksums() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
        table.append(value)
    return table


def _ogg_checksum(page: bytes) -> int:
    table, value = _checksums(), 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value


def ogg_pages(content: bytes) -> list[bytes]:
    """The pages of an Ogg file."""
    pages, at = [], 0
    while at < len(content):
        segments = content[at + 26]
        size = 27 + segments + sum(content[at + 27 : at + 27 + segments])
        pages.append(content[at : at + size])
        at += size
    return pages


def put(folder: Path, content: bytes, name: str = "visit.wav") -> Path:
    """A file of these bytes."""
    path = folder / name
    path.write_bytes(content)
    return path


def heard(path: Path, channel: int | None = None) -> tuple[bytes, list[Gap]]:
    """All the audio and all the gaps."""
    items = list(read_recording(path, channel=channel))
    return b"".join(x for x in items if isinstance(x, bytes)), [x for x in items if isinstance(x, Gap)]


def seconds(sound: bytes) -> float:
    """The length of 16 kHz mono 16-bit sound."""
    return len(sound) / (SAMPLE_BYTES * RATE)


def level(sound: bytes) -> float:
    """The RMS of 16-bit sound, of 32 768."""
    samples = np.frombuffer(sound, "<i2").astype(float)
    return float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0


def hertz(sound: bytes) -> float:
    """Pitch by zero crossings, away from the ends."""
    wave = np.signbit(np.frombuffer(sound, "<i2")[2_000:-2_000].astype(float))
    return float(np.count_nonzero(wave[1:] != wave[:-1])) * RATE / 2 / float(wave.size)

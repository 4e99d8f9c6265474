"""Recordings of any format as audio for the recogniser: mono, 16 000 Hz, signed 16-bit little-endian."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from counter_listener.audio.chunking import Chunk
from counter_listener.audio.losses import UNREAD, UNREAD_TRACK, ReadPosition, SoundClock, merge_close
from counter_listener.audio.parts import Part
from counter_listener.domain import AudioError, Gap, sentence

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

    from counter_listener.audio.containers import OpenPart
    from counter_listener.audio.files import RecordingFile

_LONGEST_OFFSET: Final = 86_400.0
"""Seconds by which one track may begin after another; a larger difference is damage."""
_PROBED: Final = 20
"""Frames that are decoded to find out whether a file is a recording."""
_PROBED_BYTES: Final = "65536"
"""Bytes in which the format of a file must show that has no ending of sound; FFmpeg guesses from more."""
_HEAD: Final = 64
_UNSAID: Final = 0x7FFFF000
"""Bytes: a header that declares so many was written before anybody knew."""
_SLACK: Final = 64
"""Bytes by which headers of whole files are wrong."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a recording says of itself."""

    seconds: float | None
    """Length; an estimate where the format does not say, None where it is unknown."""
    stamped: datetime | None
    """When it was made; naive or aware, as the file says."""
    channels: int = 1
    tracks: int = 1
    """Sound tracks."""

    @property
    def sides(self) -> int:
        """How many speakers can be told apart: the tracks, or the channels of the only track."""
        return self.tracks if self.tracks > 1 else self.channels


def read_recording(
    path: Path, progress: Callable[[float], None] | None = None, channel: int | None = None
) -> Iterator[Chunk | Gap]:
    """The audio of a recording in chunks of any length, lazily, with a gap wherever audio was lost.

    All channels of all sound tracks are mixed to one, unless `channel` is the number of a side, from 0: a track, or a
    channel of the only track. `progress` is called with the seconds read so far. Raises AudioError if there is nothing
    to hear: at the first chunk if the file cannot be read, at the end if every sample was the same.
    """
    from counter_listener.audio.containers import no_audio, open_recording

    position = ReadPosition()
    tracks = 1
    with open_recording(path) as (file, parts):
        for number, part in enumerate(parts):
            reader = _PartReader(path, file, part, channel, is_first=number == 0)
            for item in reader.read():
                yield position.advance(item)
                if progress:
                    progress(position.at)
            tracks = max(tracks, reader.tracks)
    if not position.samples:
        raise no_audio(path, damaged=position.damaged)
    if position.silent:
        raise _silent(path, channel, tracks)


def _silent(path: Path, channel: int | None, tracks: int) -> AudioError:
    if channel is None:
        return AudioError("{path} is silent from end to end: was the microphone muted or unplugged?", path=path)
    side = sentence("track {number}", number=channel + 1) if tracks > 1 else None
    return AudioError(
        "{path}, {side}, is silent from end to end: was the microphone muted or unplugged?",
        path=path,
        side=side or sentence("channel {number}", number=channel + 1),
    )


@dataclass(slots=True)
class _PartReader:
    """Reads one part of a recording."""

    path: Path
    file: RecordingFile
    part: Part
    channel: int | None
    is_first: bool
    tracks: int = 1
    """Sound tracks; known once it is read."""

    def read(self) -> Iterator[Chunk | Gap]:
        """Its audio. Raises AudioError if it cannot be read and is the first part; else all of it is a gap."""
        try:
            with ExitStack() as stack:
                yield from self._mixed(stack)
        except AudioError:
            if self.is_first:
                raise
            yield Gap(0.0, 0.0, UNREAD)

    def _mixed(self, stack: ExitStack) -> Iterator[Chunk | Gap]:
        from counter_listener.audio.mixing import mix_tracks, silence

        first = self._open(stack)
        self.tracks = len(first.tracks)
        if self.tracks == 1:
            first.check_decodable(self.path, 0)
            yield from _track_audio(first, 0, _with_start(first, 0)[1], self.channel)
            return
        readable = [track for track in range(self.tracks) if first.tracks[track].codec_context]
        wanted = range(self.tracks) if self.channel is None else [min(self.channel, self.tracks - 1)]
        if not set(wanted) & set(readable):
            first.check_decodable(self.path, wanted[0])
        for _ in set(wanted) - set(readable):
            yield Gap(0.0, first.length() or 0.0, UNREAD_TRACK, beside=True)
        # a container for each track: the tracks need not be interleaved
        opened = {track: first if track == readable[0] else self._open(stack) for track in readable}
        begun = {track: _with_start(part, track) for track, part in opened.items()}
        earliest = min((start for start, _ in begun.values() if start is not None), default=0.0)
        sides = []
        for track in sorted(set(wanted) & set(readable)):
            start, items = begun[track]
            offset = 0.0 if start is None or start - earliest > _LONGEST_OFFSET else start - earliest
            sides.append(chain(silence(offset), _track_audio(opened[track], track, items, None)))
        yield from mix_tracks(sides)

    def _open(self, stack: ExitStack) -> OpenPart:
        from counter_listener.audio.containers import open_part

        return stack.enter_context(open_part(self.path, self.file, self.part))


def _with_start(opened: OpenPart, track: int) -> tuple[float | None, Iterator[AudioFrame | Gap]]:
    """The frames and gaps of a track, and when it begins by its own time stamps, in seconds; None if none says so."""
    from counter_listener.audio.decoding import decode

    items = decode(opened, track)
    first: list[AudioFrame | Gap] = []
    lost = 0.0
    for item in items:
        first.append(item)
        if not isinstance(item, Gap):
            return (None if item.time is None else item.time - lost), chain(first, items)
        lost += item.seconds
    return None, iter(first)


def _track_audio(
    opened: OpenPart, track: int, items: Iterable[AudioFrame | Gap], channel: int | None
) -> Iterator[Chunk | Gap]:
    """The audio of one track, given its frames, and what is missing at its end."""
    from counter_listener.audio.decoding import resample

    clock = SoundClock()
    yield from resample(merge_close(clock.watch(items)), channel)
    yield from opened.losses_at_end(track, clock)


def probe(path: Path) -> Facts:
    """What a recording says of itself; hardly any of it is decoded. Raises AudioError if it cannot be read."""
    from counter_listener.audio.containers import open_part, open_recording

    with open_recording(path) as (file, parts):
        with open_part(path, file, parts[0]) as opened:
            opened.check_decodable(path, 0)
            lengths = [opened.length()]
            stamped, channels, tracks = opened.time_stamp(), _channels(opened), len(opened.tracks)
        for part in parts[1:]:
            with suppress(AudioError), open_part(path, file, part) as opened:
                lengths.append(opened.length())
        if parts[0].wav:  # the tags are outside the part
            with suppress(AudioError), open_part(path, file, Part(0, file.size)) as opened:
                stamped = opened.time_stamp()
    known = [length for length in lengths if length is not None]
    return Facts(sum(known) if len(known) == len(lengths) else None, stamped, channels, tracks)


def _channels(opened: OpenPart) -> int:
    """The channels of the first track. A header may be silent about them, so that a frame has to tell."""
    from counter_listener.audio.decoding import decode

    declared = opened.tracks[0].channels
    frames = (item for item in islice(decode(opened, 0), 0 if declared else None) if not isinstance(item, Gap))
    return next((frame.layout.nb_channels for frame in frames), declared)


def is_sound(path: Path) -> bool:
    """Whether a file of any name holds sound: the decoder reads its beginning, or we know its format by name.

    A file that cannot be opened holds none.
    """
    from counter_listener.audio.containers import open_part, open_recording
    from counter_listener.audio.decoding import decode
    from counter_listener.audio.signatures import is_known_sound

    try:
        with open_recording(path) as (file, parts):
            if is_known_sound(file.read_at(0, _HEAD)):
                return True
            with open_part(path, file, parts[0], formatprobesize=_PROBED_BYTES) as opened:
                opened.check_decodable(path, 0)
                items = list(islice(decode(opened, 0), _PROBED))
    except AudioError:
        return False
    return sum(not isinstance(item, Gap) for item in items) * 2 > len(items)


def is_whole(path: Path) -> bool:
    """Whether a file has all the bytes that its own header declares; true where it declares none.

    Raises AudioError if it cannot be read.
    """
    from counter_listener.audio.files import Section, open_file
    from counter_listener.audio.headers import declared_bytes

    with open_file(path) as file:
        declared = declared_bytes(Section(file, [(0, file.size)])) or 0
        return declared >= _UNSAID or declared <= file.size + _SLACK


def sound_endings() -> frozenset[str]:
    """The endings of the names of recordings: those of the formats that the decoder reads, lower case, with the dot."""
    from counter_listener.audio import containers

    return containers.sound_endings()

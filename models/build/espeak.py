"""Chinese spoken by espeak-ng, with the exact time of every syllable and unit, through libespeak-ng's own events.

Debian's espeak-ng 1.51 cannot read Chinese characters aloud (it spells their pinyin in English), so it is handed
pinyin with tones, in the voice `cmn-latn-pinyin` coloured by a variant. While it speaks, it tells the sample at which
each word (here: syllable) and each phoneme begins (espeak-ng, speak_lib.h, espeakEVENT_WORD and espeakEVENT_PHONEME).

The library is loaded and started at the first call, once a process, and is not safe across threads.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from models.build.errors import BuildError
from models.build.lexicon import split

LANGUAGE: Final = "cmn-latn-pinyin"
LIBRARY: Final = "libespeak-ng.so.1"
SAMPLE_RATE: Final = 16_000
"""Hertz, of what say() gives."""
CLOSURE: Final = 0.06
"""Seconds: a shorter gap between two units is the closure of the stop that follows, and belongs to it."""
TRAINING_VARIANTS: Final = tuple(
    """
    f1 f2 f4 f5 m1 m2 m3 m5 m6 m8 adam Alex Andrea Annie antonio aunty belinda boris caleb david Denis Diogo ed edward
    edward2 Gene Gene2 gustave Henrique Hugo iven iven2 Jacky john kaukovalta Lee linda marcelo Marco Mario max Michael
    michel miguel Mike norbert pablo paul pedro quincy rob robert sandro shelby steph steph3 travis victor zac grandma
    grandpa klatt klatt2 klatt4 anika Nguyen
    """.split()  # noqa: SIM905 - sixty-six of them, readable
)
"""Variants that sound like people and are none of those that speak the tests."""

# speak_lib.h, espeak-ng 1.51
_SYNCHRONOUS: Final = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_PHONEME_EVENTS: Final = 1  # espeakINITIALIZE_PHONEME_EVENTS
_UTF8: Final = 1  # espeakCHARS_UTF8
_END, _WORD, _PHONEME = 0, 1, 7  # espeak_EVENT_TYPE
_RATE, _PITCH, _RANGE, _GAP = 1, 3, 4, 7  # espeak_PARAMETER


class EspeakError(BuildError):
    """espeak-ng is not there, does not know the voice, or tells no times for what it was to say"""


@dataclass(frozen=True, slots=True)
class Segment:
    """One unit of the lexicon, as spoken."""

    unit: str
    start: float
    """Seconds into the samples."""
    end: float
    """Seconds into the samples."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What was spoken, and when."""

    samples: npt.NDArray[np.float32]
    """Mono, SAMPLE_RATE, in the range of 16-bit integers."""
    segments: tuple[Segment, ...]
    """The units in order; where there is a gap between two, there is silence."""
    syllables: tuple[tuple[float, float], ...]
    """Start and end of each syllable, in seconds."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


class _Value(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h"""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Value),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class _Engine:
    """The library, and what it hands over while it speaks."""

    library: Any
    rate: int
    sound: bytearray
    told: list[tuple[int, int, str]]
    """Event type, sample, phoneme."""
    callback: Any
    """Kept so that it lives as long as the library may call it."""


@dataclass(slots=True)
class _Syllable:
    """What is told of one syllable: where its phonemes begin, and where it ends."""

    phonemes: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)


def say(  # noqa: PLR0913 - a voice has this many dials
    syllables: Sequence[tuple[str, str]],
    variant: str,
    *,
    rate: int = 165,
    pitch: int = 50,
    pitch_range: int = 50,
    word_gap: int = 0,
) -> Speech:
    """Speaks syllables, each as (toneless syllable, tone `1` to `5`), in one of espeak-ng's variants.

    `rate` is in words a minute (80-450), `pitch` and `pitch_range` 0-99, `word_gap` a pause after every syllable in
    units of 10 ms. Raises EspeakError.
    """
    engine = _engine()
    voice = f"{LANGUAGE}+{variant}"
    if engine.library.espeak_SetVoiceByName(voice.encode()):
        raise EspeakError(f"espeak-ng does not know the voice {voice}.")
    for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range), (_GAP, word_gap)):
        engine.library.espeak_SetParameter(parameter, value, 0)
    text = " ".join(syllable + tone for syllable, tone in syllables)
    engine.sound.clear()
    engine.told.clear()
    spoken = text.encode() + b"\0"
    if engine.library.espeak_Synth(spoken, len(spoken), 0, 1, 0, _UTF8, None, None):
        raise EspeakError(f"espeak-ng cannot say {text!r} as {voice}.")
    engine.library.espeak_Synchronize()
    timed = _timed([(kind, sample / engine.rate, name) for kind, sample, name in engine.told])
    segments = _segments([split(syllable) for syllable, _ in syllables], timed, text)
    return Speech(_resampled(bytes(engine.sound), engine.rate), segments, _spans(syllables, segments))


@cache
def _engine() -> _Engine:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise EspeakError(
            f"espeak-ng is not installed ({error}); install the packages espeak-ng and its data."
        ) from None
    sound, told = bytearray(), list[tuple[int, int, str]]()

    def keep(samples: Any, count: int, events: Any) -> int:  # noqa: ANN401 - ctypes pointers
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, 2 * count))
        at = 0
        while events[at].type != _END:
            event = events[at]
            told.append((event.type, event.sample, bytes(event.id.string).partition(b"\0")[0].decode(errors="replace")))
            at += 1
        return 0

    callback = _CALLBACK(keep)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
    if rate <= 0:
        raise EspeakError("espeak-ng does not start; are its data (package espeak-ng-data) installed?")
    library.espeak_SetSynthCallback(callback)
    return _Engine(library, rate, sound, told, callback)


def _timed(told: Sequence[tuple[int, float, str]]) -> list[_Syllable]:
    """Events by syllable. A phoneme named with `_` in front is a pause, and hence the end of what was before it."""
    found: list[_Syllable] = []
    for kind, at, name in told:
        if kind == _WORD:
            found.append(_Syllable())
        elif kind == _PHONEME and found:
            (found[-1].ends if name.startswith("_") else found[-1].phonemes).append(at)
    # espeak-ng may tell of one word more, after the last, in which nothing is said.
    return found[:-1] if found and not found[-1].phonemes else found


def _segments(wanted: Sequence[tuple[str, ...]], timed: Sequence[_Syllable], text: str) -> tuple[Segment, ...]:
    """Units with times: a syllable's first phoneme is its initial, if it has one, and all the rest its final."""
    told = all(len(one.phonemes) >= len(units) and one.ends for units, one in zip(wanted, timed, strict=False))
    if len(wanted) != len(timed) or not told:
        raise EspeakError(f"espeak-ng tells no times for every syllable of {text!r}.")
    found: list[Segment] = []
    for units, one in zip(wanted, timed, strict=True):
        edges = [*one.phonemes[: len(units)], one.ends[0]]
        found += (Segment(unit, start, end) for unit, (start, end) in zip(units, pairwise(edges), strict=True))
    return tuple(_closed(found))


def _closed(segments: Sequence[Segment]) -> list[Segment]:
    closed = list(segments[:1])
    for before, after in pairwise(segments):
        start = before.end if after.start - before.end < CLOSURE else after.start
        closed.append(Segment(after.unit, start, after.end))
    return closed


def _spans(syllables: Sequence[tuple[str, str]], segments: Sequence[Segment]) -> tuple[tuple[float, float], ...]:
    spans, at = [], 0
    for syllable, _ in syllables:
        size = len(split(syllable))
        spans.append((segments[at].start, segments[at + size - 1].end))
        at += size
    return tuple(spans)


def _resampled(sound: bytes, rate: int) -> npt.NDArray[np.float32]:
    samples = np.frombuffer(sound, "<i2").astype(np.float32)
    divisor = int(np.gcd(SAMPLE_RATE, rate))
    return np.asarray(resample_poly(samples, SAMPLE_RATE // divisor, rate // divisor), np.float32)

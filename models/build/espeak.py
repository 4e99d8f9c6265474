"""Chinese speech from espeak-ng, with the exact time of each syllable and unit, from the events of libespeak-ng.

espeak-ng 1.51 of Debian cannot read Chinese characters (it spells their pinyin in English). So it gets pinyin with
tones, for the voice `cmn-latn-pinyin` with a variant. It reports the sample at which each word (here: syllable) and
each phoneme begins (espeak-ng, speak_lib.h, espeakEVENT_WORD and espeakEVENT_PHONEME).

The library is loaded at the first call, once per process, and is not thread-safe.
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
from models.build.lexicon import split_syllable

LANGUAGE: Final = "cmn-latn-pinyin"
LIBRARY: Final = "libespeak-ng.so.1"
SAMPLE_RATE: Final = 16_000
"""Hertz, of the samples that say() returns."""
CLOSURE: Final = 0.06
"""Seconds. A shorter gap between two units is the closure of the following stop and is part of it."""
TRAINING_VARIANTS: Final = tuple(
    """
    f1 f2 f4 f5 m1 m2 m3 m5 m6 m8 adam Alex Andrea Annie antonio aunty belinda boris caleb david Denis Diogo ed edward
    edward2 Gene Gene2 gustave Henrique Hugo iven iven2 Jacky john kaukovalta Lee linda marcelo Marco Mario max Michael
    michel miguel Mike norbert pablo paul pedro quincy rob robert sandro shelby steph steph3 travis victor zac grandma
    grandpa klatt klatt2 klatt4 anika Nguyen
    """.split()  # noqa: SIM905 - readable as a list of words
)
"""Variants that sound like people, without those of the tests."""

# speak_lib.h, espeak-ng 1.51
_SYNCHRONOUS: Final = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_PHONEME_EVENTS: Final = 1  # espeakINITIALIZE_PHONEME_EVENTS
_UTF8: Final = 1  # espeakCHARS_UTF8
_END, _WORD, _PHONEME = 0, 1, 7  # espeak_EVENT_TYPE
_RATE, _PITCH, _RANGE, _GAP = 1, 3, 4, 7  # espeak_PARAMETER


class EspeakError(BuildError):
    """espeak-ng is missing, does not know the voice, or does not report the times of a text."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One spoken unit of the lexicon."""

    unit: str
    start: float
    """Seconds into the samples."""
    end: float
    """Seconds into the samples."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Synthesised speech, with the times of its units and syllables."""

    samples: npt.NDArray[np.float32]
    """Mono, SAMPLE_RATE, in the range of 16-bit integers."""
    segments: tuple[Segment, ...]
    """The units in order; a gap between two is silence."""
    syllables: tuple[tuple[float, float], ...]
    """Start and end of each syllable, in seconds."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


class _Value(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

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
    """The library, and what it passes to the callback while it speaks."""

    library: Any
    rate: int
    sound: bytearray
    events: list[tuple[int, int, str]]
    """Event type, sample, phoneme."""
    callback: Any
    """Referenced here so that it exists as long as the library may call it."""


@dataclass(slots=True)
class _Syllable:
    """When the phonemes of one syllable begin, and when the syllable ends, in seconds."""

    phonemes: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)


def say(  # noqa: PLR0913 - the parameters of a voice
    syllables: Sequence[tuple[str, str]],
    variant: str,
    *,
    rate: int = 165,
    pitch: int = 50,
    pitch_range: int = 50,
    word_gap: int = 0,
) -> Speech:
    """Speech of syllables, each as (toneless syllable, tone `1` to `5`), in one of espeak-ng's variants.

    `rate` is in words per minute (80-450), `pitch` and `pitch_range` are 0-99, `word_gap` is a pause after each
    syllable in units of 10 ms. Raises EspeakError.
    """
    engine = _engine()
    voice = f"{LANGUAGE}+{variant}"
    if engine.library.espeak_SetVoiceByName(voice.encode()):
        raise EspeakError(f"espeak-ng does not know the voice {voice}.")
    for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range), (_GAP, word_gap)):
        engine.library.espeak_SetParameter(parameter, value, 0)
    text = " ".join(syllable + tone for syllable, tone in syllables)
    engine.sound.clear()
    engine.events.clear()
    encoded = text.encode() + b"\0"
    if engine.library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None):
        raise EspeakError(f"espeak-ng cannot say {text!r} as {voice}.")
    engine.library.espeak_Synchronize()
    timed = _by_syllable([(kind, sample / engine.rate, name) for kind, sample, name in engine.events])
    segments = _segments([split_syllable(syllable) for syllable, _ in syllables], timed, text)
    return Speech(_resampled(bytes(engine.sound), engine.rate), segments, _spans(syllables, segments))


@cache
def _engine() -> _Engine:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise EspeakError(
            f"espeak-ng is not installed ({error}); install the packages espeak-ng and its data."
        ) from None
    sound, received = bytearray(), list[tuple[int, int, str]]()

    def receive(samples: Any, count: int, events: Any) -> int:  # noqa: ANN401 - ctypes pointers
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, 2 * count))
        index = 0
        while events[index].type != _END:
            event = events[index]
            phoneme = bytes(event.id.string).partition(b"\0")[0].decode(errors="replace")
            received.append((event.type, event.sample, phoneme))
            index += 1
        return 0

    callback = _CALLBACK(receive)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
    if rate <= 0:
        raise EspeakError("espeak-ng does not start; install its data (package espeak-ng-data).")
    library.espeak_SetSynthCallback(callback)
    return _Engine(library, rate, sound, received, callback)


def _by_syllable(events: Sequence[tuple[int, float, str]]) -> list[_Syllable]:
    """Events by syllable. A phoneme whose name starts with `_` is a pause, the end of what precedes it."""
    syllables: list[_Syllable] = []
    for kind, seconds, name in events:
        if kind == _WORD:
            syllables.append(_Syllable())
        elif kind == _PHONEME and syllables:
            (syllables[-1].ends if name.startswith("_") else syllables[-1].phonemes).append(seconds)
    # espeak-ng may report one more word after the last, without phonemes.
    return syllables[:-1] if syllables and not syllables[-1].phonemes else syllables


def _segments(syllables: Sequence[tuple[str, ...]], timed: Sequence[_Syllable], text: str) -> tuple[Segment, ...]:
    """Units with times: the first phoneme of a syllable is its initial, if it has one, and the rest is its final."""
    complete = all(
        len(times.phonemes) >= len(units) and times.ends for units, times in zip(syllables, timed, strict=False)
    )
    if len(syllables) != len(timed) or not complete:
        raise EspeakError(f"espeak-ng does not report the times of every syllable of {text!r}.")
    segments: list[Segment] = []
    for units, times in zip(syllables, timed, strict=True):
        edges = [*times.phonemes[: len(units)], times.ends[0]]
        segments += (Segment(unit, start, end) for unit, (start, end) in zip(units, pairwise(edges), strict=True))
    return tuple(_with_closures(segments))


def _with_closures(segments: Sequence[Segment]) -> list[Segment]:
    """Segments in which a gap shorter than CLOSURE is part of the following unit."""
    closed = list(segments[:1])
    for before, after in pairwise(segments):
        start = before.end if after.start - before.end < CLOSURE else after.start
        closed.append(Segment(after.unit, start, after.end))
    return closed


def _spans(syllables: Sequence[tuple[str, str]], segments: Sequence[Segment]) -> tuple[tuple[float, float], ...]:
    spans, index = [], 0
    for syllable, _ in syllables:
        size = len(split_syllable(syllable))
        spans.append((segments[index].start, segments[index + size - 1].end))
        index += size
    return tuple(spans)


def _resampled(sound: bytes, rate: int) -> npt.NDArray[np.float32]:
    samples = np.frombuffer(sound, "<i2").astype(np.float32)
    divisor = int(np.gcd(SAMPLE_RATE, rate))
    return np.asarray(resample_poly(samples, SAMPLE_RATE // divisor, rate // divisor), np.float32)

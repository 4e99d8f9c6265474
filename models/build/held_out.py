"""What no model is trained on: the voices, people and sounds of the tests; and the licences that permit training.

The training checks each voice, recording and sound here before it is used.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable
from itertools import pairwise
from pathlib import PurePath
from typing import Final

from models.build.errors import BuildError

TEST_VARIANTS: Final = ("f3", "m4", "m7", "Alicia", "Andy", "benjamin", "steph2", "klatt3")
"""espeak-ng's variants in tests/fixtures and the test sets. No model is trained on them, not even the bundled one."""
NATURAL_TEST_VOICES: Final = ("zf_xiaoni", "zm_yunyang", "zf_xiaoyi", "zm_yunxi", "bf_emma", "am_puck")
"""Voices of Kokoro-82M. The first two speak the sets `natural` and the recordings in tests/fixtures; the others measure
what is built here from outside. No model is trained on them, nor on a mixture that contains one."""
TEST_NOISE: Final = re.compile(r"5-\d+-[A-Z]\d*")
"""The names of ESC-10's fifth fold (Piczak 2015, section 3.2); its noise is mixed into the test sets."""
TEST_FOLDER: Final = ("tests", "fixtures")

STUDENTS: Final = 5
STUDENTS_HELD_OUT: Final = ("dsp03", "dsp12", "dsp16", "dsp25", "dsp26")
"""Of dspspeech20, chosen by draw_students()."""
HELD_OUT_SPEAKERS: Final = {
    "person": ("yue_tan",),
    "news": ("S0252",),
    "words": STUDENTS_HELD_OUT,
    "bundled": (),
}
"""The people a model is trained without, by the test that it is trained for. The bundled model leaves out nobody."""

LICENCES: Final = (
    "CC0-1.0",
    "Public domain",
    "MIT",
    "Apache-2.0",
    "CC-BY",
    "CC-BY-2.0-FR",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-3.0-US",
    "CC-BY-SA-4.0",
)
"""The licences under which a recording may be used, for a model under CC BY-SA 4.0 with all attributions.

CC BY-SA 3.0, unported or of a country, is included: by its section 4(b) an adaptation may have a later version with the
same licence elements, and 4.0 is one. Licences that forbid commercial use (NC) or adaptation (ND) are not included.
"""


class ExcludedDataError(BuildError):
    "The data must not be used for training."


def draw_students(speakers: Iterable[str]) -> tuple[str, ...]:
    """Five of the students, sorted: drawn from their sorted names with the name of the collection as the seed."""
    rng = random.Random("dspspeech20")  # noqa: S311 - reproducible draws, not secrets
    return tuple(sorted(rng.sample(sorted(set(speakers)), STUDENTS)))


def held_out_speakers(*tests: str) -> frozenset[str]:
    """The people a model must not be trained on for these tests, keys of HELD_OUT_SPEAKERS.

    Raises ExcludedDataError for an unknown test.
    """
    if unknown := sorted(set(tests) - set(HELD_OUT_SPEAKERS)):
        raise ExcludedDataError(f"{unknown[0]!r} is not a test; known are {', '.join(HELD_OUT_SPEAKERS)}.")
    return frozenset(speaker for test in tests for speaker in HELD_OUT_SPEAKERS[test])


def check_voice(variant: str) -> str:
    """The same variant of espeak-ng, with or without a language (`cmn-latn-pinyin+f1`).

    Raises ExcludedDataError if it is in TEST_VARIANTS.
    """
    name = variant.rpartition("+")[2].strip()
    if name.casefold() in {held_out.casefold() for held_out in TEST_VARIANTS}:
        raise ExcludedDataError(f"The tests use the voice {name}; it must not be trained on.")
    return variant


def voices_in(speaker: str) -> tuple[str, ...]:
    """The voices of Kokoro-82M in the name of a speaker: `a`, or a mixture `a+b@0.65` with 0.65 of the first."""
    return tuple(voice.strip() for voice in speaker.partition("@")[0].split("+"))


def check_natural_voice(speaker: str) -> str:
    """The same speaker, a voice of Kokoro-82M or a mixture.

    Raises ExcludedDataError if it is, or contains, one of NATURAL_TEST_VOICES.
    """
    for voice in voices_in(speaker):
        if voice.casefold() in NATURAL_TEST_VOICES:
            raise ExcludedDataError(f"The tests use the voice {voice}; it must not be trained on, nor mixed.")
    return speaker


def check_speaker(speaker: str, left_out: Collection[str]) -> str:
    """The same speaker, as named in a manifest.

    Raises ExcludedDataError if the model is trained without them, or for a natural voice of the tests.
    """
    check_natural_voice(speaker)
    if speaker.strip().casefold() in {name.casefold() for name in left_out}:
        raise ExcludedDataError(f"{speaker} is left out of this model, which is to be measured on that person.")
    return speaker


def check_recording(path: PurePath | str) -> str:
    """The same path, as text. Raises ExcludedDataError for a fixture of the tests and for noise of the test sets."""
    parts = PurePath(path).parts
    if any(pair == TEST_FOLDER for pair in pairwise(parts)):
        raise ExcludedDataError(f"{path} is a recording of the tests; it must not be trained on.")
    if TEST_NOISE.fullmatch(PurePath(path).stem):
        raise ExcludedDataError(f"{path} is noise of the test sets; it must not be trained on.")
    return str(path)


def check_licence(text: str) -> str:
    """The name in LICENCES of a licence in a manifest; a source in brackets after it is ignored.

    Raises ExcludedDataError if it is not in LICENCES.
    """
    name = text.partition("(")[0].strip()
    known = {licence.casefold(): licence for licence in LICENCES}
    for spelling in (name, name.replace(" ", "-")):
        if spelling.casefold() in known:
            return known[spelling.casefold()]
    raise ExcludedDataError(f"The licence {text.strip()!r} is not one of those that permit training.")

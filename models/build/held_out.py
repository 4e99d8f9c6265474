"""What no model is trained on, named once: the voices, people and sounds of the tests; and the licences that will do.

The training asks here before it uses a voice, a person's recording or a sound, and is refused what the tests hear.
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
"""espeak-ng's variants that speak tests/fixtures and the test sets. No model may hear them, the bundled one neither."""
TEST_NOISE: Final = re.compile(r"5-\d+-[A-Z]\d*")
"""The names of ESC-10's fifth fold (Piczak 2015, section 3.2), whose noise is mixed into the test sets."""
TEST_FOLDER: Final = ("tests", "fixtures")

STUDENTS: Final = 5
STUDENTS_HELD_OUT: Final = ("dsp03", "dsp12", "dsp16", "dsp25", "dsp26")
"""Of dspspeech20, by draw_students()."""
MEASURING: Final = {
    "person": ("yue_tan",),
    "news": ("S0252",),
    "words": STUDENTS_HELD_OUT,
    "bundled": (),
}
"""The people a model is trained without, by what it is trained to measure; the one that ships leaves out nobody."""

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
"""Under which a recording may be trained on, where the model is given away under CC BY-SA 4.0 with all attributions.

CC BY-SA 3.0 will do, unported or of a country: its section 4(b) lets an adaptation go under a later version with the
same elements, which 4.0 is. Nothing that forbids trade (NC) or adaptation (ND) will, nor anything unnamed here.
"""


class Refused(BuildError):  # noqa: N818 - it names what happens
    "What must not be trained on."


def draw_students(speakers: Iterable[str]) -> tuple[str, ...]:
    """Five of the students, sorted: drawn from their sorted names with a seed that is the name of the collection."""
    drawn = random.Random("dspspeech20").sample(sorted(set(speakers)), STUDENTS)  # noqa: S311 - a draw, no secret
    return tuple(sorted(drawn))


def left_out(*measuring: str) -> frozenset[str]:
    """The people that a model must not have heard to be measured so: names of MEASURING. Raises Refused if unknown."""
    if unknown := sorted(set(measuring) - set(MEASURING)):
        raise Refused(f"{unknown[0]!r} measures nothing; known are {', '.join(MEASURING)}.")
    return frozenset(speaker for name in measuring for speaker in MEASURING[name])


def refuse_voice(variant: str) -> str:
    """The same variant of espeak-ng, its language before it or not (`cmn-latn-pinyin+f1`). Raises Refused if held."""
    name = variant.rpartition("+")[2].strip()
    if name.casefold() in {held.casefold() for held in TEST_VARIANTS}:
        raise Refused(f"The voice {name} speaks the tests; it must not be trained on.")
    return variant


def refuse_speaker(speaker: str, left_out: Collection[str]) -> str:
    """The same speaker, as a manifest names them. Raises Refused if this model is to be measured without them."""
    if speaker.strip().casefold() in {held.casefold() for held in left_out}:
        raise Refused(f"{speaker} is left out of this model, which is to be measured on that person.")
    return speaker


def refuse_recording(path: PurePath | str) -> str:
    """The same path, as text. Raises Refused if the tests hear the file: a fixture, or noise of the test sets."""
    parts = PurePath(path).parts
    if any(pair == TEST_FOLDER for pair in pairwise(parts)):
        raise Refused(f"{path} is a recording that the tests hear; it must not be trained on.")
    if TEST_NOISE.fullmatch(PurePath(path).stem):
        raise Refused(f"{path} is noise of the test sets; it must not be trained on.")
    return str(path)


def check_licence(text: str) -> str:
    """A manifest's licence -> its name in LICENCES; what stands in brackets after it is a source. Raises Refused."""
    name = text.partition("(")[0].strip()
    known = {licence.casefold(): licence for licence in LICENCES}
    for spelling in (name, name.replace(" ", "-")):
        if spelling.casefold() in known:
            return known[spelling.casefold()]
    raise Refused(f"The licence {text.strip()!r} is not among those that a model may be trained under.")

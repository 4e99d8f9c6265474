"""Chinese text to the phonemes of Kokoro-82M by misaki, by syllable, and whether our lexicon reads it alike."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, NamedTuple

from models.build.errors import BuildError
from models.build.language.vocabulary import is_chinese
from models.build.lexicon import Reading, known_syllables, readings

MARKS: Final = {"，": ",", "、": ",", "；": ";", "：": ":", "。": ".", "！": "!", "？": "?", "…": "…"}
"""Punctuation that is heard, as misaki writes it."""
PIECE: Final = re.compile("[一-鿿]+|[，、；：。！？…]")


class Phoneme(NamedTuple):
    """One symbol, and the index of the character in which it is spoken: None for a pause."""

    symbol: str
    character: int | None


def phonemes(text: str, reading: Reading | None = None) -> list[Phoneme]:
    """The phonemes of a text; its characters are counted without punctuation.

    `reading` replaces misaki's: a syllable for each Chinese character. Letters and digits are left out.
    """
    syllables = [f"{syllable}{tone}" for syllable, tone in reading or misaki_reading(text)]
    found: list[Phoneme] = []
    index = 0
    for word in _pieces(text):
        if word in MARKS:
            found += [Phoneme(MARKS[word], None), Phoneme(" ", None)]
            continue
        for _ in word:
            found += (Phoneme(symbol, index) for symbol in _symbols(syllables[index]))
            index += 1
        found.append(Phoneme(" ", None))
    while found and found[-1].symbol == " ":
        found.pop()
    return _without_space_before_marks(found)


def _without_space_before_marks(found: list[Phoneme]) -> list[Phoneme]:
    following = [*found[1:], None]
    marks = set(MARKS.values())
    return [
        one
        for one, after in zip(found, following, strict=True)
        if one.symbol != " " or not after or after.symbol not in marks
    ]


def spoken_alike(text: str) -> bool:
    """Whether misaki and the lexicon read a text as the same known syllables; tones do not count.

    Polyphones are what they read differently. The second syllable 儿 and the neutral tone are alike in both, and tone
    sandhi changes tones only.
    """
    characters = "".join(filter(is_chinese, text))
    ours = [syllable for syllable, _ in readings(characters)]
    theirs = [syllable for syllable, _ in misaki_reading(text)]
    return bool(characters) and ours == theirs and known_syllables() >= set(ours)


def misaki_reading(text: str) -> Reading:
    """The syllables that misaki reads: jieba's words, each read by pypinyin."""
    from pypinyin import Style, lazy_pinyin

    syllables = [
        syllable.replace("ü", "v")
        for word in _pieces(text)
        if word not in MARKS
        for syllable in lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)
    ]
    return tuple((syllable[:-1], syllable[-1]) for syllable in syllables)


def _pieces(text: str) -> list[str]:
    """Words and punctuation, in order."""
    pieces = PIECE.findall(text)
    return [word for piece in pieces for word in ([piece] if piece in MARKS else _jieba().lcut(piece))]


@cache
def _jieba() -> Any:  # noqa: ANN401 - jieba has no types
    try:
        import jieba
    except ImportError:
        raise BuildError("The library jieba is missing: pip install -r models/build/requirements.txt.") from None
    jieba.setLogLevel("WARNING")
    return jieba


@cache
def _symbols(syllable: str) -> str:
    """The symbols of a syllable with its tone."""
    try:
        from misaki.zh import ZHG2P
    except ImportError:
        raise BuildError(
            "The library misaki is missing: "
            "pip install --no-deps --require-hashes -r models/build/voices/requirements.txt."
        ) from None
    # misaki marks a vowel that is no syllable of its own; Kokoro-82M was trained without the mark.
    return str(ZHG2P.py2ipa(syllable)).replace("\u032f", "")

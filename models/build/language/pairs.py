"""Builds counter_listener/matching/words.txt: `python -m models.build.language.pairs`. Needs jieba's dictionary."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.build.errors import BuildError
from models.build.language.vocabulary import dictionary_file, read_counts

TARGET: Final = Path(__file__).resolve().parents[3] / "counter_listener" / "matching" / "words.txt"
MIN_COUNT: Final = 100
"""Least count of a word in the corpus of the dictionary."""
HEAD: Final = f"""\
# Common words of two characters in print: a first character, a space, and each character that forms a word with it.
# From the dictionary of jieba (https://github.com/fxsjy/jieba, MIT License, (c) 2013 Sun Junyi): words with a count of
# {MIN_COUNT} or more in its corpus. Made by `python -m models.build.language.pairs`, read by misrecognition.py.
"""


def pairs(counts: Mapping[str, int]) -> str:
    """The content of the file, from words with their counts."""
    following: dict[str, list[str]] = defaultdict(list)
    for word in sorted(counts):
        if len(word) == 2 and counts[word] >= MIN_COUNT:
            following[word[0]].append(word[1])
    return HEAD + "".join(f"{first} {''.join(seconds)}\n" for first, seconds in following.items())


def main() -> int:
    """The exit code: 0 if the file was written, 1 with an error message if the dictionary is missing."""
    try:
        content = pairs(read_counts(dictionary_file()))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    TARGET.write_text(content, encoding="utf-8", newline="\n")
    print(f"{TARGET}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())

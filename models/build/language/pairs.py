"""Makes counter_listener/words.txt: `python -m models.build.language.pairs`. Needs jieba's dictionary."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.build.errors import BuildError
from models.build.language.vocabulary import dictionary_file, read_counts

TARGET: Final = Path(__file__).resolve().parents[3] / "counter_listener" / "words.txt"
COMMON: Final = 100
"""Times that a word must stand in the dictionary's corpus."""
HEAD: Final = f"""\
# Words of two characters that print has often: a first character, and after the space each that makes a word with it.
# From the dictionary of jieba (https://github.com/fxsjy/jieba, MIT License, (c) 2013 Sun Junyi): those that its corpus
# has {COMMON} times or more. Made by `python -m models.build.language.pairs`, read by dictionary.py.
"""


def pairs(counts: Mapping[str, int]) -> str:
    """The content of the file, from words with their counts."""
    following: dict[str, list[str]] = defaultdict(list)
    for word in sorted(counts):
        if len(word) == 2 and counts[word] >= COMMON:
            following[word[0]].append(word[1])
    return HEAD + "".join(f"{first} {''.join(others)}\n" for first, others in following.items())


def main() -> int:
    """The exit code: 0 where it was written, 1 where the dictionary is missing, with one sentence why."""
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

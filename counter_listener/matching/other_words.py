"""Whether what sounds like a wording is written as other words: 您在建行 is no 您再见.

A recogniser writes the words that fit the sounds best. Where it writes 建 and goes on with 行, it heard the whole of
建行; 再见 would have to be misheard as the beginning of just that word. So a character that is not the wording's own
counts more where it makes a common word with the one beside it.
"""

from __future__ import annotations

from collections.abc import Collection

from counter_listener.matching.confusion import parameters
from counter_listener.matching.dictionary import is_word
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables


def competing_word_penalty(  # noqa: PLR0913 - what is written, and where
    pattern: Pattern, first: int, last: int, strange: Collection[int], sides: int, spoken: Syllables
) -> float:
    """Bits that speak against a wording from first up to, not including, last, whose `strange` units are not its own.

    `sides` are those on which its clause goes on: in the midst of a sentence nobody is accused by what only sounds so.
    """
    if not strange:
        return 0.0
    told = parameters()
    words = sum(joins_word(at - 1, spoken) or joins_word(at, spoken) for at in strange)
    words += first not in strange and joins_word(first - 1, spoken)
    words += last - 1 not in strange and joins_word(last - 1, spoken)
    return told.other_word * words + told.lines[pattern.role].goes_on * sides


def joins_word(at: int, spoken: Syllables) -> bool:
    """Whether a unit and the next make a common word, without a pause between them."""
    return (
        0 <= at < len(spoken) - 1
        and spoken.clauses[at] == spoken.clauses[at + 1]
        and is_word(spoken.units[at], spoken.units[at + 1])
    )

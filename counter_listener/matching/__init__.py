"""ROOM"""

from counter_listener.matching.alignment import NOT_HEARD, align
from counter_listener.matching.courtesy import swallowed, unsaid
from counter_listener.matching.matcher import Matcher, prepare, remembering
from counter_listener.matching.matching import around, contexts_of, find, goes_on, match, stands_within
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.scoring import Place, place_of
from counter_listener.matching.search import counts, search
from counter_listener.matching.syllables import Spoken, spell

__all__ = [
    "NOT_HEARD",
    "Matcher",
    "Pattern",
    "Place",
    "Spoken",
    "align",
    "around",
    "contexts_of",
    "counts",
    "find",
    "goes_on",
    "match",
    "place_of",
    "prepare",
    "remembering",
    "search",
    "spell",
    "stands_within",
    "swallowed",
    "unsaid",
]

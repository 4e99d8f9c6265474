"""ROOM"""

from counter_listener.phrases.phrase_file import SLOT, find_phrase_set, near, read_phrase_set, wordings
from counter_listener.phrases.pinyin import sounds, syllables, tone_of, written
from counter_listener.phrases.vocabulary import HEARD_KEYS, audit, unspelt

__all__ = [
    "HEARD_KEYS",
    "SLOT",
    "audit",
    "find_phrase_set",
    "near",
    "read_phrase_set",
    "sounds",
    "syllables",
    "tone_of",
    "unspelt",
    "wordings",
    "written",
]

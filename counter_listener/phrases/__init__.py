"""ROOM"""

from counter_listener.phrases.phrase_file import SLOT, find_phrase_set, iter_wordings, read_phrase_set, suggestion
from counter_listener.phrases.pinyin import pronounce, split_units, text_syllables, tone
from counter_listener.phrases.vocabulary import HEARD_KEYS, unspellable_wordings, vocabulary_report

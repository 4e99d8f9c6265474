"""Phrase sets: what must be said at a counter, and how each wording sounds.

In: phrase-set files (TOML), text, and the vocabulary of a speech model.
Out: checked phrase sets, the toneless syllables of text, and the wordings that a model cannot write.
"""

from counter_listener.phrases.phrase_file import SLOT, find_phrase_set, iter_wordings, read_phrase_set, suggestion
from counter_listener.phrases.pinyin import READINGS, pronounce, split_units, text_syllables, tone
from counter_listener.phrases.vocabulary import HEARD_KEYS, unspellable_wordings, vocabulary_report

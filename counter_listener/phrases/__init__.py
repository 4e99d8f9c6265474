"""Phrase sets: what must be said at a counter, and how each wording sounds.

In: phrase-set files (TOML), text, and the vocabulary of a speech model.
Out: checked phrase sets, the toneless syllables of text, and the wordings that a model cannot write.
"""

from counter_listener.phrases.phrase_file import find_phrase_set, iter_templates, read_phrase_set, suggestion
from counter_listener.phrases.pinyin import READINGS, join_units, pronounce, split_units, text_syllables, tone
from counter_listener.phrases.template_nodes import Choice, Gap, Node, Series, Units, Words
from counter_listener.phrases.templates import Template, TemplateError, TemplateReader, template_reader
from counter_listener.phrases.vocabulary import HEARD_KEYS, unspellable_templates, vocabulary_report

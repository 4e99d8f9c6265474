"""Phrase sets: what must be said at a counter, and how each wording sounds.

In: phrase-set files (TOML) or spreadsheets of them, text, and the vocabulary of a speech model.
Out: checked phrase sets, files with changes in them, the toneless syllables of text, and the wordings that a model
cannot write.
"""

from typing import TYPE_CHECKING

import lazy_loader

from counter_listener.phrases.fields import (
    EXAMPLES,
    FIELDS,
    KIND_TITLES,
    SETTINGS,
    Field,
    FieldError,
    Kind,
    parsed,
    shown,
)
from counter_listener.phrases.finding import find_phrase_set, sets_at_hand, sets_folder
from counter_listener.phrases.phrase_file import checked_set, iter_templates, read_phrase_set, suggestion
from counter_listener.phrases.pinyin import READINGS, join_units, pronounce, split_units, text_syllables, tone
from counter_listener.phrases.set_entries import (
    LISTS,
    PARENTS,
    Entry,
    ExampleLine,
    entries,
    examples,
    find_entry,
    new_content,
    parents,
    put_entry,
    remove_entry,
    set_entry_examples,
    set_examples,
    set_setting,
    setting,
    value_of,
)
from counter_listener.phrases.template_nodes import Choice, Gap, Node, Series, Units, Words
from counter_listener.phrases.templates import Template, TemplateError, TemplateReader, template_reader
from counter_listener.phrases.vocabulary import HEARD_KEYS, unspellable_templates, vocabulary_report
from counter_listener.phrases.ways import one_way

if TYPE_CHECKING:
    from counter_listener.phrases.editing import edited
    from counter_listener.phrases.spreadsheet import write_spreadsheet
    from counter_listener.phrases.spreadsheet_reading import read_spreadsheet
else:  # libraries that only those need who edit a set
    __getattr__, _, _ = lazy_loader.attach(
        __name__,
        submod_attrs={
            "editing": ["edited"],
            "spreadsheet": ["write_spreadsheet"],
            "spreadsheet_reading": ["read_spreadsheet"],
        },
    )

"""Texts for people, in their language: gettext catalogues in locale/, and English where a text has no translation.

Texts in the code are English. `_()` and `ngettext()` translate into the current language, which the command line sets.
Code below the command line does not know the language: it makes a Sentence, which is translated later, or marks a text
with `N_()`.
"""

import gettext
import locale
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

Lang = Literal["zh", "en"]
Translate = Callable[[str], str]
"""English text -> the same text in another language."""

LOCALE: Final = Path(__file__).resolve().parent / "locale"
DOMAIN: Final = "counter_listener"
VARIABLES: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Environment variables in the order in which gettext reads them."""

N_: Final[Translate] = str
"""Marks a text for the catalogue; the text is translated where it is shown."""

_languages: Final[list[tuple[Lang, gettext.NullTranslations]]] = [("en", gettext.NullTranslations())]
"""A stack: the last language is the current one."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and the values of its fields, not translated yet. str() returns it in English."""

    text: str
    """As in the catalogue, with the fields of str.format."""
    values: Mapping[str, object] = field(default_factory=dict)
    """By field; values that are Sentences are translated too."""

    def translated(self, translate: Translate) -> str:
        """The text in the language of `translate`, with its values."""
        values = {
            name: value.translated(translate) if isinstance(value, Sentence) else value
            for name, value in self.values.items()
        }
        return translate(self.text).format(**values)

    def __str__(self) -> str:
        return self.translated(str)


def sentence(text: str, **values: object) -> Sentence:
    """A Sentence of a text of the catalogue and its values."""
    return Sentence(text, values)


def _(text: str) -> str:
    """The text in the current language."""
    return _languages[-1][1].gettext(text) if text else ""  # gettext("") returns the header of the catalogue


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form of the text for `count`, in the current language. Its field `count` is not filled yet."""
    return _languages[-1][1].ngettext(singular, plural, count)


def current_language() -> Lang:
    """The language into which `_()` translates."""
    return _languages[-1][0]


@contextmanager
def use_language(lang: Lang) -> Iterator[None]:
    """Makes a language the current one inside a `with` block. Outside such a block it is English."""
    _languages.append((lang, _translations(lang)))
    try:
        yield
    finally:
        _languages.pop()


def translator(lang: Lang) -> Translate:
    """A function that translates our English texts; it returns a text without translation unchanged."""
    return _translations(lang).gettext


def _translations(lang: Lang) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, languages=[lang], fallback=True)


def choose_language(requested: str | None, environment: Mapping[str, str]) -> Lang:
    """The requested language, else that of the locale: Chinese for a Chinese locale, English for all others."""
    if requested:
        return "zh" if requested == "zh" else "en"
    name = next((environment[name] for name in VARIABLES if environment.get(name)), None)
    name = locale.getlocale()[0] or "" if name is None else name
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"

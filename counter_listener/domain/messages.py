"""The texts that people read, in their language: gettext catalogues in locale/, English where there is none.

Texts are English in the code. `_()` and `many()` give them in the language being spoken, which the command line decides
once, at its edge. Below it nothing knows a language: what is to be told later, or elsewhere, is a Sentence, and what
stands in a table of texts is marked with `N_()`.
"""

from __future__ import annotations

import gettext
import locale
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

Lang = Literal["zh", "en"]
Translate = Callable[[str], str]
"""English text -> the same in the reader's language. Called `_`, which is what the extraction looks for."""

LOCALE: Final = Path(__file__).resolve().parent / "locale"
DOMAIN: Final = "counter_listener"
VARIABLES: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""In the order in which gettext heeds them."""

N_: Final[Translate] = str
"""Marks a text for the catalogue that is put into the reader's language only where it is shown."""

_spoken: Final[list[tuple[Lang, gettext.NullTranslations]]] = [("en", gettext.NullTranslations())]
"""The language being spoken is the last."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text with what stands in its places, in no language yet: str() gives it in English."""

    text: str
    """As in the catalogue, its places as str.format has them."""
    values: Mapping[str, object] = field(default_factory=dict)
    """By place; Sentences among them are told in the same language."""

    def translated(self, translate: Translate) -> str:
        """The text in the language of `say`."""
        values = {
            name: one.translated(translate) if isinstance(one, Sentence) else one for name, one in self.values.items()
        }
        return translate(self.text).format(**values)

    def __str__(self) -> str:
        return self.translated(str)


def sentence(text: str, **values: object) -> Sentence:
    """A text of the catalogue with what stands in its places."""
    return Sentence(text, values)


def _(text: str) -> str:
    """The text in the language being spoken."""
    return _spoken[-1][1].gettext(text) if text else ""


def ngettext(one: str, several: str, count: int) -> str:
    """The text for so many, in the language being spoken; its place `count` is yet to be filled."""
    return _spoken[-1][1].ngettext(one, several, count)


def plural_text(one: str, several: str) -> tuple[str, str]:
    """Marks a text for the catalogue that has a plural."""
    return one, several


def current_language() -> Lang:
    """The language being spoken."""
    return _spoken[-1][0]


@contextmanager
def use_language(lang: Lang) -> Iterator[None]:
    """Within, texts are in this language; English is spoken where nothing was said."""
    _spoken.append((lang, _translations(lang)))
    try:
        yield
    finally:
        _spoken.pop()


def translator(lang: Lang) -> Translate:
    """What turns our English texts into the language; a text without translation stays as it is."""
    return _translations(lang).gettext


def _translations(lang: Lang) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, languages=[lang], fallback=True)


def choose_language(asked: str | None, environment: Mapping[str, str]) -> Lang:
    """The language asked for, else the one of the locale: Chinese where it is Chinese, English elsewhere."""
    if asked:
        return "zh" if asked == "zh" else "en"
    said = next((environment[name] for name in VARIABLES if environment.get(name)), None)
    name = said if said is not None else locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"

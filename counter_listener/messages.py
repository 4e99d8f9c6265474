"""The texts that people read, in their language: gettext catalogues in locale/, English where there is none."""

from __future__ import annotations

import gettext
import locale
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

Lang = Literal["zh", "en"]
Say = Callable[[str], str]
"""English text -> the same in the reader's language. Called `_`, which is what the extraction looks for."""

LOCALE: Final = Path(__file__).resolve().parent / "locale"
DOMAIN: Final = "counter_listener"
VARIABLES: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""In the order in which gettext heeds them."""


def translator(lang: Lang) -> Say:
    """What turns our English texts into the language; a text without translation stays as it is."""
    return gettext.translation(DOMAIN, LOCALE, languages=[lang], fallback=True).gettext


def language(asked: str | None, environment: Mapping[str, str]) -> Lang:
    """The language asked for, else the one of the locale: Chinese where it is Chinese, English elsewhere."""
    if asked:
        return "zh" if asked == "zh" else "en"
    said = next((environment[name] for name in VARIABLES if environment.get(name)), None)
    name = said if said is not None else locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"

"""The catalogue of texts: every text is in it, translated, and compiled; the locale decides where nobody says."""

from __future__ import annotations

import gettext
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from counter_listener import messages, report, verdicts

PACKAGE = Path(messages.__file__).parent
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
FOLDER = messages.LOCALE / "zh" / "LC_MESSAGES"


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with (FOLDER / f"{messages.DOMAIN}.po").open("rb") as file:
        return read_po(file, locale="zh")


def texts() -> Iterator[str]:
    for _, _, message, _, _ in extract_from_dir(PACKAGE, METHODS, keywords={"_": None}):
        assert isinstance(message, str)
        yield message


def test_every_text_is_in_the_catalogue_and_nothing_else(catalogue: Catalog) -> None:
    assert {str(one.id) for one in catalogue if one.id} == set(texts())


def test_every_text_is_translated_with_the_same_places_to_fill(catalogue: Catalog) -> None:
    for one in catalogue:
        if one.id:
            assert one.string, one.id
            assert not one.fuzzy, one.id
            assert places(str(one.string)) == places(str(one.id))


def places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_compiled_catalogue_is_the_one_that_people_edit(catalogue: Catalog) -> None:
    with (FOLDER / f"{messages.DOMAIN}.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for one in catalogue:
        if one.id:
            assert compiled.gettext(str(one.id)) == one.string


def test_why_something_cannot_be_told_has_a_text_in_each_language() -> None:
    written = {verdicts.SHARED, verdicts.LOST, verdicts.BESIDE_GAP, verdicts.NO_SPEECH}
    assert set(report.reasons(messages.translator("en"))) == written
    chinese = report.reasons(messages.translator("zh"))
    assert all(chinese[one] != one for one in written)


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [
        ("zh", {"LANG": "en_GB.UTF-8"}, "zh"),
        ("en", {"LANG": "zh_CN.UTF-8"}, "en"),
        (None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LC_ALL": "", "LANG": "zh_TW"}, "zh"),
        (None, {"LC_ALL": "en_US", "LANG": "zh_CN"}, "en"),
        (None, {"LANG": "Chinese (Simplified)_China"}, "zh"),
        (None, {"LANG": "C"}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_that_of_the_locale(
    asked: str | None, environment: dict[str, str], expected: str
) -> None:
    assert messages.language(asked, environment) == expected

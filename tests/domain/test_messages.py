"""The catalogue of texts: every text is in it, translated, and compiled; the locale selects the language by default."""

from __future__ import annotations

import gettext
import pickle
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from support.catalogue import CLICK, MO, composed, read, texts

from counter_listener.domain import messages
from counter_listener.domain.errors import AudioError, CounterListenerError, ModelError


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return read()


def test_every_text_is_in_the_catalogue_and_nothing_else(catalogue: Catalog) -> None:
    of_click = {each.id for each in catalogue if CLICK in each.auto_comments}
    assert {each.id for each in catalogue if each.id} - of_click == set(texts())


def test_no_text_is_composed_before_it_is_looked_up() -> None:
    assert list(composed()) == []


def test_every_text_is_translated_with_the_same_fields(catalogue: Catalog) -> None:
    for each in catalogue:
        if each.id:
            (*_, plural), (translation,) = forms(each.id), forms(each.string)
            assert translation, each.id
            assert not each.fuzzy, each.id
            assert fields(translation) == fields(plural), each.id


def forms(text: object) -> tuple[str, ...]:
    """The singular of a text, and its plural if it has one."""
    return text if isinstance(text, tuple) else (str(text or ""),)


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_compiled_catalogue_is_current(catalogue: Catalog) -> None:
    """If this fails: python tests/support/catalogue.py."""
    with MO.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for each in catalogue:
        if each.id:
            singular, *plural = forms(each.id)
            translation = compiled.ngettext(singular, plural[0], 2) if plural else compiled.gettext(singular)
            assert (translation,) == forms(each.string)


def test_a_sentence_is_translated_with_the_sentences_in_it() -> None:
    inner = messages.sentence("{name} is damaged; install the model again.", name="graph/{x}")
    outer = ModelError("{folder}: {what}", folder=Path("m"), what=inner)
    assert str(outer) == "m: graph/{x} is damaged; install the model again."
    assert outer.translated(messages.translator("zh")) == "m：graph/{x} 已损坏；请重新安装模型。"


@pytest.mark.parametrize(
    "error",
    [
        AudioError("{path} does not exist; check the name", path=Path("a{b}.wav")),
        ModelError(messages.sentence("{name} cannot be opened", name="x")),
    ],
)
def test_an_error_comes_from_another_process_unchanged(error: CounterListenerError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is type(error)
    for translate in (str, messages.translator("zh")):
        assert again.translated(translate) == error.translated(translate)


def test_a_sentence_ends_with_one_full_stop_of_its_language() -> None:
    zh = messages.translator("zh")
    for text in ("{path} does not exist; check the name", "--since must be before --until."):
        error = AudioError(text, path="x")
        assert str(error).endswith(".")
        assert not str(error).endswith("..")
        assert error.translated(zh).endswith("。")
        assert not error.translated(zh).endswith("。。")


def test_a_language_is_current_in_its_block_and_english_outside() -> None:
    assert messages._("Summary") == "Summary"
    with messages.use_language("zh"):
        assert messages._("Summary") == "汇总"
        assert messages.ngettext("{count} visit", "{count} visits", 2) == "{count} 次服务"
        with messages.use_language("en"):
            assert messages._("Summary") == "Summary"
        assert messages._("") == ""  # gettext would return the header of the catalogue
    assert messages.ngettext("{count} visit", "{count} visits", 1) == "{count} visit"
    assert messages.current_language() == "en"


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
def test_the_language_is_the_requested_one_or_that_of_the_locale(
    asked: str | None, environment: dict[str, str], expected: str
) -> None:
    assert messages.choose_language(asked, environment) == expected

"""The catalogue of texts: every text is in it, translated, and compiled; the locale decides where nobody says."""

from __future__ import annotations

import gettext
import pickle
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from support.catalogue import MO, composed, read, texts

from counter_listener.domain import messages
from counter_listener.domain.errors import AudioError, CounterListenerError, ModelError
from counter_listener.judging import verdicts
from counter_listener.reports import report


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return read()


def test_every_text_is_in_the_catalogue_and_nothing_else(catalogue: Catalog) -> None:
    assert {one.id for one in catalogue if one.id} == set(texts())


def test_no_text_is_put_together_before_it_is_looked_up() -> None:
    assert list(composed()) == []


def test_every_text_is_translated_with_the_same_places_to_fill(catalogue: Catalog) -> None:
    for one in catalogue:
        if one.id:
            (*_, several), (told,) = listed(one.id), listed(one.string)
            assert told, one.id
            assert not one.fuzzy, one.id
            assert places(told) == places(several), one.id


def listed(text: object) -> tuple[str, ...]:
    """A text for one, and that for several where there is one."""
    return text if isinstance(text, tuple) else (str(text or ""),)


def places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_compiled_catalogue_is_the_one_that_people_edit(catalogue: Catalog) -> None:
    with MO.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for one in catalogue:
        if one.id:
            first, *more = listed(one.id)
            told = compiled.ngettext(first, more[0], 2) if more else compiled.gettext(first)
            assert (told,) == listed(one.string)


def test_a_sentence_is_told_in_any_language_with_those_in_it() -> None:
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
def test_an_error_comes_whole_from_another_process(error: CounterListenerError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is type(error)
    for say in (str, messages.translator("zh")):
        assert again.translated(say) == error.translated(say)


def test_a_sentence_ends_with_one_full_stop_of_its_language() -> None:
    zh = messages.translator("zh")
    for text in ("{path} does not exist; check the name", "--since must be before --until."):
        error = AudioError(text, path="x")
        assert str(error).endswith(".")
        assert not str(error).endswith("..")
        assert error.translated(zh).endswith("。")
        assert not error.translated(zh).endswith("。。")


def test_a_language_is_spoken_until_its_end_and_english_before_and_after() -> None:
    assert messages._("Summary") == "Summary"
    with messages.use_language("zh"):
        assert messages._("Summary") == "汇总"
        assert messages.ngettext("{count} visit", "{count} visits", 2) == "{count} 次服务"
        with messages.use_language("en"):
            assert messages._("Summary") == "Summary"
        assert messages._("") == ""  # where gettext would give the head of the catalogue
    assert messages.ngettext("{count} visit", "{count} visits", 1) == "{count} visit"
    assert messages.current_language() == "en"


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
    assert messages.choose_language(asked, environment) == expected

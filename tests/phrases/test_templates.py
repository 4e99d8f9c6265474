"""Templates: what they spell, how many sentences that is, what is drawn from them, and what is refused."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.domain import Slot
from counter_listener.phrases import Template, TemplateError, split_units, template_reader
from counter_listener.phrases.templates import MAX_ORDERS


@dataclass
class Named:
    """The lists, rules and slots that the templates of this file use."""

    lists: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"doc": ("身份证", "卡", "存[折|单]"), "me": ("{me}",), "can": ("能", "不能")}
    )
    rules: dict[str, str] = field(
        default_factory=lambda: {
            "please": "(请|麻烦)[您]",
            "round": "<about>",
            "about": "<round>",
            "wide": "(" + "|".join("甲乙丙丁戊己庚辛壬癸") + ")",
        }
    )
    slots: dict[str, Slot] = field(default_factory=lambda: {"title": Slot(min=1, max=3), "any": Slot(min=0, max=2)})


def template(text: str) -> Template:
    return template_reader(Named()).read(text)


def spelled(text: str) -> set[str]:
    return {"".join(units) for units in template(text).expand(1_000)}


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("您好", "您好"),
        ("您 好，", "您好"),
        ("(您|你)好", "您好 你好"),
        ("您好[啊|呀]", "您好 您好啊 您好呀"),
        ("(签字;这里)", "签字这里 这里签字"),
        ("<please>坐", "请坐 请您坐 麻烦坐 麻烦您坐"),
        ("出示{doc}", "出示身份证 出示卡 出示存 出示存折 出示存单"),
        (
            "[[您]再](看|(点|数))一下",
            "看一下 点一下 数一下 再看一下 再点一下 再数一下 您再看一下 您再点一下 您再数一下",
        ),
        ("３號", "三号"),
        ("(您|你|您)好", "您好 你好"),
    ],
)
def test_a_template_spells_its_sentences(text: str, sentences: str) -> None:
    assert spelled(text) == set(sentences.split())
    assert template(text).sentences == len(sentences.split())


def test_a_slot_counts_once_and_is_filled_as_often_as_it_must() -> None:
    read = template("{title}您好{any}")
    assert (read.sentences, read.min_units) == (1, 2)
    assert read.draw(random.Random(1), "某") == "某您好"  # noqa: S311 - repeatable
    assert read.occurs_in(split_units("王先生您好啊"))
    assert not read.occurs_in(split_units("您好"))


def test_too_many_sentences_are_counted_and_not_spelled() -> None:
    many = template("<wide>" * 30)
    assert many.sentences == 10**30
    assert many.expand(1_000) == []


def test_the_shortest_sentence() -> None:
    assert template("[请]您[稍等|坐]").min_units == 1
    assert template("[请][您]").min_units == 0
    assert template("(请出示|看)[一下]{title}").min_units == 1


@pytest.mark.parametrize(
    ("text", "opposite"),
    [
        ("这[不]归我管", True),
        ("[没有]办法", True),
        ("<please>[别]动", True),
        ("(请|您)坐[啊]", False),
        ("不行[的]", False),
    ],
)
def test_a_negation_that_may_be_missing_says_the_opposite(text: str, *, opposite: bool) -> None:
    assert template(text).says_the_opposite == opposite


@pytest.mark.parametrize(
    ("text", "reason", "name"),
    [
        ("(您好", "it cannot be read: a bracket has no counterpart, or there is nothing in it", ""),
        ("您好]", "it cannot be read", ""),
        ("{doc", "it cannot be read", ""),
        ("{dox}", "neither [lists] nor [slots] has {dox}", "dox"),
        ("<pleese>坐", "[rules] does not have <pleese>", "pleese"),
        ("{me}", "a list or rule contains itself", ""),
        ("请<round>", "a list or rule contains itself", ""),
        ("(甲;乙;丙;丁;戊)", f"(a;b) has more than {MAX_ORDERS} parts", ""),
        ("(" + "|".join(f"<wide>{chr(0x4E00 + n)}" for n in range(500)) + ")", "it has more than", ""),
    ],
)
def test_a_template_that_cannot_be_read_is_refused_in_one_sentence(text: str, reason: str, name: str) -> None:
    with pytest.raises(TemplateError) as refused:
        template(text)
    assert str(refused.value).startswith(reason)
    assert refused.value.name == name


PIECES = st.recursive(
    st.sampled_from(["您", "好", "请慢走", "{doc}", "<please>"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({';'.join(parts)})"),
        st.lists(inner, min_size=1, max_size=3).map("".join),
        inner.map(lambda part: f"[{part}]"),
    ),
    max_leaves=6,
)


@given(PIECES, st.integers(0, 99))
def test_what_is_drawn_is_a_sentence_of_the_template(text: str, seed: int) -> None:
    read = template(text)
    drawn = split_units(read.draw(random.Random(seed)))  # noqa: S311 - repeatable
    assert len(drawn) >= read.min_units
    assert read.occurs_in(drawn) or not drawn
    sentences = read.expand(5_000)
    assert not sentences or drawn in sentences
    assert len(sentences) <= read.sentences


@given(PIECES, st.lists(st.sampled_from("您好请慢走身份证卡"), max_size=12).map(tuple))
def test_a_stretch_is_the_longest_of_its_sentences_that_begins_there(text: str, units: tuple[str, ...]) -> None:
    read = template(text)
    sentences = [sentence for sentence in read.expand(5_000) if sentence]
    begin = [
        [sentence for sentence in sentences if units[at : at + len(sentence)] == sentence] for at in range(len(units))
    ]
    expected = [(at, at + max(map(len, found))) for at, found in enumerate(begin) if found]
    assert list(read.stretches(units)) == expected or read.sentences > 5_000


def test_a_sentence_that_the_units_break_off_is_no_stretch() -> None:
    assert list(template("(您好|请)").stretches(("慢", "您"))) == []
    assert list(template("(走好|走)").stretches(("慢", "走"))) == [(1, 2)]


@given(st.text(alphabet="([{<>}])|;请您 {doc}", max_size=12))
def test_any_text_is_a_template_or_one_sentence(text: str) -> None:
    with suppress(TemplateError):
        assert template(text).sentences >= 1


def test_words_in_letters_stay_apart() -> None:
    read = template("(good morning|hello there)[ sir]")
    for seed in range(9):
        assert split_units(read.draw(random.Random(seed))) in read.expand(10)  # noqa: S311 - repeatable

"""The confusion costs and the other parameters of the matcher."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.matching.confusion import (
    SECTIONS,
    confusion_costs,
    confusion_table,
    insertion_costs,
    parameters,
    similar_syllables,
    split_syllable,
    syllable_bits,
    syllable_distance,
)
from counter_listener.phrases import pronounce, split_units, text_syllables

SOUNDS = st.sampled_from(sorted(syllable_bits()))


def test_every_parameter_has_its_reason() -> None:
    table = confusion_table()
    entries = [entry for kind in ("initial", "final", "syllable") for entry in table[kind]]
    assert [entry["pairs"] for entry in entries if not entry.get("why") or not 0 < entry["cost"] < 1] == []
    parts = [(name, table[section]) for section in SECTIONS for name in table[section] if not name.endswith("_why")]
    assert [name for name, section in parts if not section.get(f"{name}_why")] == []


def test_the_table_ranks_every_syllable_of_mandarin() -> None:
    sounds_of_all = {text_syllables(chr(code))[0] for code in range(0x4E00, 0x9FA6)}
    assert {sound for sound in sounds_of_all if re.fullmatch("[a-z]*[aeiouv][a-z]*", sound)} <= set(syllable_bits())


def test_every_part_that_the_table_names_is_in_mandarin() -> None:
    initials, finals = zip(*map(split_syllable, syllable_bits()), strict=True)
    for costs, known in zip(confusion_costs(), (initials, finals, syllable_bits()), strict=True):
        assert set(costs) <= set(known)


CONFUSED = "zi zhi,can chan,si shi,nan lan,fei hei,re le,jin jing,shen sheng,ban bang,lian liang,guan guang,zhen zeng"


@pytest.mark.parametrize("pair", CONFUSED.split(","))
def test_syllables_that_people_and_recognisers_confuse_cost_little(pair: str) -> None:
    first, second = pair.split()
    assert 0 < syllable_distance(first, second) <= 0.4


@pytest.mark.parametrize("pair", ["qing wo", "hao ma", "cun qu", "ge wei", "ok hao", "ok yes"])
def test_unrelated_syllables_cost_a_whole_one(pair: str) -> None:
    assert syllable_distance(*pair.split()) == 1


@given(SOUNDS, SOUNDS)
def test_the_distance_is_symmetric_and_zero_only_to_the_same_sound(first: str, second: str) -> None:
    assert syllable_distance(first, second) == syllable_distance(second, first)
    assert (syllable_distance(first, second) == 0) == (first == second)
    assert (second in similar_syllables(first)) == (syllable_distance(first, second) < 1)


def test_inserted_fillers_and_courtesies_cost_little() -> None:
    def costs(text: str) -> tuple[float, ...]:
        units = split_units(text)
        return insertion_costs(units, pronounce(units))

    figures = parameters()
    assert costs("嗯那个办") == (figures.filler_insertion,) * 3 + (figures.insertion,)
    assert costs("爱") == (2 * figures.filler_insertion,)  # the sound of a filler, 哎, in another character
    assert costs("一下") == (figures.filler_insertion,) * 2
    assert costs("一") == (figures.insertion,)

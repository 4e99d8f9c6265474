"""The table of confusions: what it holds, and how far apart it puts two sounds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.matching.confusion import (
    TABLE,
    confusion_table,
    insertion_costs,
    known_syllables,
    parameters,
    similar_syllables,
    split_syllable,
    syllable_distance,
)
from counter_listener.phrases.pinyin import pronounce, split_units, text_syllables

SOUNDS = st.sampled_from(sorted(known_syllables()))


def test_every_entry_of_the_table_has_its_reason() -> None:
    for kind in ("initial", "final", "syllable"):
        assert all(entry["why"] and 0 < entry["cost"] < 1 for entry in confusion_table()[kind])
    text = TABLE.read_text("utf-8")
    for key in (
        "fillers",
        "light",
        "from",
        "edge",
        "courtesy",
        "please",
        "stands_there",
        "takes_please",
        "whole",
        "at_a_loss",
        "pause",
        "half",
        "torn",
        "ended",
    ):
        assert re.search(rf"^{key}_why = ", text, re.MULTILINE), key


def test_the_table_ranks_every_syllable_of_mandarin() -> None:
    sounds_of_all = {text_syllables(chr(code))[0] for code in range(0x4E00, 0x9FA6)}
    assert {sound for sound in sounds_of_all if re.fullmatch("[a-z]*[aeiouv][a-z]*", sound)} <= known_syllables()


def test_every_part_that_the_table_names_is_in_mandarin() -> None:
    initials = {split_syllable(sound)[0] for sound in known_syllables()}
    finals = {split_syllable(sound)[1] for sound in known_syllables()}
    known = {"initial": initials, "final": finals, "syllable": known_syllables()}
    for kind, parts in known.items():
        named = {
            part for entry in confusion_table()[kind] for pair in entry["pairs"].split() for part in pair.split("-")
        }
        assert named <= parts, kind


CONFUSED = "zi zhi,can chan,si shi,nan lan,fei hei,re le,jin jing,shen sheng,ban bang,lian liang,guan guang,zhen zeng"


@pytest.mark.parametrize("pair", CONFUSED.split(","))
def test_what_people_and_recognisers_confuse_is_cheap(pair: str) -> None:
    one, other = pair.split()
    assert 0 < syllable_distance(one, other) <= 0.4


@pytest.mark.parametrize("pair", ["qing wo", "hao ma", "cun qu", "ge wei", "ok hao", "ok yes"])
def test_what_nobody_confuses_is_dear(pair: str) -> None:
    assert syllable_distance(*pair.split()) == 1


@given(SOUNDS, SOUNDS)
def test_the_distance_is_the_same_both_ways_and_nothing_only_from_itself(one: str, other: str) -> None:
    assert syllable_distance(one, other) == syllable_distance(other, one)
    assert (syllable_distance(one, other) == 0) == (one == other)
    assert (other in similar_syllables(one)) == (syllable_distance(one, other) < 1)


def test_fillers_and_courtesies_put_in_are_cheap() -> None:
    def costs(text: str) -> tuple[float, ...]:
        units = split_units(text)
        return insertion_costs(units, pronounce(units))

    told = parameters()
    assert costs("嗯那个办") == (told.added_cheap,) * 3 + (told.added,)
    assert costs("爱") == (2 * told.added_cheap,)  # the sound of a filler, 哎, written as another word
    assert costs("一下") == (told.added_cheap,) * 2
    assert costs("一") == (told.added,)


def test_the_counters_courtesies_are_known_syllables() -> None:
    assert set(text_syllables("您好请问谢谢再见对不起慢走")) <= known_syllables()

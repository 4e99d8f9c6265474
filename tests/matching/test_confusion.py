"""What a recogniser writes for a sound: the table of similar sounds, and the log-likelihood ratios."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.matching.confusion import (
    confusion_costs,
    confusion_model,
    confusion_table,
    fitted,
    insertion_scores,
    persons,
    similar_syllables,
    split_syllable,
    syllable_bits,
    syllable_distance,
    word_class,
)
from counter_listener.phrases import pronounce, split_units, text_syllables

SOUNDS = st.sampled_from(sorted(syllable_bits()))


def test_every_pair_and_every_class_of_words_has_its_reason() -> None:
    table = confusion_table()
    entries = [entry for kind in ("initial", "final", "syllable") for entry in table[kind]]
    assert [entry["pairs"] for entry in entries if not entry.get("why") or not 0 < entry["cost"] < 1] == []
    names = [name for name in table["words"] if not name.endswith("_why")]
    assert [name for name in names if not table["words"].get(f"{name}_why")] == []


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


def test_the_fitted_rates_are_probabilities() -> None:
    rates = {name: rate for name, rate in fitted()["confusion"]["rates"].items() if not name.endswith("_bits")}
    assert all(0 < rate < 1 for rate in rates.values())
    assert sum(rates[name] for name in ("same", "homophone", "similar", "other")) <= 1
    assert rates["same"] > max(rate for name, rate in rates.items() if name != "same")
    assert rates["light_deleted"] >= rates["deleted"]
    assert rates["filler_inserted"] >= rates["inserted"]


def test_the_same_character_says_more_than_a_homophone_and_that_more_than_another_sound() -> None:
    model = confusion_model()
    assert np.isfinite(model.scores).all()
    for sound, row in model.sounds.items():
        assert model.full_bits((sound,)) > model.scores[row, row] > model.other
        assert (model.scores[row] >= model.other - 1e-4).all()


@given(SOUNDS)
def test_similar_sounds_divide_one_probability_among_them(sound: str) -> None:
    model, bits = confusion_model(), syllable_bits()
    row = model.sounds[sound]
    likelier = {
        other for other, at in model.sounds.items() if other != sound and model.scores[row, at] > model.other + 1e-4
    }
    assert likelier <= set(similar_syllables(sound))
    chances = [2.0 ** (float(model.scores[row, model.sounds[other]]) - bits[other]) for other in likelier]
    assert sum(chances) <= model.rates["similar"] * 1.001


def test_what_is_no_syllable_of_mandarin_is_like_nothing() -> None:
    model = confusion_model()
    unknown = model.row("wifi")
    assert unknown == len(model.sounds)
    assert np.allclose(model.scores[unknown], model.other)
    assert np.allclose(model.scores[:, unknown], model.other)
    assert model.full_bits(("wifi",)) > 0 > model.other


@given(st.lists(SOUNDS, max_size=6), st.lists(SOUNDS, max_size=6))
def test_the_full_score_of_sounds_is_the_sum_of_theirs(first: list[str], second: list[str]) -> None:
    model = confusion_model()
    assert model.full_bits(first + second) == pytest.approx(model.full_bits(first) + model.full_bits(second))


def test_a_light_syllable_is_lost_more_easily() -> None:
    model = confusion_model()
    assert 0 > model.deletion("您") > model.deletion("银")


def test_inserted_fillers_and_courtesies_cost_little() -> None:
    def inserted(text: str) -> tuple[tuple[float, ...], tuple[bool, ...]]:
        units = split_units(text)
        return insertion_scores(units, pronounce(units))

    (light, _, _, heavy), fillers = inserted("嗯那个办")
    assert 0 > light > heavy
    assert fillers == (True, True, True, False)
    assert inserted("嗯那个办")[0] == (light, light, light, heavy)
    assert inserted("一下") == ((light, light), (True, True))
    assert inserted("一") == ((heavy,), (False,))
    assert inserted("") == ((), ())


def test_classes_of_words_do_not_contradict_one_another() -> None:
    assert not word_class("negations") & (word_class("fillers") | word_class("light"))
    assert all(word_class("negations") & set(word) for word in word_class("neutral_words") if set("不没别") & set(word))
    assert persons()["我"] != persons()["你"] == persons()["您"] != persons()["他"] == persons()["她"]

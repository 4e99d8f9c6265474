"""Text into syllables."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin.contrib.tone_convert import to_normal

from counter_listener.phrases import READINGS, split_units, text_syllables, tone


@pytest.mark.parametrize(
    ("text", "syllables"),
    [
        ("您好", "nin hao"),
        ("请 慢走 。", "qing man zou"),
        ("银行不行", "yin hang bu xing"),
        ("办不了，了解一下", "ban bu liao liao jie yi xia"),
        ("别着急，重新填", "bie zhao ji chong xin tian"),
        ("3号窗口OK吗", "san hao chuang kou ok ma"),
        ("女士", "nv shi"),
        ("How can I help you?", "how can i help you"),
        ("", ""),
        ("……", ""),
        ("３號櫃檯，ＯＫ嗎", "san hao gui tai ok ma"),
        ("請您稍後，謝謝", "qing nin shao hou xie xie"),
        ("Ⅻ號", "xii hao"),
    ],
)
def test_text_becomes_toneless_syllables(text: str, syllables: str) -> None:
    assert text_syllables(text) == tuple(syllables.split())


def test_full_width_and_traditional_text_has_the_units_of_plain_text() -> None:
    assert split_units("３號，ＯＫ嗎") == split_units("3号,ok吗") == ("三", "号", "ok", "吗")
    assert split_units("對不起，這個業務辦不了") == split_units("对不起，这个业务办不了")
    assert split_units("①②") == ("一", "二")


@given(st.text(alphabet="您好请谢再见出示了行办不号柜台", max_size=24))
def test_simplified_text_stays_as_it_is(text: str) -> None:
    assert split_units(text) == tuple(text)


@given(st.text(max_size=30))
def test_every_unit_of_any_text_has_one_syllable(text: str) -> None:
    assert len(text_syllables(text)) == len(split_units(text))
    assert all(text_syllables(text))


@given(st.text(alphabet="您好请谢再见出示了行办不 ，", max_size=24))
def test_spaces_do_not_change_syllables(text: str) -> None:
    assert text_syllables(" ".join(text)) == text_syllables(text)


def test_every_word_of_the_readings_is_read_as_listed() -> None:
    for word, syllables in READINGS.items():
        assert text_syllables(word) == tuple(map(to_normal, syllables))
        assert len(syllables) == len(word)


def test_a_tone_is_that_of_the_most_common_sound() -> None:
    assert [tone(unit) for unit in ("妈", "银", "好", "号", "得", "吗", "ok")] == ["1", "2", "3", "4", "5", "5", "5"]


def test_the_large_phrase_dictionary_of_pypinyin_is_not_loaded() -> None:
    code = "import counter_listener.phrases, sys; sys.exit('pypinyin.phrases_dict' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

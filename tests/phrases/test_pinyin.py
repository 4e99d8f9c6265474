"""Text into syllables."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.phrases.pinyin import split_units, text_syllables
from counter_listener.phrases.polyphones import READINGS


@pytest.mark.parametrize(
    ("text", "sounds"),
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
    ],
)
def test_text_becomes_toneless_syllables(text: str, sounds: str) -> None:
    assert text_syllables(text) == tuple(sounds.split())


@given(st.text(max_size=30))
def test_every_unit_has_one_sound_whatever_the_text(text: str) -> None:
    assert len(text_syllables(text)) == len(split_units(text))
    assert all(text_syllables(text))


@given(
    st.text(alphabet="您好请谢再见出示了行 ，", max_size=12), st.text(alphabet="您好请谢再见出示了行 ，", max_size=12)
)
def test_spaces_do_not_change_what_stands_alone(left: str, right: str) -> None:
    assert len(text_syllables(left + right)) == len(text_syllables(left)) + len(text_syllables(right))


def test_every_reading_that_stands_in_the_table_is_used() -> None:
    for word, marks in READINGS.items():
        assert len(text_syllables(word)) == len(marks.split()) == len(word)


def test_the_big_phrase_dictionary_is_not_loaded() -> None:
    code = "import counter_listener.pinyin, sys; sys.exit('pypinyin.phrases_dict' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 0

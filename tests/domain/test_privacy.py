"""What is masked, and what a terminal never gets to see."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.domain import json_line, mask_numbers, printable, readable


@pytest.mark.parametrize(
    "text",
    [
        "我的身份证是11010519491231002X",
        "卡号 6222 0200 1234 5678 901",
        "电话一三八零零一三八零零零",
        "幺三八零零幺三八零零零",
        "138-0013-8000",
        "验证码 四 五 六 七 八 九",
    ],
)
def test_long_numbers_are_masked(text: str) -> None:
    masked = mask_numbers(text)
    assert "＊＊＊" in masked
    assert not any(character in "0123456789一三八零幺" for character in masked)


@pytest.mark.parametrize("text", ["收您五千元", "请到3号窗口", "一共一万二千三百四十五元", "您好"])
def test_amounts_and_words_stay(text: str) -> None:
    assert mask_numbers(text) == text


ANY_TEXT = st.text(st.characters() | st.sampled_from("\r\n\v\f\x1c\x85\u2028\u2029\u202e\u2066\x1b\udcff"))


@given(ANY_TEXT)
def test_nothing_a_terminal_obeys_is_left_and_all_is_on_one_line(text: str) -> None:
    left = printable(text)
    assert len(left.splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in left)
    assert not set(left) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_a_line_break_becomes_a_space() -> None:
    assert printable("a\r\nb\u2028c\x85d") == "a b c d"


WHOLE_TEXT = ANY_TEXT.map(readable)


@given(st.dictionaries(WHOLE_TEXT, WHOLE_TEXT | st.lists(WHOLE_TEXT, max_size=2), max_size=3))
def test_json_on_one_line_is_read_as_it_was_written(value: dict[str, object]) -> None:
    line = json_line(value)
    assert len(line.splitlines()) == 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert line.encode("utf-8")
    assert json.loads(line) == value


@given(ANY_TEXT)
def test_json_shows_what_is_no_character_readably(text: str) -> None:
    assert json.loads(json_line({text: [text]})) == {readable(text): [readable(text)]}


def test_chinese_in_json_stays_readable() -> None:
    assert json_line({"heard": "您好"}) == '{"heard": "您好"}'

"""Recognised words as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.domain import written

NAMES = "零一二三四五六七八九"


@pytest.mark.parametrize(
    ("heard", "shown"),
    [
        ("请问 您 要 办理 什么 业务", "请问您要办理什么业务"),
        ("how can i help you", "how can i help you"),
        ("请 到 atm 机 上 取", "请到atm机上取"),
        ("一千 二百 块", "1200块"),
        ("请 到 三 号 窗口", "请到3号窗口"),
        ("十二 号 窗口", "12号窗口"),
        ("一共 一万 三千 五百 块钱", "一共13500块钱"),
        ("取 两万", "取2万"),
        ("三万五", "35000"),
        ("一百二", "120"),
        ("一百零五块", "105块"),
        ("一千零五十", "1050"),
        ("两千万", "2000万"),
        ("一亿三千万", "1亿3000万"),
        ("年利率 百分之 三 点 二", "年利率3.2%"),
        ("百分之十五", "15%"),
        ("二零二六年 一月 十五号", "2026年1月15号"),
        ("下午 三点 五十", "下午3点50"),
        ("等 十分钟", "等10分钟"),
        ("十块 五毛", "10块5毛"),
        ("请 稍等 一下", "请稍等一下"),
        ("万一 丢了", "万一丢了"),
        ("十分 抱歉", "十分抱歉"),
        ("有 一点 慢", "有一点慢"),
        ("一起 去 一块 走", "一起去一块走"),
        ("千万 别 告诉 别人", "千万别告诉别人"),
        ("两三个 人 七八个 人", "两三个人七八个人"),
        ("二三十 块", "二三十块"),
        ("一个 三张 第一 次 十个", "一个三张第一次十个"),
        ("百分百 放心", "百分百放心"),
        ("卡号 ＊＊＊", "卡号＊＊＊"),
        ("", ""),
    ],
)
def test_what_was_recognised_is_written_as_people_write_it(heard: str, shown: str) -> None:
    assert written(heard) == shown


def spelt(number: int) -> str:
    """A number from 11 to 9 999 in full words."""
    said, zero = "", False
    for size, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // size % 10
        if digit:
            said += ("零" if zero and said else "") + NAMES[digit] + name
            zero = False
        else:
            zero = bool(said)
    return said


@given(st.integers(11, 9999))
def test_every_number_in_words_is_its_figures(number: int) -> None:
    assert written(f"取{spelt(number)}块") == f"取{number}块"


@given(st.text(alphabet=NAMES + "十百千万亿点分 块号", max_size=12))
def test_nothing_that_is_heard_breaks_it(text: str) -> None:
    assert " " not in written(f"好{text}好")

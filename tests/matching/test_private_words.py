"""Names and numbers stay out of what is recorded of a hit, wherever they stand in it: only the template's words are."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from support.bundled import matcher
from support.small_counter import said, small

from counter_listener.domain import Hit
from counter_listener.matching import Matcher, find_in_utterance
from counter_listener.phrases import iter_templates
from counter_listener.phrases.templates import template_reader

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
COMPOUND = ("司马", "欧阳", "诸葛", "上官", "夏侯", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "宇文", "长孙")
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉红鹏华建国志新玉萍懿亮羽飞云策权瑜昭宁德瑞雪梅琳"
    "素珍莉凤洁淑琴晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琪宏海山仁波贵福生龙元全"
)
DIGITS = "零一二三四五六七八九幺"
ROLES = ("say", "shared", "when")


def private(rng: random.Random) -> str:
    """A name, or a number as it is said."""
    if rng.random() < 0.3:
        return "".join(rng.choices(DIGITS, k=rng.randint(3, 12)))
    surname = rng.choice(COMPOUND) if rng.random() < 0.3 else rng.choice(SURNAMES)
    return surname + "".join(rng.choices(GIVEN, k=rng.randint(1, 2)))


def sentences(phrases: Matcher, rng: random.Random) -> Iterator[tuple[str, str]]:
    """A private word, and a sentence of a random template that holds it: in a slot, or in any place between words."""
    reader = template_reader(phrases.phrases)
    texts = [text for key, _, text in iter_templates(phrases.phrases) if key.rpartition(".")[2] in ROLES]
    while True:
        text, word = rng.choice(texts), private(rng)
        drawn = reader.read(text).draw(rng, word)
        at = rng.randrange(1, len(drawn)) if len(drawn) > 1 else 1
        yield word, drawn if word in drawn else drawn[:at] + word + drawn[at:]


def hits(phrases: Matcher, sentence: str) -> tuple[Hit, ...]:
    found = find_in_utterance(phrases, said(sentence), prior="scenario")
    return (*found.phrases, *found.words, *found.offences, *found.triggers, *found.rules)


def is_subsequence(text: str, of: str) -> bool:
    rest = iter(of)
    return all(character in rest for character in text if character not in "… ")


@pytest.mark.parametrize(
    ("name", "count"), [("bank-counter", 80), pytest.param("bank-counter", 3000, marks=pytest.mark.campaign)]
)
def test_names_and_numbers_are_never_written_down(name: str, count: int) -> None:
    phrases, rng = matcher(name), random.Random(25)  # noqa: S311
    bridged = 0
    for _, (word, sentence) in zip(range(count), sentences(phrases, rng), strict=False):
        for hit in hits(phrases, sentence):
            assert is_subsequence(hit.heard, hit.wording), (sentence, hit)
            assert word not in hit.heard or word in hit.wording, (sentence, hit)
            bridged += "…" in hit.heard
    assert bridged > count / 4, "too few of them stood inside a hit"


@pytest.mark.parametrize(
    ("sentence", "heard"),
    [
        ("请您出示司马懿的身份证", "请"),
        ("请问诸葛亮您办理什么业务", "请问…您办理什么业务"),
        ("请问您办理三五七九什么业务", "请问您办理…什么业务"),
        ("清慢走", "请慢走"),
        ("欧阳经理您好", "您好"),
    ],
)
def test_what_stands_between_the_words_of_a_template_is_left_out(sentence: str, heard: str) -> None:
    assert heard in {hit.heard for hit in hits(small(), sentence)}
    assert not {hit.heard for hit in hits(small(), sentence) if set(hit.heard) & set("司马懿诸葛亮三五七九清欧阳")}

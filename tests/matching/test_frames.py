"""Frames: what stands in reported speech, a question or a condition accuses nobody."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.small_counter import said, timed

from counter_listener.domain import Findings, Hit
from counter_listener.matching import Matcher, find_in_utterance, prepare_matcher
from counter_listener.phrases.phrase_file import language_frames, validate

COUNTER = """
name = "框架"
version = "1"
visit = { opens = [], closes = [] }

[[stage]]
id = "serve"
title = "服务"
[[stage.phrase]]
id = "wait"
say = ["请稍等"]

[[forbidden]]
id = "hurry"
class = "催促"
say = ["动作快点"]
[[forbidden]]
id = "not-mine"
class = "推诿"
say = ["这事不归我管"]
[[forbidden]]
id = "self-signed"
class = "指责"
say = ["你自己签的"]
[[forbidden]]
id = "cannot"
class = "拒绝"
say = ["就是办不了"]

[[rule]]
id = "request-please"
title = "请求用请"
when = ["出示身份证"]
need = ["请"]

[[scenario]]
id = "card-lost"
title = "挂失"
when = ["卡丢了"]
"""
OWN = """
[[frame]]
id = "said"
title = "before, in the utterance"
reach = "utterance"
before = ["隔壁念叨"]
[[frame]]
id = "asked"
title = "after, right next to it"
reach = "next"
after = ["对吧"]
[[frame]]
id = "if"
title = "around, in the clause"
makes = "unknown"
around = ["如果"]
[[frame]]
id = "complaint"
title = "a customer's words"
makes = "shared"
reach = "utterance"
around = ["你们银行"]
[[frame]]
id = "quoted"
title = "an owed phrase"
of = ["phrase", "trigger"]
before = ["课本写着"]
"""
ZH = language_frames("zh")
MAKES = {frame["id"]: frame.get("makes", "nothing") for frame in ZH["frame"]}


@cache
def framed(frames: str) -> Matcher:
    """The matcher of COUNTER with one frame of Chinese, by its id, or with the frames in a text."""
    table: dict[str, Any] = tomllib.loads(COUNTER)
    only = [frame for frame in ZH["frame"] if frame["id"] == frames]
    table["frames"] = {**ZH, "frame": only} if only else tomllib.loads(frames)
    return prepare_matcher(validate(table, Path("test.toml")))


def hits(findings: Findings) -> list[Hit]:
    """The phrases, offences, triggers and broken rules of an utterance."""
    broken = [rule for rule in findings.rules if not rule.followed]
    return [*findings.phrases, *findings.offences, *findings.triggers, *broken]


def verdicts(frames: str, text: str) -> list[str]:
    """What frames make of each hit of a sentence: `unknown`, `shared`, or its id."""
    found = hits(find_in_utterance(framed(frames), said(text)))
    return ["unknown" if hit.frame else "shared" if hit.shared else hit.owner for hit in found]


FRAMED = {
    "reported": [
        "他说动作快点",
        "人家说这事不归我管",
        "上次大堂经理说就是办不了",
        "动作快点这种话",
        "听人说卡丢了",
    ],
    "quoted": ["电话里说请稍等", "骗子一般会说请稍等"],
    "warning": [
        "不许对客户说动作快点",
        "不许说就是办不了",
        "骗子让您动作快点",
        "动作快点这种话",
        "严禁跟客户讲动作快点",
    ],
    "one-sentence": ["半句动作快点", "动作快点这类话"],
    "spared": ["省得您动作快点"],
    "denial": ["没人说这事不归我管", "没有催您动作快点", "就是办不了的意思"],
    "apology-for-words": ["刚才我说动作快点", "动作快点这话不该说"],
    "question": ["动作快点吗", "就是办不了是吗", "是不是就是办不了"],
    "tag-question": ["动作快点，对不对"],
    "question-in-clause": ["怎么要出示身份证", "要不要出示身份证呢"],
    "identity": ["是你自己签的吗"],
    "condition": ["如果卡丢了", "要是就是办不了", "就是办不了的话"],
    "oneself": ["我也就是办不了", "我们先出示身份证"],
    "family": ["我妈卡丢了", "我儿子就是办不了"],
    "myself-to-blame": ["怪我，这事不归我管"],
    "third-person": ["他动作快点", "取款机就是办不了", "我妈就是办不了"],
    "help-offered": ["我帮您看看，这边就是办不了", "没关系，就是办不了"],
    "customer-speaks": ["你们银行动作快点", "我要取钱动作快点"],
    "not-needed": ["不用出示身份证", "已经出示身份证", "出示身份证就行"],
    "permitted": ["手机上出示身份证", "上次要出示身份证"],
    "inside-a-clause": ["隔壁念叨动作快点"],
}


def test_each_frame_of_chinese_has_sentences() -> None:
    assert set(FRAMED) == set(MAKES)


@pytest.mark.parametrize(("frame", "text"), [(frame, text) for frame, texts in FRAMED.items() for text in texts])
def test_a_frame_of_chinese_makes_of_a_sentence_what_the_file_says(frame: str, text: str) -> None:
    made = verdicts(frame, text)
    assert made == ([] if MAKES[frame] == "nothing" else [MAKES[frame]])


@pytest.mark.parametrize("frame", FRAMED)
@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("动作快点", "hurry"),
        ("这事不归我管", "not-mine"),
        ("就是办不了", "cannot"),
        ("出示身份证", "request-please"),
        ("卡丢了", "card-lost"),
        ("请稍等", "wait"),
    ],
)
def test_without_a_frame_it_counts(frame: str, text: str, owner: str) -> None:
    assert verdicts(frame, text) == [owner]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("隔壁念叨动作快点", []),
        ("隔壁念叨，动作快点", []),
        ("动作快点隔壁念叨", ["hurry"]),
        ("动作快点对吧", []),
        ("动作快点啊对吧", []),
        ("动作快点天地人对吧", ["hurry"]),
        ("对吧动作快点", ["hurry"]),
        ("如果动作快点", ["unknown"]),
        ("动作快点如果", ["unknown"]),
        ("如果，动作快点", ["hurry"]),
        ("你们银行，天地人动作快点", ["shared"]),
        ("动作快点天地人，你们银行", ["shared"]),
        ("课本写着请稍等", []),
        ("课本写着卡丢了", []),
        ("课本写着动作快点", ["hurry"]),
        ("隔壁念叨请稍等", ["wait"]),
        ("隔壁念叨出示身份证", []),
        ("如果出示身份证", ["unknown"]),
    ],
)
def test_a_frame_has_a_place_a_reach_and_roles(text: str, made: list[str]) -> None:
    assert verdicts(OWN, text) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("你们银行如果动作快点", ["unknown"]),
        ("隔壁念叨如果动作快点", []),
        ("你们银行隔壁念叨动作快点", []),
    ],
)
def test_of_several_frames_the_strongest_counts(text: str, made: list[str]) -> None:
    assert verdicts(OWN, text) == made


def test_a_pause_ends_the_clause_of_a_frame() -> None:
    def frame_of(pause: float) -> str | None:
        utterance = timed(("如果", 0, 0.5), ("动作快点", 0.5 + pause, 1 + pause))
        (offence,) = find_in_utterance(framed(OWN), utterance).offences
        return offence.frame

    assert (frame_of(0.1), frame_of(0.5)) == ("if", None)


def test_a_phrase_in_a_frame_does_not_hide_an_offence() -> None:
    table: dict[str, Any] = tomllib.loads(COUNTER.replace("请稍等", "您动作快点办吧"))
    table["frames"] = tomllib.loads(OWN)
    matcher = prepare_matcher(validate(table, Path("test.toml")))
    assert [hit.owner for hit in hits(find_in_utterance(matcher, said("您动作快点办吧")))] == ["wait"]
    assert [hit.owner for hit in hits(find_in_utterance(matcher, said("课本写着您动作快点办吧")))] == ["hurry"]


def test_a_longer_template_of_a_frame_does_not_hide_a_shorter_one() -> None:
    assert verdicts("question", "就是办不了吗") == []

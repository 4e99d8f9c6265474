"""Why a phrase was not heard: the closest stretch, what differs, and what would have passed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.bundled import matcher
from support.command import run, transcript
from support.small_counter import FULL, small, talk, with_ticks

from counter_listener.judging.explanation import ExplainQuery, Explanation, explain


def explained(*texts: str, asked: ExplainQuery | None = None) -> list[Explanation]:
    return explain(with_ticks(talk(texts)), small(), asked or ExplainQuery())


def test_whatever_is_owed_and_not_heard_is_explained_and_nothing_else() -> None:
    assert explained(*FULL) == []
    missed = explained("您好", "请问您想吃什么菜", "请慢慢走来走去吧")
    assert [one.phrase for one in missed] == ["ask-need", "goodbye"]
    assert {one.verdict for one in missed} == {"not_heard"}


def test_the_syllables_stand_under_each_other() -> None:
    (one,) = explained("您好", "请问您想吃什么菜", "请慢走")
    assert (one.wording, one.start, one.passes) == ("请问您办理什么业务", 1.5, False)
    pairs = [(column.wanted, column.heard) for column in one.columns]
    assert pairs[:3] == [("请", "请"), ("问", "问"), ("您", "您")]
    assert ("什", "什") in pairs
    assert one.closeness < one.line <= 100


def test_the_cure_cures() -> None:
    (one,) = explained("您好", "请问您想吃什么菜", "请慢走")
    assert one.cure
    assert set(one.cure) <= set("办理业务")
    assert len(one.cure) < 4
    mended = "".join(column.wanted if column.wanted in one.cure else column.heard for column in one.columns)
    assert explained("您好", mended, "请慢走") == []


def test_a_phrase_asked_for_is_explained_though_it_was_heard() -> None:
    (one,) = explained(*FULL, asked=ExplainQuery(phrase="goodbye"))
    assert (one.verdict, one.passes, one.closeness, one.cure) == ("heard", True, 100, ())


def test_words_that_were_taken_for_another_phrase_say_for_which(tmp_path: Path) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "欢迎光临"), (5, 7, "请问您办理什么业务")])
    (told,) = [
        one
        for line in run("explain", file, "--format", "jsonl").stdout.splitlines()
        if (one := json.loads(line))["phrase"] == "goodbye"
    ]
    assert (told["verdict"], told["passes"], told["instead"]) == ("not_heard", True, ["hello"])
    assert "问候语 (hello) explains these words better" in run("explain", file, "--lang", "en").stdout
    (heard,) = explained(*FULL, asked=ExplainQuery(phrase="goodbye"))
    assert heard.instead == ()


def test_a_time_asked_for_shows_what_came_closest_there() -> None:
    texts = ["您好欢迎光临", "请问您办理什么业务", *["我想取两万块钱"] * 8, "请慢走"]
    near = explained(*texts, asked=ExplainQuery(at=20.0))
    assert near
    assert all(abs(one.start - 20.0) <= 15 for one in near)


def test_a_request_without_its_please_is_explained_by_that(tmp_path: Path) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (2, 4, "您出示一下身份证"), (6, 7, "再见")])
    told = json.loads(run("explain", file, "--phrase", "ask-id-card", "--format", "jsonl").stdout)
    assert (told["unsaid"], told["cure"], told["passes"]) == (["请"], ["请"], False)
    assert (told["start"], told["heard"]) == (2.0, "您出示一下身份证")
    shown = run("explain", file, "--phrase", "ask-id-card", "--lang", "en").stdout
    assert "请 is missing" in shown
    assert "without 请 it is another sentence" in shown
    assert "没有 请 就是另一句话" in run("explain", file, "--phrase", "ask-id-card", "--lang", "zh").stdout


def test_what_breaks_off_is_explained_by_the_phrase_that_begins_so_too(tmp_path: Path) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (8, 9, "麻烦您"), (16, 17, "再见")])
    told = json.loads(run("explain", file, "--phrase", "sorry-trouble", "--format", "jsonl").stdout)
    assert (told["wording"], told["broken_off"], told["cure"], told["passes"]) == ("麻烦您了", True, ["了"], False)
    shown = run("explain", file, "--phrase", "sorry-trouble", "--lang", "en").stdout
    assert "another phrase begins so, too" in shown
    assert "by chance" not in shown
    assert "别的说法也这样开头" in run("explain", file, "--phrase", "sorry-trouble", "--lang", "zh").stdout


def test_numbers_are_masked_and_slots_left_out() -> None:
    found = explained("王先生您好", "请问您办理什么", "六二二二零零一二三四五六七八九零一二三", "请慢走")
    told = " ".join(json.dumps([one.heard, [c.heard for c in one.columns]], ensure_ascii=False) for one in found)
    assert "王" not in told


@pytest.mark.parametrize("form", ["table", "jsonl"])
def test_the_command_explains_a_transcript(tmp_path: Path, form: str) -> None:
    file = tmp_path / "monday.jsonl"
    transcript(file, [(0, 1, "您好"), (5, 7, "请收好您的证件"), (9, 10, "请走")])
    result = run("explain", str(file), "--format", form)
    assert result.exit_code == 0
    assert "goodbye" in result.stdout
    assert "请慢走" in result.stdout
    if form == "jsonl":
        assert {"closeness", "line", "columns", "cure"} <= json.loads(result.stdout.splitlines()[-1]).keys()


def test_an_unknown_phrase_is_refused_in_one_sentence(tmp_path: Path) -> None:
    result = run("explain", str(tmp_path / "none.jsonl"), "--phrase", "goodby")
    assert result.exit_code == 2
    assert "did you mean 'goodbye'" in result.stderr


def test_a_recording_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    result = run("explain", str(tmp_path / "none.jsonl"))
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1


def test_the_line_that_is_shown_is_the_one_that_a_mishearing_must_reach() -> None:
    def goodbye(text: str) -> Explanation:
        items = with_ticks(talk([text]))
        return min(explain(items, matcher(), ExplainQuery(phrase="goodbye")), key=lambda one: one.line - one.closeness)

    alone, amid = goodbye("您愉快"), goodbye("我觉得您愉快就行了")
    assert (alone.passes, amid.passes) == (True, False)
    assert alone.line <= alone.closeness
    assert amid.closeness < amid.line
    assert amid.cure == ("祝",)


@pytest.mark.parametrize(
    ("text", "phrase", "field", "english", "chinese"),
    [
        ("这是我们的责任", "not-our-duty", "contrary", "says the contrary", "意思相反"),
        ("我来办理存款", "complaint-solve", "torn", "part of another sentence", "另一句话的一部分"),
    ],
)
def test_what_is_another_sentence_is_explained_by_that(  # noqa: PLR0913 - a case has so many sides
    tmp_path: Path, text: str, phrase: str, field: str, english: str, chinese: str
) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (8, 9, text), (16, 17, "再见")])
    told = json.loads(run("explain", file, "--phrase", phrase, "--format", "jsonl").stdout)
    assert (text.startswith(told["heard"]), told[field], told["passes"]) == (True, True, False)
    for language, words in (("en", english), ("zh", chinese)):
        assert words in run("explain", file, "--phrase", phrase, "--lang", language).stdout


def test_an_offence_that_was_excused_is_explained_by_what_excused_it(tmp_path: Path) -> None:
    near = transcript(tmp_path / "near.jsonl", [(0, 1, "您好"), (2, 3, "不好意思"), (3.5, 5, "那我也没办法")])
    (told,) = [json.loads(run("explain", near, "--phrase", "cannot-help", "--format", "jsonl").stdout)]
    assert (told["verdict"], told["passes"], told["excused_by"]) == ("excused", True, ["不好意思"])
    assert "不好意思 beside it excuses it" in run("explain", near, "--phrase", "cannot-help", "--lang", "en").stdout
    assert "不算服务忌语" in run("explain", near, "--phrase", "cannot-help", "--lang", "zh").stdout
    far = transcript(tmp_path / "far.jsonl", [(0, 1, "您好"), (2, 3, "不好意思"), (9, 10, "那我也没办法")])
    told = json.loads(run("explain", far, "--phrase", "cannot-help", "--format", "jsonl").stdout)
    assert (told["verdict"], told["passes"], told["excused_by"]) == ("forbidden", True, [])
    assert "(cannot-help) was said." in run("explain", far, "--phrase", "cannot-help", "--lang", "en").stdout

"""Why a phrase was not heard: the closest stretch, what differs, and what would have passed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.bundled import matcher
from support.command import run, transcript
from support.small_counter import FULL, small, talk

from counter_listener.judging import Explanation, explain
from counter_listener.matching import Matcher
from counter_listener.pipeline import analyse, with_ticks


def explained(
    *texts: str, phrase: str | None = None, at: float | None = None, phrases: Matcher | None = None
) -> list[Explanation]:
    """The explanations for sentences that are said one after the other, at the small counter or with other phrases."""
    used = phrases or small()
    matched, events = analyse(with_ticks(talk(texts)), used)
    return explain(matched, events, used, phrase, at)


def test_owed_phrases_that_were_not_heard_are_explained_and_nothing_else() -> None:
    assert explained(*FULL) == []
    missed = explained("您好", "请问您想吃什么菜", "请慢慢走来走去吧")
    assert [one.phrase for one in missed] == ["ask-need", "goodbye"]
    assert {one.verdict for one in missed} == {"not_heard"}


def test_the_columns_align_wording_and_speech() -> None:
    (one,) = explained("您好", "请问您想吃什么菜", "请慢走")
    assert (one.wording, one.start, one.passes) == ("请问您办理什么业务", 1.5, False)
    pairs = [(column.wanted, column.heard) for column in one.columns]
    assert pairs[:3] == [("请", "请"), ("问", "问"), ("您", "您")]
    assert ("什", "什") in pairs
    assert one.closeness < one.line <= 100


def test_speech_with_the_suggested_correction_passes() -> None:
    (one,) = explained("您好", "请问您想吃什么菜", "请慢走")
    assert one.cure
    assert set(one.cure) <= set("办理业务")
    assert len(one.cure) < 4
    corrected = "".join(column.wanted if column.wanted in one.cure else column.heard for column in one.columns)
    assert explained("您好", corrected, "请慢走") == []


def test_a_phrase_asked_for_is_explained_though_it_was_heard() -> None:
    (one,) = explained(*FULL, phrase="goodbye")
    assert (one.verdict, one.passes, one.closeness, one.cure) == ("heard", True, 100, ())


def test_words_that_match_another_phrase_better_name_it(tmp_path: Path) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "欢迎光临"), (5, 7, "请问您办理什么业务")])
    (found,) = [
        one
        for line in run("explain", file, "--format", "jsonl").stdout.splitlines()
        if (one := json.loads(line))["phrase"] == "goodbye"
    ]
    assert (found["verdict"], found["passes"], found["instead"]) == ("not_heard", True, ["hello"])
    assert "问候语 (hello) explains these words better" in run("explain", file, "--lang", "en").stdout
    (heard,) = explained(*FULL, phrase="goodbye")
    assert heard.instead == ()


def test_a_time_that_is_asked_for_shows_the_closest_phrases_there() -> None:
    texts = ["您好欢迎光临", "请问您办理什么业务", *["我想取两万块钱"] * 8, "请慢走"]
    near = explained(*texts, at=20.0)
    assert near
    assert all(abs(one.start - 20.0) <= 15 for one in near)


def test_a_request_without_please_is_explained_by_the_missing_please(tmp_path: Path) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (2, 4, "您出示一下身份证"), (6, 7, "再见")])
    found = json.loads(run("explain", file, "--phrase", "ask-id-card", "--format", "jsonl").stdout)
    assert (found["unsaid"], found["cure"], found["passes"]) == (["请"], ["请"], False)
    assert (found["start"], found["heard"]) == (2.0, "您出示一下身份证")
    shown = run("explain", file, "--phrase", "ask-id-card", "--lang", "en").stdout
    assert "请 is missing" in shown
    assert "without 请 it is a different sentence" in shown
    assert "没有 请 就是另一句话" in run("explain", file, "--phrase", "ask-id-card", "--lang", "zh").stdout


def test_speech_that_breaks_off_is_explained_by_another_phrase_with_that_beginning(tmp_path: Path) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (8, 9, "麻烦您"), (16, 17, "再见")])
    found = json.loads(run("explain", file, "--phrase", "sorry-trouble", "--format", "jsonl").stdout)
    assert (found["wording"], found["broken_off"], found["cure"], found["passes"]) == ("麻烦您了", True, ["了"], False)
    shown = run("explain", file, "--phrase", "sorry-trouble", "--lang", "en").stdout
    assert "another phrase begins with the same words" in shown
    assert "by chance" not in shown
    assert "别的用语也以这几个字开头" in run("explain", file, "--phrase", "sorry-trouble", "--lang", "zh").stdout


def test_the_speech_in_a_slot_is_left_out() -> None:
    (found,) = explained("王先生您好", *FULL[1:], phrase="hello")
    assert (found.wording, found.heard) == ("{title}您好", "您好")
    assert [column.heard for column in found.columns] == ["…", "您", "好"]


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


def test_a_recording_that_cannot_be_read_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    result = run("explain", str(tmp_path / "none.jsonl"))
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1


def test_the_threshold_that_is_shown_is_the_one_that_must_be_reached() -> None:
    def goodbye(text: str) -> Explanation:
        found = explained(text, phrase="goodbye", phrases=matcher())
        return min(found, key=lambda one: one.line - one.closeness)

    alone, amid = goodbye("您愉快"), goodbye("我觉得您愉快就行了")
    assert (alone.passes, amid.passes) == (True, False)
    assert alone.line <= alone.closeness
    assert amid.closeness < amid.line
    assert amid.cure == ("祝",)


@pytest.mark.parametrize(
    ("text", "phrase", "field", "english", "chinese"),
    [
        ("这是我们的责任", "not-our-duty", "contrary", "says the opposite", "意思相反"),
        ("我来办理存款", "complaint-solve", "torn", "belongs to another sentence", "只是另一句话里的几个字"),
    ],
)
def test_another_meaning_is_explained(  # noqa: PLR0913 - the columns of the table above
    tmp_path: Path, text: str, phrase: str, field: str, english: str, chinese: str
) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (8, 9, text), (16, 17, "再见")])
    found = json.loads(run("explain", file, "--phrase", phrase, "--format", "jsonl").stdout)
    assert (text.startswith(found["heard"]), found[field], found["passes"]) == (True, True, False)
    for language, words in (("en", english), ("zh", chinese)):
        assert words in run("explain", file, "--phrase", phrase, "--lang", language).stdout


def test_an_excused_offence_is_explained_by_the_context_that_excuses_it(tmp_path: Path) -> None:
    near = transcript(tmp_path / "near.jsonl", [(0, 1, "您好"), (2, 3, "不好意思"), (3.5, 5, "那我也没办法")])
    (found,) = [json.loads(run("explain", near, "--phrase", "cannot-help", "--format", "jsonl").stdout)]
    assert (found["verdict"], found["passes"], found["excused_by"]) == ("excused", True, ["不好意思"])
    assert "不好意思 nearby excuses it" in run("explain", near, "--phrase", "cannot-help", "--lang", "en").stdout
    assert "不算服务忌语" in run("explain", near, "--phrase", "cannot-help", "--lang", "zh").stdout
    far = transcript(tmp_path / "far.jsonl", [(0, 1, "您好"), (2, 3, "不好意思"), (9, 10, "那我也没办法")])
    found = json.loads(run("explain", far, "--phrase", "cannot-help", "--format", "jsonl").stdout)
    assert (found["verdict"], found["passes"], found["excused_by"]) == ("forbidden", True, [])
    assert "(cannot-help) was said." in run("explain", far, "--phrase", "cannot-help", "--lang", "en").stdout

"""Why a verdict was given: the closest speech, what differs, what counts, and what would have passed."""

from __future__ import annotations

import json
from math import exp
from pathlib import Path
from typing import Any

import pytest
from support.command import run, transcript
from support.small_counter import FRAMED, FULL, SMALL, SMALL_FILE, matcher_of, small, talk

from counter_listener.judging import Explanation, explain
from counter_listener.matching import Matcher
from counter_listener.pipeline import analyse, with_ticks

WELCOME = (
    SMALL
    + """
[[stage]]
id = "entrance"
title = "欢迎"
[[stage.phrase]]
id = "welcome"
title = "欢迎语"
say = ["欢迎光临"]
"""
)
"""The small counter with a phrase that is a part of another one."""


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


def explain_command(file: Path, *words: object, phrases: Path = SMALL_FILE) -> dict[str, Any]:
    """The only explanation that the command prints for a transcript."""
    (line,) = run("explain", file, "--phrases", phrases, *words, "--format", "jsonl").stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def shown(file: Path, *words: object, phrases: Path = SMALL_FILE, lang: str = "en") -> str:
    """What the command prints for people, without line breaks."""
    return " ".join(run("explain", file, "--phrases", phrases, *words, "--lang", lang).stdout.split())


def test_the_columns_align_wording_and_speech() -> None:
    (one,) = explained("您好", "请问您想吃什么菜", "请慢走")
    assert (one.wording, one.start, one.passes) == ("请问您办理什么业务", 1.5, False)
    pairs = [(column.wanted, column.heard) for column in one.columns]
    assert pairs[:3] == [("请", "请"), ("问", "问"), ("您", "您")]
    assert ("什", "什") in pairs
    assert [column.same for column in one.columns] == [wanted == heard for wanted, heard in pairs]
    assert all(column.bits > 0 for column in one.columns if column.same)
    assert one.posterior < one.threshold < 1


def test_the_features_sum_to_the_posterior() -> None:
    (one,) = explained(*FULL[:1], "请问您办里生么业务", *FULL[2:], phrase="ask-need")
    assert 1 / (1 + exp(-sum(one.shares.values()))) == pytest.approx(one.posterior, abs=0.02)
    assert {"bias", "evidence", "share", "alike", "expected"} <= set(one.shares)
    assert one.likely


def test_speech_with_the_suggested_correction_passes() -> None:
    (one,) = explained("您好", "请问您想吃什么菜", "请慢走")
    assert one.cure
    assert set(one.cure) <= set("办理业务")
    corrected = "".join(column.wanted if column.wanted in one.cure else column.heard for column in one.columns)
    assert explained("您好", corrected, "请慢走") == []


def test_a_phrase_asked_for_is_explained_though_it_was_heard() -> None:
    (one,) = explained(*FULL, phrase="goodbye")
    assert (one.verdict, one.passes, one.closeness, one.cure) == ("heard", True, 100, ())


def test_words_that_match_another_phrase_better_name_it(tmp_path: Path) -> None:
    (found,) = explained(*FULL, phrase="welcome", phrases=matcher_of(WELCOME))
    assert (found.verdict, found.passes, found.instead) == ("passes", True, ("hello",))
    (tmp_path / "set.toml").write_text(WELCOME, encoding="utf-8")
    file = transcript(tmp_path / "a.jsonl", [(0, 2, "您好欢迎光临"), (5, 7, "请问您办理什么业务")])
    text = shown(file, "--phrase", "欢迎语", phrases=tmp_path / "set.toml")
    assert "欢迎语 (welcome) passes." in text
    assert "您好 (hello) explains these words better" in text
    (heard,) = explained(*FULL, phrase="goodbye")
    assert heard.instead == ()


def test_a_time_that_is_asked_for_shows_the_closest_phrases_there() -> None:
    texts = ["您好欢迎光临", "请问您办理什么业务", *["我想取两万块钱"] * 8, "请慢走"]
    near = explained(*texts, at=25.0)
    assert near[0].phrase == "goodbye"
    assert [one.posterior for one in near] == sorted((one.posterior for one in near), reverse=True)
    assert all(abs(one.start - 25.0) <= 15 for one in near)


def test_an_offence_and_a_broken_rule_are_explained_without_being_asked_for(tmp_path: Path) -> None:
    found = explained(FULL[0], "这事不归我管", *FULL[1:3], "您出示一下身份证", FULL[4])
    assert [(one.phrase, one.verdict) for one in found] == [("not-mine", "forbidden"), ("request-please", "broken")]
    assert [(one.wording, one.passes) for one in found] == [("这事不归我管", True), ("出示…", True)]
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (2, 4, "您出示一下身份证"), (6, 7, "再见")])
    assert "请求用请 (request-please) was broken." in shown(file, "--phrase", "请求用请")
    assert "without what the rule needs" in shown(file)
    assert explain_command(file, "--phrase", "request-please")["verdict"] == "broken"


def test_the_speech_in_a_slot_is_left_out() -> None:
    titled = matcher_of(SMALL.replace('"您好", "您好欢迎光临", "{title}您好"', '"{title}您好"'))
    (found,) = explained("王先生您好", *FULL[1:], phrase="hello", phrases=titled)
    assert (found.wording, found.heard) == ("…您好", "您好")
    assert [column.heard for column in found.columns[-2:]] == ["您", "好"]
    assert {column.heard for column in found.columns[:-2]} == {"…"}


@pytest.mark.parametrize("form", ["table", "jsonl"])
def test_the_command_explains_a_transcript(tmp_path: Path, form: str) -> None:
    file = tmp_path / "monday.jsonl"
    transcript(file, [(0, 1, "您好"), (5, 7, "请收好您的证件"), (9, 10, "请走")])
    result = run("explain", str(file), "--phrases", SMALL_FILE, "--format", form)
    assert result.exit_code == 0
    assert "goodbye" in result.stdout
    assert "请慢走" in result.stdout
    if form == "jsonl":
        assert {"closeness", "posterior", "threshold", "shares", "veto", "frame", "columns", "cure"} <= json.loads(
            result.stdout.splitlines()[-1]
        ).keys()


def test_an_unknown_phrase_is_refused_in_one_sentence(tmp_path: Path) -> None:
    def refusal(phrase: str) -> str:
        result = run("explain", tmp_path / "none.jsonl", "--phrases", SMALL_FILE, "--phrase", phrase)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        return result.stderr

    assert "did you mean 'goodbye'" in refusal("goodby")
    assert "did you mean '请求用请'" in refusal("请求用谢")


def test_times_are_seconds_or_minutes_and_seconds(tmp_path: Path) -> None:
    lines = [(0, 2, "您好欢迎光临"), (61, 63, "请慢走")]
    file = transcript(tmp_path / "a.jsonl", [(float(start), float(end), text) for start, end, text in lines])
    for at in ("62", "1:02", "0:01:02"):
        assert explain_command(file, "--phrase", "goodbye", "--at", at)["start"] == 61.0
    assert run("explain", file, "--phrases", SMALL_FILE, "--phrase", "goodbye", "--at", "0:10").exit_code == 0
    assert explain_command(file, "--phrase", "hello", "--at", "0:10")["start"] == 0.0
    for wrong in ("soon", "-1", "1:2:3:4", "inf", "nan"):
        result = run("explain", file, f"--at={wrong}")
        assert (result.exit_code, f"{wrong!r} is not a time" in result.stderr) == (2, True), wrong


def test_a_recording_that_cannot_be_read_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    result = run("explain", str(tmp_path / "none.jsonl"), "--phrases", SMALL_FILE)
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1


def test_a_phrase_with_a_threshold_of_its_own_is_explained_by_it(tmp_path: Path) -> None:
    strict = SMALL.replace('say = ["请问您办理什么业务"]', 'say = ["请问您办理什么业务"]\nthreshold = 99')
    (one,) = explained("您好", "请问您办理生么业务", "请慢走", phrases=matcher_of(strict))
    assert (one.phrase, one.passes, one.least) == ("ask-need", False, 99)
    (tmp_path / "set.toml").write_text(strict, encoding="utf-8")
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (2, 4, "请问您办理生么业务")])
    text = shown(file, "--phrase", "ask-need", phrases=tmp_path / "set.toml")
    assert f"Closeness {one.closeness:g}, needed here 99: it does not pass." in text


def test_the_opposite_is_explained(tmp_path: Path) -> None:
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (8, 10, "这事归我管"), (16, 17, "再见")])
    found = explain_command(file, "--phrase", "not-mine")
    assert (found["heard"], found["veto"], found["passes"], found["cure"]) == ("这事归我管", "contrary", False, ["不"])
    assert found["verdict"] == "too far"
    assert "不 is missing" in shown(file, "--phrase", "not-mine")
    assert "It does not pass: it says the opposite." in shown(file, "--phrase", "not-mine")
    assert "意思相反" in shown(file, "--phrase", "not-mine", lang="zh")


def test_another_person_is_explained() -> None:
    (one,) = explained("您好", "这事不归他管", "请慢走", phrase="not-mine")
    assert (one.veto, one.passes) == ("person", False)


def test_an_offence_in_a_frame_is_explained_by_it(tmp_path: Path) -> None:
    phrases = tmp_path / "framed.toml"
    phrases.write_text(FRAMED, encoding="utf-8")
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (8, 11, "他上次说这事不归我管"), (16, 17, "再见")])
    found = explain_command(file, "--phrase", "not-mine", phrases=phrases)
    assert (found["verdict"], found["passes"], found["frame"]) == ("excused", True, "转述")
    assert "It does not count here: 转述." in shown(file, "--phrase", "not-mine", phrases=phrases)
    assert "属于“转述”，不算" in shown(file, "--phrase", "not-mine", phrases=phrases, lang="zh")


def test_an_offence_that_may_be_meant_otherwise_is_unknown(tmp_path: Path) -> None:
    (found,) = explained("您好", "要是这事不归我管", phrase="not-mine", phrases=matcher_of(FRAMED))
    assert (found.phrase, found.verdict, found.passes, found.frame) == ("not-mine", "unknown", True, "假设")
    phrases = tmp_path / "framed.toml"
    phrases.write_text(FRAMED, encoding="utf-8")
    file = transcript(tmp_path / "a.jsonl", [(0, 1, "您好"), (8, 11, "要是这事不归我管"), (16, 17, "再见")])
    assert "may be meant otherwise: 假设" in shown(file, "--phrase", "not-mine", phrases=phrases)


def test_a_phrase_that_is_reported_is_explained_by_the_frame() -> None:
    found = explained("您好", "他上次说请问您办理什么业务", "请慢走", phrases=matcher_of(FRAMED))
    assert [(one.phrase, one.verdict, one.frame) for one in found] == [("ask-need", "not_heard", "转述")]


def test_an_excused_offence_is_explained_by_the_context_that_excuses_it(tmp_path: Path) -> None:
    near = transcript(tmp_path / "near.jsonl", [(0, 1, "您好"), (2, 3, "对不起"), (3.5, 5, "钱没有了")])
    found = explain_command(near, "--phrase", "none-left")
    assert (found["verdict"], found["passes"], found["excused_by"]) == ("excused", True, ["对不起"])
    assert "对不起 nearby excuses it" in shown(near, "--phrase", "none-left")
    assert "不算服务忌语" in shown(near, "--phrase", "none-left", lang="zh")
    far = transcript(tmp_path / "far.jsonl", [(0, 1, "您好"), (2, 3, "对不起"), (9, 10, "钱没有了")])
    found = explain_command(far, "--phrase", "none-left")
    assert (found["verdict"], found["passes"], found["excused_by"]) == ("forbidden", True, [])
    assert "(none-left) was said." in shown(far, "--phrase", "none-left")

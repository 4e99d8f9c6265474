"""What the screen shows, read back from a terminal of 80 by 24, the log lines, and the keys."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import unicodedata
from dataclasses import asdict

import pyte
import pytest
from rich.console import Console
from rich.screen import Screen as FullTerminal
from support.bundled import matcher
from support.live_board import NOON, beat, begun, event, heard
from support.small_counter import timed

from counter_listener.cli.terminal.day import day_summary
from counter_listener.cli.terminal.screen import Screen, key_orders, visit_line, warning_line
from counter_listener.domain import Lang, MatchedUtterance, Verdict, use_language
from counter_listener.judging import advance, initial_state
from counter_listener.judging.visit import close_visit
from counter_listener.live.screen_state import ScreenState
from counter_listener.matching import find_in_utterance

if sys.platform != "win32":
    import pty
    import termios


def shown(board: ScreenState, lang: Lang = "zh", width: int = 80, height: int = 24) -> list[str]:
    """The lines that a terminal of this size then holds."""
    terminal = pyte.Screen(width, height)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, height=height, legacy_windows=False, highlight=False)
    with use_language(lang):
        console.print(FullTerminal(Screen(board, "12:00:01")), end="")
    text = out.getvalue()
    assert text.count("\n") == height - 1  # it never scrolls
    pyte.Stream(terminal).feed(text.replace("\n", "\r\n"))
    return [line.rstrip() for line in terminal.display]


def visit() -> ScreenState:
    board = begun()
    board.apply(event("visit_opened", 2.0))
    board.apply(heard("hello", 2.5, "问候语"))
    board.apply(heard("word-hello", 2.5, "您好", courtesy_word=True))
    board.apply(beat(20.0))
    return board


def test_phrases_tick_off_as_they_are_heard_and_pale_while_they_are_said() -> None:
    board = visit()
    text = "\n".join(shown(board))
    assert "✓ 问候语" in text
    assert "- 询问需求" in text
    assert "✓ 您好" in text
    board.apply({"guess": "请问您要办理什么业务", "ids": ["ask-need"]})
    text = "\n".join(shown(board))
    assert "✓ 询问需求" in text
    assert "刚听到：请问您要办理什么业务" in text
    board.apply({"guess": "", "ids": []})  # it was something else in the end
    assert "- 询问需求" in "\n".join(shown(board))
    assert board.visit is not None
    assert set(board.visit.heard) == {"hello", "word-hello"}


def test_a_hint_comes_when_a_phrase_is_due_and_goes_when_it_is_being_said() -> None:
    board = begun()
    board.apply(beat(2.5))
    board.apply({"guess": "我想取钱", "ids": [], "signs": ["errand-cash"]})
    board.apply({"guess": "", "ids": []})
    board.apply(event("visit_opened", 2.0))
    board.apply(beat(6.8))
    assert board.hint() is None
    board.apply(beat(7.0))
    hint = board.hint()
    assert hint is not None
    assert (hint.title, hint.say) == ("问候语", "您好")
    assert "该说“问候语”了，例如：“您好”" in "\n".join(shown(board))
    assert "Now: 问候语, such as “您好”" in "\n".join(shown(board, "en"))
    board.apply({"guess": "您好", "ids": ["hello"]})
    assert board.hint() is None


def offend(board: ScreenState, owner: str = "hurry-up", verdict: Verdict = "forbidden") -> None:
    detail = {"title": "快点", "severity": "minor"}
    board.apply(event("forbidden", 19.0, phrase=owner, verdict=verdict, detail=detail))


def test_an_offence_is_a_better_wording_for_a_while_and_is_never_called_one() -> None:
    board = visit()
    offend(board)
    text = "\n".join(shown(board))
    assert "换个说法：“不着急，您慢慢来”" in text
    assert "快点" not in text
    board.apply(beat(45.0))
    assert "换个说法" not in "\n".join(shown(board))


def test_what_a_customer_may_have_said_is_no_offence_on_the_screen() -> None:
    board = visit()
    offend(board, verdict="unknown")
    assert "换个说法" not in "\n".join(shown(board))


def test_by_choice_a_better_wording_comes_after_the_visit_or_never() -> None:
    for choice, expected in (("after", True), ("never", False)):
        board = visit()
        board.when_advised = choice  # type: ignore[assignment]
        offend(board)
        assert "换个说法" not in "\n".join(shown(board))
        counts = {"owed": 4, "heard": 1, "forbidden": 1, "broken": 0}
        detail = {"grade": "合格", "passed": True, "counts": counts, "lost_audio": False, "opened": 2.0}
        board.apply(event("visit_closed", 62.0, score=80.0, detail=detail))
        assert ("换个说法：“不着急，您慢慢来”" in "\n".join(shown(board))) == expected


def test_gaps_are_shown_with_time_and_reason() -> None:
    board = visit()
    reason = "the microphone gave no sound for a while"
    board.apply(event("gap", 10.0, detail={"seconds": 3.0, "reason": reason}))
    board.apply({"restarting": "the listener hung and was started anew", "in": 0.5})
    text = "\n".join(shown(board))
    assert "声音缺失 3 秒：麦克风暂时没有声音" in text
    assert "没听到的不算没说" in text
    assert "正在重启" in text
    assert "停止响应，已重新启动" in text
    board.apply(beat(30.0))
    assert "正在监听" in "\n".join(shown(board))


def closed_board() -> ScreenState:
    board = begun()
    counter = initial_state(matcher().phrases)
    utterance = timed(("您好", 2.0, 2.5), ("请问您要办理什么业务", 2.5, 4.0))
    counter, opened = advance(counter, MatchedUtterance(utterance, find_in_utterance(matcher(), utterance), 10))
    _, closing = close_visit(counter, 30.0, "hand")
    for one in (*opened, *closing):
        board.apply({"event": asdict(one)})
    return board


def test_the_last_visit_and_the_day_are_shown() -> None:
    text = "\n".join(shown(closed_board()))
    assert "上一位：57.1 分 不合格" in text
    assert "没有听到：交还证件，告知办结、道别语" in text
    assert "今天：服务 1 次，合格 0 次，平均 57.1 分" in text
    assert "Today: 1 visit, 0 passed" in "\n".join(shown(closed_board(), "en"))


def day_of_visits() -> ScreenState:
    """A board after a day with long lists of what was missed."""
    board = closed_board()
    for number in range(2, 9):
        board.apply(event("visit_opened", 40.0 * number, visit=number))
        missed = {"title": "交还证件，告知办结", "required": True}
        board.apply(event("phrase", 40.0 * number, visit=number, phrase="x", verdict="not_heard", detail=missed))
        counts = {"owed": 4, "heard": 3, "forbidden": 0, "broken": 0}
        detail = {"grade": "良好", "passed": True, "counts": counts, "lost_audio": False, "opened": 40.0 * number}
        board.apply(event("visit_closed", 40.0 * number + 30, visit=number, score=87.5, detail=detail))
    return board


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_nothing_of_an_ordinary_day_is_cut(width: int, height: int) -> None:
    board = day_of_visits()
    board.apply(event("visit_opened", 400.0, visit=9))
    board.apply(event("phrase", 401.0, visit=9, phrase="complaint", verdict="heard", detail={"scenario": True}))
    board.apply(beat(430.0))
    words = "请 您 先 别 着急 这个 业务 需要 您 本人 带 身份证 来 办理 我 帮 您 看 一下 还 需要 什么 材料 好 吗"
    board.apply({"guess": words, "ids": []})
    text = "\n".join(shown(board, width=width, height=height))
    assert "…" not in text
    assert "什么材料好吗" in text.replace("\n", "")
    for stage in board.shown_stages():
        assert stage["title"] in text
        assert all(phrase["title"] in text for phrase in stage["phrases"] if phrase["required"])


def test_a_high_terminal_shows_the_visits_before_the_last() -> None:
    board = day_of_visits()
    assert "\n".join(shown(board, width=120, height=40)).count("87.5 分 良好") == 7
    assert "\n".join(shown(board)).count("87.5 分 良好") == 1


def test_of_a_long_sentence_the_newest_words_are_kept() -> None:
    board = visit()
    board.apply({"guess": "很长的话" * 90 + "最后几个字", "ids": []})
    text = "\n".join(shown(board))
    assert "最后几个字" in text
    assert "刚听到：…" in text


def test_words_are_shown_as_people_write_them() -> None:
    board = visit()
    board.apply({"guess": "一共 一千 二百 块 请 到 三 号 窗口", "ids": []})
    assert "刚听到：一共1200块请到3号窗口" in "\n".join(shown(board))


def test_a_muted_microphone_does_not_stop_the_clock() -> None:
    board = visit()
    assert "0:18" in "\n".join(shown(board))
    board.apply({**beat(20.0), "waited": 12.0})
    assert "0:30" in "\n".join(shown(board))


def test_a_mark_is_shown_as_long_as_it_can_be_taken_back_and_the_foot_names_its_key() -> None:
    board = visit()
    assert "n 不是我说的/判错了" in shown(board)[-1]
    board.apply({"marked": "快点", "for": 10.0})
    assert "已标记“快点”判得不对。u 撤销" in "\n".join(shown(board))
    board.apply(beat(30.5))
    assert "已标记" not in "\n".join(shown(board))
    board.apply({"marked": "快点", "for": 10.0})
    board.apply({"marked": ""})
    assert "已标记" not in "\n".join(shown(board))


def test_who_quits_sees_the_day() -> None:
    with use_language("zh"):
        told = list(day_summary(day_of_visits().day))
    assert told == [
        "今天：服务 8 次，合格 7 次，平均 83.7 分，忌语 0 次",
        "合格：有得分的 8 次服务中占 88%",
        "最常未听到：交还证件，告知办结（8 次）、道别语（1 次）",
    ]
    assert list(day_summary(begun().day)) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (132, 50), (40, 12)])
def test_it_fits_the_terminal_whatever_happens(lang: Lang, width: int, height: int) -> None:
    board = closed_board()
    board.apply(event("visit_opened", 40.0, visit=2))
    for stage in board.standard["stages"]:
        for phrase in stage["phrases"]:
            board.apply(heard(phrase["id"], 41.0, phrase["title"], required=False))
    for number in range(30):
        offence = {"title": f"推诿{number}" * 9, "severity": "minor"}
        board.apply(event("forbidden", 42.0, phrase="x", verdict="forbidden", detail=offence))
        board.apply(event("gap", 43.0, detail={"seconds": 1.0, "reason": "reason" * 30}))
    board.apply(event("phrase", 44.0, phrase="complaint", verdict="heard", detail={"title": "投诉", "scenario": True}))
    board.apply({"guess": "很长的话" * 60, "ids": []})
    board.apply({"trouble": "wrong" * 60})
    lines = shown(board, lang, width, height)
    assert {"zh": "空格", "en": "space"}[lang] in lines[-1]  # the foot is never pushed out
    assert "3" in lines[0] or width < 80


def test_what_is_shown_cannot_command_the_terminal() -> None:
    board = begun()
    board.apply({"guess": "a\x1b[2Jb\u202ec", "ids": []})
    assert "a[2Jbc" in "\n".join(shown(board))


def test_its_signs_are_one_column_wide_in_a_chinese_terminal() -> None:
    lines = shown(visit())
    signs = {char for line in lines for char in line if not char.isalnum() and not char.isascii()}
    drawn = signs - set("，。：“”、（）─　·")
    assert {unicodedata.east_asian_width(char) for char in drawn} <= {"N", "Na", "W", "F"}


def test_a_visit_is_one_line_in_the_log_with_no_words_of_the_customer() -> None:
    board = begun()
    board.apply({"guess": "我要取两万块钱", "ids": []})
    change = None
    for message in (
        event("visit_opened", 2.0),
        heard("hello", 2.5, "问候语"),
        event(
            "forbidden",
            5.0,
            phrase="x",
            verdict="forbidden",
            heard="你自己看",
            detail={"title": "推诿", "severity": "minor"},
        ),
    ):
        change = board.apply(message)
        assert visit_line(change, board) == ""
    counts = {"owed": 4, "heard": 1, "forbidden": 1, "broken": 0}
    detail = {"grade": "不合格", "passed": False, "counts": counts, "lost_audio": False, "opened": 2.0}
    change = board.apply(event("visit_closed", 62.0, score=15.0, detail=detail))
    with use_language("zh"):
        line = visit_line(change, board)
    assert "\n" not in line
    assert "柜台 3  第 1 次服务  1:00  15 分 不合格" in line
    assert "忌语 1" in line
    assert not {"我要取两万块钱", "你自己看"} & set(line.split())
    assert "取" not in line


@pytest.mark.parametrize(
    ("outcome", "word"), [("no_service", "不是服务"), ("not_understood", "没听懂"), ("incomplete", "不完整")]
)
def test_a_visit_that_was_not_judged_is_told_in_the_same_words_as_in_a_report(outcome: str, word: str) -> None:
    board = begun()
    counts = {"owed": 4, "heard": 0, "forbidden": 0, "broken": 0}
    detail = {"grade": None, "passed": None, "counts": counts, "lost_audio": False, "opened": 2.0, "outcome": outcome}
    board.apply(event("visit_opened", 2.0))
    board.apply(event("phrase", 60.0, phrase="hello", verdict="unknown", detail={"title": "问候语", "required": True}))
    change = board.apply(event("visit_closed", 60.0, detail=detail))
    with use_language("zh"):
        assert word in visit_line(change, board)
        assert word in "\n".join(shown(board))
        assert ("问候语" in visit_line(change, board)) == (outcome == "incomplete")
    assert board.day.visits == (outcome != "no_service")


def test_gaps_and_restarts_are_lines_of_their_own_and_beats_are_none() -> None:
    board = begun()
    assert warning_line(beat(2.0), board.apply(beat(2.0)), board, NOON) == ""
    message = event("gap", 10.0, detail={"seconds": 3.0, "reason": "the microphone was away"})
    assert "lost 3 s: the microphone was away" in warning_line(message, board.apply(message), board, NOON)
    message = {"restarting": "the listener hung and was started anew", "in": 2.0}
    assert "trying again in 2 s: the listener hung" in warning_line(message, board.apply(message), board, NOON)


def test_trouble_goes_once_sound_has_been_heard_for_a_while() -> None:
    board = begun()
    board.apply({"trouble": "The disk is full."})
    board.apply(beat(20.0))
    assert "The disk is full." in "\n".join(shown(board))
    board.apply(beat(40.0))
    assert "The disk is full." not in "\n".join(shown(board))


def test_another_language_has_its_own_screen() -> None:
    text = "\n".join(shown(begun("service-desk-en"), "en"))
    assert "Nobody at the counter" in text
    assert "- Greeting" in text


@pytest.mark.parametrize("width", [30, 41, 56, 80])
@pytest.mark.parametrize("name", ["bank-counter", "service-desk-en"])
def test_a_title_is_never_broken_or_parted_from_its_mark(name: str, width: int) -> None:
    board = begun(name)
    lines = shown(board, width=width)
    titles = [one["title"] for stage in board.shown_stages() for one in stage["phrases"] if one["required"]]
    titles += [one["title"] for one in board.standard["words"]]
    assert titles
    for title in titles:
        assert any(f"- {title}" in line for line in lines), title


KEYS = """
import fcntl, os, termios, time
from counter_listener.cli.terminal.screen import key_orders

os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
orders = []
with key_orders() as pressed:
    print("ready", flush=True)
    while len(orders) < 4:
        orders += pressed()
        time.sleep(0.02)
print(*orders, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_keys_are_orders_ctrl_c_too_and_the_terminal_is_restored() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    shown = b""
    with subprocess.Popen([sys.executable, "-c", KEYS], stdin=theirs, stdout=theirs) as child:
        while b"ready" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, b"x qQ\x03")
        while shown.count(b"\n") < 2:
            shown += os.read(ours, 1000)
        assert child.wait(10) == 0
    assert shown == b"ready\r\nspace stop stop stop\r\n"  # nothing echoed, line ends as usual
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_without_a_terminal_no_key_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(" q"))
    with key_orders() as pressed:
        assert pressed() == []
    assert sys.stdin.read() == " q"


@pytest.mark.parametrize(("lang", "sign"), [("zh", "正在留存片段"), ("en", "keeping clips")])
def test_that_clips_are_kept_is_shown_all_the_time_whatever_the_counter_is_called(lang: Lang, sign: str) -> None:
    board = visit()
    board.counter = "很长的柜台名称" * 12
    assert sign not in "\n".join(shown(board, lang))
    board.apply({"keeping": "questioned"})
    assert sign in shown(board, lang)[0]
    assert "dB" in shown(board, lang)[0]
    board.apply({"restarting": "x", "in": 1.0})
    assert sign in shown(board, lang)[0]
    board.apply({"stopped": 0})
    assert sign not in "\n".join(shown(board, lang))

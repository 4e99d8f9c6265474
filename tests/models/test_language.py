"""The program in the reader's language: which it is, that all it says is in it, and what never changes with it."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len
from support.command import FULL_VISIT, RUDE_VISIT, events, program, run, transcript

from counter_listener.cli.help import wrap_columns

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
RECORDING = FIXTURES / "forbidden.wav"


@pytest.mark.parametrize(
    "words",
    [
        ("--lang", "zh", "check", "--help"),
        ("check", "--help", "--lang", "zh"),
        ("check", "--lang=zh", "-h"),
        ("--lang", "en", "check", "--help", "--lang", "zh"),
    ],
)
def test_the_language_may_be_asked_for_anywhere(words: tuple[str, ...]) -> None:
    shown = run(*words).stdout
    assert "检查柜台服务的录音和转写稿" in shown
    assert "显示本说明并退出" in shown
    assert not re.search(r"\b(Usage|Options|default|Exit codes|Example)\b", shown)


@pytest.mark.parametrize(
    ("environment", "chinese"),
    [({"LANG": "zh_CN.UTF-8"}, True), ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, False), ({"LANGUAGE": "zh"}, True)],
)
def test_else_the_locale_decides(environment: dict[str, str], *, chinese: bool) -> None:
    kept = {name: one for name, one in os.environ.items() if name not in {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"}}
    shown = program("--help", env={**kept, **environment}).stdout
    assert ("用法：" in shown) is chinese
    assert ("Usage:" in shown) is not chinese


def test_a_language_lasts_no_longer_than_its_call() -> None:
    before = os.environ.get("LANGUAGE")
    assert "汇总" in run("--lang", "zh", "check", RECORDING, "--store", "none").stdout
    assert "Summary" in run("check", RECORDING, "--store", "none").stdout
    assert os.environ.get("LANGUAGE") == before


def test_what_check_shows_is_chinese_but_for_names() -> None:
    shown = run("--lang", "zh", "check", RECORDING, "--store", "none").stdout
    left = set(re.findall(r"[A-Za-z]{2,}", shown.replace(str(RECORDING), "")))
    assert left == set()
    assert "✗ 0:08 忌语（推诿，较重）：“你自己看”" in shown
    assert "得分 70  不合格  （合格线 80）" in shown


def test_its_table_stands_in_columns_though_signs_are_two_wide() -> None:
    lines = run("--lang", "zh", "check", RECORDING, "--store", "none").stdout.splitlines()
    head = next(line for line in lines if line.split()[:1] == ["阶段"])
    row = next(line for line in lines if "问候招呼" in line)
    at = [cell_len(head[: head.index(title)]) for title in ("用语", "听到的话")]
    assert at == [cell_len(row[: row.index(cell)]) for cell in ("✓ 问候语", "您好")]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_machines_read_is_the_same_in_every_language(tmp_path: Path, form: str) -> None:
    gone = tmp_path / "gone.wav"
    said = [run("--lang", lang, "check", RECORDING, gone, "--store", "none", "--format", form) for lang in ("en", "zh")]
    assert said[0].stdout == said[1].stdout
    assert "cannot be" in said[0].stdout or "does not exist" in said[0].stdout
    assert f"错误：{gone} 不存在；请检查名称。" in said[1].stderr


def test_what_is_recorded_is_the_same_in_every_language(tmp_path: Path) -> None:
    file = transcript(tmp_path / "2026-01-15_09-30-00.jsonl", RUDE_VISIT)
    told = []
    for lang, word in (("en", "Recorded 1 in"), ("zh", "已记录 1 个到")):
        store = tmp_path / f"{lang}.db"
        assert word in run("--lang", lang, "check", file, "--store", store).stderr
        rows = events(run("events", "--store", store, "--format", "jsonl"))
        told.append([{name: cell for name, cell in row.items() if name not in {"recorded", "chain"}} for row in rows])
    assert told[0] == told[1]


def test_what_worker_processes_find_wrong_is_told_in_the_language_asked_for(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    done = program("--lang", "zh", "check", tmp_path, "--store", "none", "--jobs", "2")
    assert done.stderr.count("文件头不完整或已损坏") == 2
    assert not re.search("header|damaged", done.stderr)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("check",), "缺少参数"),
        (("nothing",), "没有命令 'nothing'"),
        (("check", "x", "--jobs", "0"), "'--jobs' 的值无效：0 不在范围"),
        (("check", "x", "--fromat", "csv"), "没有选项 '--fromat'"),
        (("check", "x", "--format", "xml"), "'xml' 不在可选范围内"),
        (("check", "x", "--phrases", "bank-countr"), "没有用语集 'bank-countr'（是不是 'bank-counter'？）；现有"),
        (("report", "--format", "xlsx"), "错误：电子表格需要写入文件；请用 -o 文件 指定。"),
        (("events", "--store", "none"), "错误：--store 'none' 在这里不能作为记录"),
    ],
)
def test_errors_are_told_in_the_language_asked_for(words: tuple[str, ...], told: str) -> None:
    done = run("--lang", "zh", *words)
    assert told in done.stderr
    assert done.exit_code == 2


def test_a_phrase_set_is_explained_in_the_language_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text("name = 1\n", encoding="utf-8")
    assert "'name' 须为引号中的文本" in run("--lang", "zh", "phrases", "check", file).stderr


def test_the_doctor_speaks_chinese_and_tells_cures() -> None:
    shown = run("--lang", "zh", "doctor", "--seconds", "0.5", "--model", "nowhere").stdout
    assert re.search(r"✗ 模型：  +没有模型 'nowhere' -> 现有 .*counter-cn.*，或给出模型的文件夹", shown)
    starts = {cell_len(line[: re.match(r"\S+ \S+ +", line).end()]) for line in shown.splitlines()}  # type: ignore[union-attr]
    assert len(starts) == 1


def test_settings_are_written_in_the_language_asked_for_and_mean_the_same(tmp_path: Path) -> None:
    from counter_listener.live.config import read_config

    read = []
    for lang, word in (("zh", "柜台名称"), ("en", "Name of the counter")):
        file = tmp_path / f"{lang}.toml"
        assert run("--lang", lang, "init", file, "--counter", "3").exit_code == 0
        assert word in file.read_text(encoding="utf-8")
        read.append(read_config(file))
    assert read[0] == read[1]


def test_the_record_is_shown_in_the_language_asked_for(tmp_path: Path) -> None:
    store = tmp_path / "e.db"
    run("check", transcript(tmp_path / "2026-01-15_09-30-00.jsonl", FULL_VISIT), "--store", store)
    shown = run("--lang", "zh", "events", "--store", store).stdout
    assert shown.startswith("行号  时间  柜台")
    assert "已说" in shown
    assert "校验链完整" in run("--lang", "zh", "events", "verify", "--store", store).stdout


@pytest.mark.parametrize("room", [11, 24, 60])
def test_chinese_lines_are_broken_by_columns_and_never_before_a_stop(room: int) -> None:
    text = (
        "检查柜台服务的录音（WAV、MP3 等），一行一句：{“text”: “您好”}；加 --store none 则不记录。 [默认：数据文件夹]"
        * 3
    )
    lines = wrap_columns(text, room)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert cell_len(line) <= room + 4  # a word, or a sign with its stop, is not broken
        assert line[0] not in "，。；：、？！）”"
        assert line[-1] not in "（“["
        assert line == line.strip()


def test_no_line_of_chinese_help_is_wider_than_the_terminal() -> None:
    for command in ("check", "listen", "report", "models"):
        for line in run(command, "--help", "--lang", "zh").stdout.splitlines():
            assert sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line) <= 80, line

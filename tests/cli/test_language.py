"""The language of the program: how it is chosen, that all output is in it, and what does not depend on it."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len
from support.command import FULL_VISIT, RUDE_VISIT, events, program, run, transcript
from support.small_counter import SMALL_FILE

from counter_listener.cli.help import wrap_columns
from counter_listener.live import read_config

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
RECORDING = FIXTURES / "forbidden.wav"


@pytest.mark.parametrize(
    "words",
    [
        ("--lang", "zh", "check", "--help"),
        ("check", "--help", "--lang", "zh"),
        ("check", "--lang=zh", "-h"),
    ],
)
def test_lang_may_stand_anywhere_in_the_command(words: tuple[str, ...]) -> None:
    shown = run(*words).stdout
    assert "检查柜台服务的录音和转写稿" in shown
    assert "显示本说明并退出" in shown
    assert not re.search(r"\b(Usage|Options|default|Exit codes|Example)\b", shown)


@pytest.mark.parametrize(
    ("environment", "chinese"),
    [({"LANG": "zh_CN.UTF-8"}, True), ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, False), ({"LANGUAGE": "zh"}, True)],
)
def test_without_lang_the_locale_decides(environment: dict[str, str], *, chinese: bool) -> None:
    locale = {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"}
    without_locale = {name: value for name, value in os.environ.items() if name not in locale}
    shown = program("--help", env={**without_locale, **environment}).stdout
    assert ("用法：" in shown) is chinese
    assert ("Usage:" in shown) is not chinese


def test_a_language_does_not_outlast_its_command(tmp_path: Path) -> None:
    before = os.environ.get("LANGUAGE")
    file = transcript(tmp_path / "a.jsonl")
    assert "汇总" in run("--lang", "zh", "check", file, "--store", "none").stdout
    assert "Summary" in run("check", file, "--store", "none").stdout
    assert os.environ.get("LANGUAGE") == before


@pytest.fixture(scope="module")
def table() -> str:
    """What `check` prints of a recording in Chinese."""
    return run("--lang", "zh", "check", RECORDING, "--store", "none").stdout


def test_the_output_of_check_is_all_chinese(table: str) -> None:
    shown = table
    left = set(re.findall(r"[A-Za-z]{2,}", shown.replace(str(RECORDING), "")))
    assert left == set()
    assert "✗ 0:06 忌语（推诿，较重）：“你自己看”" in shown
    assert "得分 70  不合格  （合格线 80）" in shown


def test_columns_of_double_width_characters_are_aligned(table: str) -> None:
    lines = table.splitlines()
    head = next(line for line in lines if line.split()[:1] == ["阶段"])
    row = next(line for line in lines if "问候招呼" in line)
    columns = [cell_len(head[: head.index(title)]) for title in ("用语", "听到的话")]
    assert columns == [cell_len(row[: row.index(cell)]) for cell in ("✓ 问候语", "您好")]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_machine_readable_output_does_not_depend_on_the_language(tmp_path: Path, form: str) -> None:
    missing = tmp_path / "missing.wav"
    rude = transcript(tmp_path / "a.jsonl", RUDE_VISIT)
    options = ("check", rude, missing, "--store", "none", "--format", form)
    english, chinese = (run("--lang", lang, *options) for lang in ("en", "zh"))
    assert english.stdout == chinese.stdout
    assert "cannot be" in english.stdout or "does not exist" in english.stdout
    assert f"错误：{missing} 不存在；请检查名称。" in chinese.stderr


def test_the_record_does_not_depend_on_the_language(tmp_path: Path) -> None:
    file = transcript(tmp_path / "2026-01-15_09-30-00.jsonl", RUDE_VISIT)
    recorded = []
    for lang, word in (("en", "Recorded 1 in"), ("zh", "已记录 1 个到")):
        store = tmp_path / f"{lang}.db"
        assert word in run("--lang", lang, "check", file, "--store", store).stderr
        rows = events(run("events", "--store", store, "--format", "jsonl"))
        recorded.append(
            [{key: value for key, value in row.items() if key not in {"recorded", "chain"}} for row in rows]
        )
    assert recorded[0] == recorded[1]


def test_errors_of_worker_processes_are_in_the_chosen_language(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    done = program("--lang", "zh", "check", tmp_path, "--phrases", SMALL_FILE, "--store", "none", "--jobs", "2")
    assert done.stderr.count("文件头不完整或已损坏") == 2
    assert not re.search("header|damaged", done.stderr)


@pytest.mark.parametrize(
    ("words", "message"),
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
def test_errors_are_in_the_chosen_language(words: tuple[str, ...], message: str) -> None:
    done = run("--lang", "zh", *words)
    assert message in done.stderr
    assert done.exit_code == 2


def test_errors_of_a_phrase_set_are_in_the_chosen_language(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text("name = 1\n", encoding="utf-8")
    assert "'name' 须为引号中的文本" in run("--lang", "zh", "phrases", "check", file).stderr


def test_the_doctor_reports_remedies_in_chinese() -> None:
    shown = run("--lang", "zh", "doctor", "--seconds", "0.5", "--model", "nowhere").stdout
    assert re.search(r"✗ 模型：  +没有模型 'nowhere' -> 现有 .*counter-cn.*，或给出模型的文件夹", shown)
    starts = {cell_len(line[: re.match(r"\S+ \S+ +", line).end()]) for line in shown.splitlines()}  # type: ignore[union-attr]
    assert len(starts) == 1


def test_init_writes_the_same_settings_with_comments_in_the_chosen_language(tmp_path: Path) -> None:
    read = []
    for lang, word in (("zh", "柜台名称"), ("en", "Name of the counter")):
        file = tmp_path / f"{lang}.toml"
        assert run("--lang", lang, "init", file, "--counter", "3").exit_code == 0
        assert word in file.read_text(encoding="utf-8")
        read.append(read_config(file))
    assert read[0] == read[1]


def test_the_record_is_shown_in_the_chosen_language(tmp_path: Path) -> None:
    store = tmp_path / "e.db"
    run("check", transcript(tmp_path / "2026-01-15_09-30-00.jsonl", FULL_VISIT), "--store", store)
    shown = run("--lang", "zh", "events", "--store", store).stdout
    assert shown.startswith("行号  时间  柜台")
    assert "已听到" in shown
    assert "校验链完整" in run("--lang", "zh", "events", "verify", "--store", store).stdout


@pytest.mark.parametrize("width", [11, 24, 60])
def test_chinese_lines_are_wrapped_by_columns_and_not_before_punctuation(width: int) -> None:
    text = (
        "检查柜台服务的录音（WAV、MP3 等），一行一句：{“text”: “您好”}；加 --store none 则不记录。 [默认：数据文件夹]"
        * 3
    )
    lines = wrap_columns(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert cell_len(line) <= width + 4  # a word, or a character with its punctuation, is not broken
        assert line[0] not in "，。；：、？！）”"
        assert line[-1] not in "（“["
        assert line == line.strip()


def test_no_line_of_chinese_help_is_wider_than_the_terminal() -> None:
    for command in ("check", "listen", "report", "models"):
        for line in run(command, "--help", "--lang", "zh").stdout.splitlines():
            assert sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line) <= 80, line

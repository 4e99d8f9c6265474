"""What a phrase set that is not TOML is told: the mistake of a spreadsheet or a Chinese keyboard, with its line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.command import run

from counter_listener.domain import PhraseSetError, messages, read_toml
from counter_listener.domain.toml_faults import SIGNS

FAULTS = [
    ("title = “问候语”\n", 'line 1: TOML needs the plain sign " instead of “.'),
    ('say = ["您好”, "早上好"]\n', 'line 1: TOML needs the plain sign " instead of ”.'),
    ('a = 1\nsay = [\n  "您好",\n  「早上好」,\n]\n', 'line 4: TOML needs the plain sign " instead of 「.'),
    ('say = ["您好",\n  "早上好”,\n  "您早",\n]\n', 'line 2: TOML needs the plain sign " instead of ”.'),
    ("path = ‘D:/a’\n", "line 1: TOML needs the plain sign ' instead of ‘."),
    ('say = ["您好"，"早上好"]\n', "line 1: TOML needs the plain sign , instead of ，."),
    ('say = ["您好"、"早上好"]\n', "line 1: TOML needs the plain sign , instead of 、."),
    ('title＝"问候语"\n', "line 1: TOML needs the plain sign = instead of ＝."),
    ("name = 'x'\n【visit】\n", "line 2: TOML needs the plain sign [ instead of 【."),
    ("［visit］\n", "line 1: TOML needs the plain sign [ instead of ［."),
    ('title\u3000= "x"\n', "line 1: TOML needs a plain space instead of U+3000."),
    ('say = ["您好" "早上好"]\n', 'line 1: a comma is missing after "您好".'),
    ('a = 1\nsay = [\n  "您好" # 你好, "x"\n  "早上好",\n]\n', 'line 3: a comma is missing after "您好".'),
    ("say = [1 2]\n", "line 1: a comma is missing after 1."),
    ("x = { a = 1 b = 2 }\n", "line 1: a comma is missing after 1."),
    ('say = ["a",\n"b"\nid = "c"\n', "line 1: the list that begins here needs a ]."),
    ('id = "a"\nsay = ["a", ["b"],\n[[stage]]\nid = "c"\n', "line 2: the list that begins here needs a ]."),
    ('say = ["a", "b"\n', "line 1: the list that begins here needs a ]."),
    ('id = "a"\ntitle = "问候语\n', 'line 2: a text has no quotation mark at its end; add ".'),
    ("title = 问候语\n", 'line 1: a text needs quotation marks: "问候语".'),
    ('say = ["您好", 早上好]\n', 'line 1: a text needs quotation marks: "早上好".'),
]


def said(folder: Path, content: str | bytes) -> PhraseSetError:
    """What is said of a file with this content."""
    path = folder / "my.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(PhraseSetError) as error:
        read_toml(path, PhraseSetError, 100_000)
    return error.value


@pytest.mark.parametrize(("content", "fault"), FAULTS, ids=[fault[:40] + str(n) for n, (_, fault) in enumerate(FAULTS)])
def test_the_mistake_is_named_with_its_line(tmp_path: Path, content: str, fault: str) -> None:
    assert str(said(tmp_path, content)) == f"{tmp_path / 'my.toml'}: {fault}"
    assert str(said(tmp_path, content.replace("\n", "\r\n"))) == f"{tmp_path / 'my.toml'}: {fault}"


@pytest.mark.parametrize("content", ['name "x"\n', "a = 2026-1-1\n", "a = 1\na = 2\n", '"a" = "\\q"\n', "= 3\n"])
def test_another_mistake_is_told_as_it_is(tmp_path: Path, content: str) -> None:
    assert "not TOML" in str(said(tmp_path, content))


def spreadsheet() -> bytes:
    """The beginning of every .xlsx and .docx file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [spreadsheet(), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)], ids=["xlsx", "xls"]
)
def test_a_spreadsheet_is_named(tmp_path: Path, content: bytes) -> None:
    assert "a file of Excel or Word" in str(said(tmp_path, content))
    path = tmp_path / "phrases.xlsx"
    path.write_bytes(content)
    result = run("phrases", "check", path)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "a file of Excel or Word" in result.stderr


def test_it_is_said_in_chinese(tmp_path: Path) -> None:
    error = said(tmp_path, "title = “问候语”\n")
    assert error.translated(messages.translator("zh")).endswith('my.toml：第 1 行：“ 应改成英文符号 "。')


PIECES = st.sampled_from((*SIGNS, *"\"'=[]{},#\n\\ .", "[[a]]", "\na = ", '"您好"', "1", "true", '"""', "'''"))


@given(st.lists(PIECES, max_size=25))
def test_any_text_is_toml_or_one_sentence(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    path = tmp_path_factory.mktemp("t") / "my.toml"
    path.write_text("".join(pieces), encoding="utf-8")
    said = f"{path}: ."
    try:
        read_toml(path, PhraseSetError, 100_000)
    except PhraseSetError as error:
        said = str(error)
    assert said.startswith(f"{path}: ")
    assert said.endswith(".")

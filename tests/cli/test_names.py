"""Names of files that are not UTF-8 or hold half characters, and CSV that Excel opens, in every output."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.command import run, transcript
from support.small_counter import SMALL_FILE

from counter_listener.domain import BOM, printable, readable

SMALL_SET = ("--phrases", SMALL_FILE)
NAMES = {
    "gb2312": ("3号柜台 模型.jsonl".encode("gb2312"), "3号柜台 模型.jsonl"),
    "latin": ("Schalter-Müller.jsonl".encode("latin-1"), "Schalter-M\\xfcller.jsonl"),
    "broken": (b"a\xff\xfe\x80.jsonl", "a\\xff\\xfe\\x80.jsonl"),
    "mixed": ("柜台".encode() + "柜台".encode("gb2312") + b".jsonl", "柜台柜台.jsonl"),
    "control": (b"a\x1b[31m\xb9\xf1.jsonl", "a[31m柜.jsonl"),
}


EVERY_DAY = {"gb2312", "control"}


@pytest.fixture(params=[name if name in EVERY_DAY else pytest.param(name, marks=pytest.mark.slow) for name in NAMES])
def named(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A transcript whose name is not UTF-8, and the name as it is to be shown."""
    name, shown = NAMES[request.param]
    path = Path(os.fsdecode(os.fsencode(tmp_path / "x").removesuffix(b"x") + name))
    try:
        transcript(tmp_path / "plain").rename(path)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    return path, shown


def test_they_are_shown_readably_in_every_output(named: tuple[Path, str], tmp_path: Path) -> None:
    path, shown = named
    store, counter = tmp_path / "events.db", os.fsdecode(b"\xb9\xf1\xff\xe9")
    table = run("check", path, "--store", store, "--counter", counter, *SMALL_SET)
    assert "".join(shown.split()) in "".join(table.stdout.split()), "a line may break anywhere"
    lines = run("check", path, "--format", "jsonl", "--store", "none", *SMALL_SET).stdout.splitlines()
    assert {printable(Path(json.loads(line)["source"]).name) for line in lines} == {shown}
    assert shown in run("check", path, "--format", "csv", "--store", "none", *SMALL_SET).stdout
    assert shown in run("explain", path, *SMALL_SET).stdout.replace("\n", "")
    missing = run("check", path.with_suffix(".wav"), "--store", "none", *SMALL_SET)
    assert shown.removesuffix(".jsonl") in missing.stderr
    for form in ("html", "xlsx", "csv", "json"):
        assert run("report", "--store", store, "-o", tmp_path / f"r.{form}").exit_code == 0
    assert shown in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")
    assert shown.replace("\\", "\\\\") in (tmp_path / "r.json").read_text(encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "r.xlsx") as book:
        assert shown in book.read("xl/sharedStrings.xml").decode()


@given(st.text(st.characters(min_codepoint=1)))
def test_whatever_a_name_is_what_is_shown_can_be_written(name: str) -> None:
    backwards = os.fsdecode(name.encode("utf-8", "replace")[::-1])
    assert all(letter < "\ud800" or letter > "\udfff" for letter in readable(name) + printable(backwards))
    assert readable(name) == name or any("\ud800" <= letter <= "\udfff" for letter in name)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2))
def test_chinese_of_older_systems_is_read_back(name: str) -> None:
    try:
        old = name.encode("gb2312")
    except UnicodeEncodeError:
        return
    try:
        old.decode()
    except UnicodeDecodeError:
        shown = readable(os.fsdecode(old))
        assert shown == name or "\\x" in shown  # where some of its bytes happen to be Chinese in UTF-8


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def recorded(folder: Path) -> Path:
    """A record of one transcript."""
    store = folder / "events.db"
    run("check", transcript(folder / "柜台.jsonl"), "--store", store, *SMALL_SET)
    return store


def printing(*words: object) -> list[str]:
    """The command line of a process that prints CSV."""
    return [sys.executable, "-m", "counter_listener", *map(str, words), "--format", "csv"]


@pytest.mark.slow  # the next one has a mark in a file too
@pytest.mark.parametrize("command", ["check", "report"])
def test_csv_has_a_mark_in_a_file(command: str, tmp_path: Path) -> None:
    store = recorded(tmp_path)
    words = ("check", tmp_path / "柜台.jsonl", "--store", "none", *SMALL_SET)
    line = printing(*(words if command == "check" else ("report", "--store", store)))
    with (tmp_path / "out.csv").open("wb") as file:
        subprocess.run(line, stdout=file, check=True)
    written = (tmp_path / "out.csv").read_bytes()
    assert written.startswith(BOM.encode())
    assert csv_rows(written) == csv_rows(run(*line[3:]).stdout_bytes) != []


def test_csv_has_one_mark_in_a_file_that_grows_and_none_in_a_pipe(tmp_path: Path) -> None:
    line, target = printing("events", "--store", recorded(tmp_path)), tmp_path / "out.csv"
    for _ in range(2):
        with target.open("ab") as file:
            subprocess.run(line, stdout=file, check=True)
    written = target.read_bytes()
    assert written.startswith(BOM.encode())
    assert written.count(BOM.encode()) == 1
    piped = run(*line[3:]).stdout_bytes
    assert not piped.startswith(BOM.encode())
    assert csv_rows(written)[: len(csv_rows(piped))] == csv_rows(piped) != []

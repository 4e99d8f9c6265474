"""Names that are meant to do harm, through every output: lines stay whole, and nothing is obeyed, computed or run."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import Result
from support.command import FULL_VISIT, RUDE_VISIT, program, run, transcript
from support.small_counter import SMALL_FILE

PIECES = (
    *("\n", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "\x7f", "\t"),
    *("\u202egnp", "\u2066", "\u200f", "\ufeff", "\u0301", "＂", "\U0001f600", "您好"),
    *("=cmd|' /C calc'!A1", "+1", "-1", "@SUM(1)", "'", '"', "`id`", "$(id)", "&&", "%s%n", "{0}", "{path}", "{", "}"),
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "&lt;",
        "]]>",
        "</title>",
        "javascript:",
        "[red]x[/red]",
    ),
    *("\\", " ", "  ", "*", "?", "[a]", "~", "#", ";", "|", "--help", "-", "."),
)
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What no output for people or line of a program may hold; the end of a line is the only exception."""
CELL_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def names(seed: int, count: int) -> list[str]:
    """File names of pieces that do harm somewhere; each is a name that a file can have."""
    rng = random.Random(seed)  # noqa: S311
    drawn = ["".join(rng.choices(PIECES, k=rng.randint(1, 4)))[:60] for _ in range(4 * count)]
    usable = [name.replace("/", "").replace("\0", "") for name in drawn]
    return list(dict.fromkeys(name for name in usable if name.strip(" .")))[:count]


def assert_safe(shown: str) -> None:
    assert not OBEYED.search(shown), ascii(OBEYED.findall(shown))
    assert "Traceback" not in shown


def assert_ran(result: Result, *codes: int) -> str:
    assert result.exit_code in codes, result.output
    assert_safe(result.stdout)
    assert_safe(result.stderr)
    return result.stdout


class Page(HTMLParser):
    """The tags of a page, and the schemes of its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {(value or "").partition(":")[0] for name, value in attrs if name in ("href", "src") and value}


def check_report(store: Path, folder: Path) -> None:
    """Every form of a report: it is read as it should be, and holds nothing that is run."""
    for form in ("html", "csv", "json", "xlsx"):
        file = folder / f"report.{form}"
        assert_ran(run("report", "--store", store, "-o", file), 0)
        if form == "html":
            page = Page(file.read_text(encoding="utf-8"))
            assert not page.tags & {"script", "img", "iframe", "object"}
            assert not {name for name in page.attributes if name.startswith("on")}
            assert page.links <= {"file", ""} | {link for link in page.links if link.startswith("#")}
        elif form == "csv":
            rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
            assert len({len(row) for row in rows}) == 1
            for cell in (cell for row in rows for cell in row):
                assert_safe(cell)
                assert not cell.startswith(CELL_FORMULAS) or re.fullmatch(r"-?[\d.]+", cell), cell
        elif form == "json":
            json.loads(file.read_text(encoding="utf-8"))
        else:
            with zipfile.ZipFile(file) as book:
                sheets = [
                    book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")
                ]
            assert not [sheet for sheet in sheets if "<f>" in sheet and "HYPERLINK" in sheet]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows few of these names")
@pytest.mark.parametrize(("count", "seed"), [(10, 31), pytest.param(300, 32, marks=pytest.mark.slow)])
def test_hostile_names_do_nothing_in_any_output(tmp_path: Path, count: int, seed: int) -> None:
    """Names of recordings and of counters, through `check`, `events`, `report`, `explain`, `rejudge` and errors."""
    store, inputs = tmp_path / "events.db", tmp_path / "inputs"
    inputs.mkdir()
    words = ("--store", store, "--phrases", SMALL_FILE, "--jobs", 1)
    for number, name in enumerate(names(seed, count)):
        lines = [*(RUDE_VISIT if number % 2 else FULL_VISIT), (40.0, 42.0 + number, "我们下次再说吧")]
        file = transcript(inputs / "plain.jsonl", lines).rename(inputs / f"{name}.jsonl")
        form = ("table", "jsonl", "csv")[number % 3]
        shown = assert_ran(
            run("check", "--format", form, "--counter", name, "--keep-transcripts", *words, "--", file), 0
        )
        check_lines(shown, form)
        damaged = inputs / f"{name}.wav"
        damaged.write_bytes(b"RIFF")
        assert_ran(run("check", "--store", "none", "--phrases", SMALL_FILE, "--", damaged), 3)
        assert_ran(run("check", "--store", "none", "--phrases", SMALL_FILE, "--", inputs / f"{name}.gone"), 2, 3)
        assert_ran(run("check", "--store", "none", "--phrases", inputs / f"{name}.toml", "--", file), 2)
        if number < 5:
            assert_ran(run("explain", "--phrases", SMALL_FILE, "--", file), 0)
            assert_ran(run("events", "--store", inputs / f"{name}.db"), 2, 4)
    for form in ("table", "jsonl", "csv"):
        check_lines(assert_ran(run("events", "--store", store, "--format", form), 0), form)
    assert_ran(run("rejudge", "--store", store, "--phrases", "service-desk-en"), 0)
    changes = run("rejudge", "--store", store, "--phrases", "service-desk-en", "--format", "jsonl")
    check_lines(assert_ran(changes, 0), "jsonl")
    check_report(store, tmp_path)


def check_lines(shown: str, form: str) -> None:
    """Lines for programs are as many as there are events, however the lines are counted."""
    if form == "jsonl":
        assert shown.splitlines() == shown.split("\n")[:-1]
        assert all(isinstance(json.loads(line), dict) for line in shown.splitlines())
    if form == "csv":
        rows = list(csv.reader(io.StringIO(shown, newline="")))
        assert len(rows) == len(shown.splitlines())
        assert len({len(row) for row in rows}) == 1
        assert not [cell for row in rows for cell in row if cell.startswith(CELL_FORMULAS)]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are bytes on Linux only")
def test_a_name_that_is_not_utf_8_and_the_longest_one(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for name in (b"\xff\xfe\x80.jsonl", b"\xc4\xe3\xba\xc3 \xe2\x80.jsonl", b"x" * 249 + b".jsonl"):
        transcript(tmp_path / "plain.jsonl", FULL_VISIT).rename(inputs / os.fsdecode(name))
    store, words = tmp_path / "events.db", ("--phrases", SMALL_FILE, "--quiet")
    for form in ("table", "jsonl"):
        shown = program("check", inputs, "--store", store, "--format", form, *words)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert_safe(shown.stdout)
        check_lines(shown.stdout, form)

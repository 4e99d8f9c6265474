"""Hostile file names through every output: nothing is obeyed, nothing is broken, and no name stops the others."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
from click.testing import Result
from support.command import RUDE_VISIT, run, transcript
from support.small_counter import SMALL, SMALL_FILE

from counter_listener.cli import cli

NAMES = [
    "\x1b[2J\x1b]0;owned\x07",
    "two\nlines",
    "carriage\rreturn",
    "tab\tand\vmore",
    "null-like\x01\x02\x7f\x9b31m",
    "right\u202eto\u2066left",
    "line\u2028and\u2029paragraph",
    "zero\u200bwidth\ufeff",
    "=HYPERLINK(1)",
    "+1",
    "-rf",
    "@SUM(A1)",
    "--store",
    "<script>alert(1)</script>",
    "\"' onmouseover=alert(1) x='",
    "&amp;&lt;&#0;",
    "{path} {0} {what!r} {",
    "%s %d %(x)s",
    "$(reboot) `reboot` ; reboot",
    "[bold red]rich[/] [link=http://x]",
    "*?[a-z]",
    "C:\\windows\\x",
    " spaces at both ends ",
    "。，、“”",
    "🙈" * 10,
    "é" + "e\u0301",
    "长" * 70,
    "a" * 240,
]
if sys.platform == "linux":
    NAMES.append(os.fsdecode(b"not UTF-8 \xff\xfe"))

OBEYED = {"\x1b", "\x07", "\x9b", "\r", "\x01", "\x02", "\x7f", "\v", "\u202e", "\u2066"}
"""Characters that a terminal obeys, or that turn text round."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of each name: a transcript, one that is broken, and a file without sound."""
    folder = tmp_path_factory.mktemp("names")
    for name in NAMES:
        (folder / "good").mkdir(exist_ok=True)
        transcript(folder / "t", RUDE_VISIT).rename(folder / "good" / f"{name.replace('/', '')}.jsonl")
        (folder / f"{name.replace('/', '')}.wav").write_bytes(b"this is no sound")
        (folder / f"{name.replace('/', '')}.txt").write_bytes(b"this is no sound")
    return folder


@pytest.fixture(scope="module")
def store(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of all of them, each a recording of its own."""
    path = tmp_path_factory.mktemp("store") / "events.db"
    for number, file in enumerate(sorted((folder / "good").iterdir())):
        later = [(start + number / 100, end + number / 100, text) for start, end, text in RUDE_VISIT]
        name = file.name
        transcript(folder / "good" / "t", later).replace(folder / "good" / name)
    assert checked(folder, "--store", path, "--keep-transcripts").exit_code == 3
    return path


def checked(folder: Path, *words: object) -> Result:
    """What `check` says to the folder."""
    return run("check", folder, "--phrases", SMALL_FILE, "--counter", NAMES[0], *words)


def safe(text: str) -> bool:
    """Whether no character of a text is obeyed."""
    return not OBEYED & set(text) and all(unicodedata.category(char) != "Cc" for char in text if char != "\n")


def test_tables_for_people(folder: Path) -> None:
    result = checked(folder, "--store", "none")
    assert result.exit_code == 3
    assert safe(result.stdout)
    assert safe(result.stderr)
    assert result.stderr.count("Error: ") == len(NAMES)
    assert result.stdout.count("Visit 1 ") == len(NAMES)
    assert f"{len(NAMES)} left out of" in " ".join(result.stdout.split())


def printed(command: str, folder: Path, store: Path, form: str) -> Result:
    """What `check` prints of the folder, or `events` of the record."""
    if command == "check":
        return checked(folder, "--store", "none", "--format", form)
    return run("events", "--store", store, "--format", form)


@pytest.mark.parametrize("command", ["check", "events"])
def test_lines_for_programs(folder: Path, store: Path, command: str) -> None:
    result = printed(command, folder, store, "jsonl")
    lines = [json.loads(line) for line in result.stdout.split("\n") if line]
    assert len(result.stdout.splitlines()) == len(lines)  # by whatever anybody takes for the end of a line
    assert safe(result.stdout)
    closed = [line for line in lines if line["kind"] == "visit_closed"]
    assert len(closed) == len(NAMES)
    if command == "check":
        assert len({line["source"] for line in closed}) == len(NAMES)
        assert len([line for line in lines if line["kind"] == "error"]) == len(NAMES)
        assert len(lines[-1]["files"]) == len(NAMES)


@pytest.mark.parametrize("command", ["check", "events"])
def test_tables_for_spreadsheets(folder: Path, store: Path, command: str) -> None:
    result = printed(command, folder, store, "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout.removeprefix("\ufeff"), newline="")))
    assert safe(result.stdout.replace("\r\n", "\n"))
    assert len([row for row in rows if row["kind"] == "visit_closed"]) == len(NAMES)
    assert all(
        not cell.startswith(("=", "+", "@", "-")) or cell.lstrip("-").replace(".", "").isdigit()
        for row in rows
        for cell in row.values()
        if cell
    )


class Page(HTMLParser):
    """The elements of a page, and the attributes that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Counts an element."""
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_reports(store: Path, tmp_path: Path) -> None:
    for end in ("html", "xlsx", "csv", "json"):
        result = run("report", "--store", store, "-o", tmp_path / f"a.{end}")
        assert (result.exit_code, safe(result.output)) == (0, True)
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    assert not {"script", "iframe", "object"} & page.tags
    assert page.handlers == []
    assert safe(html)
    assert safe((tmp_path / "a.json").read_text(encoding="utf-8"))
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert all(safe(book.read(name).decode()) for name in book.namelist() if name.endswith(".xml"))
        assert not any(b"<f>" in book.read(name) and b"HYPERLINK(1)" in book.read(name) for name in book.namelist())


def test_files_of_these_names_are_written_and_read(store: Path, tmp_path: Path) -> None:
    report = ["report", "--format", "csv", "--visits", 0, "--store", store, "-o"]
    faulty = SMALL + '[[example]]\nheard = "今天天气不错"\nexpect = ["hello"]\n'
    for name in NAMES[::12]:
        (tmp_path / name).write_text(faulty, encoding="utf-8")
        for command in (["backup", "--store", store], report, ["init", "--counter", name]):
            result = run(*command, tmp_path / f"{command[0]} {name}")
            assert (result.exit_code, safe(result.output)) == (0, True), result.output
        result = run("phrases", "check", tmp_path / name)
        assert (result.exit_code, safe(result.output)) == (2, True), result.output
    assert len(list(tmp_path.iterdir())) == 5 * len(NAMES[::12])


def test_recordings_that_are_judged_again(store: Path) -> None:
    result = run("rejudge", "--store", store, "--phrases", "service-desk-en")
    assert result.exit_code == 0
    assert safe(result.output)
    assert len(result.stdout) > 100 * len(NAMES)


def test_recordings_of_these_names_are_explained_and_evaluated(folder: Path, tmp_path: Path) -> None:
    for file in sorted((folder / "good").iterdir())[::5]:
        for form in ("table", "jsonl"):
            result = run("explain", "--phrases", SMALL_FILE, "--format", form, "--", file)
            assert (result.exit_code, safe(result.output)) == (0, True), result.output
    labels = tmp_path / "labels.jsonl"
    said = [{"id": "hello", "start": 0.0, "end": 2.0}]
    files = [str(file) for file in sorted((folder / "good").iterdir())]
    lines = [json.dumps({"file": file, "seconds": 30.0, "said": said}) + "\n" for file in files]
    for form in ("table", "jsonl"):
        labels.write_text("".join(lines), encoding="utf-8")
        result = run("eval", labels, "--phrases", SMALL_FILE, "--format", form)
        assert (result.exit_code, safe(result.output)) == (0, True), result.output
    for line in lines[::5]:
        labels.write_text(line + line.replace(".jsonl", ""), encoding="utf-8")
        result = run("eval", labels, "--phrases", SMALL_FILE)
        assert (result.exit_code, safe(result.output)) == (3, True), result.output


ALL_IN_ONE = "\x1b]0;owned\x07 two\nlines\r\u202e\u2028 \x9b31m =1+1 {x} %s [b]x[/] $(reboot)"
if sys.platform == "linux":
    ALL_IN_ONE += os.fsdecode(b"\xff\xfe")
USUAL: dict[str, list[str]] = {
    "explain": ["x.jsonl", f"--phrases={SMALL_FILE}"],
    "eval": ["x.jsonl"],
    "check": ["x.jsonl", f"--phrases={SMALL_FILE}"],
    "phrases try": ["bank-counter", "您好"],
    "models install": ["x.zip"],
    "models remove": ["x"],
    "purge": ["--yes", "--before", "2020-01-01", "--store=x.db"],
    "backup": ["copy.db", "--store=x.db"],
    "setup": ["--non-interactive", "--config=x.toml", "--store=x.db"],
    "accounts add": ["wang", "--role=auditor", "--store=x.db"],
    "accounts change": ["wang", "--store=x.db"],
    "accounts list": ["--store=x.db"],
    **{name: ["--store=x.db"] for name in ("events", "events verify", "events anchor", "report", "rejudge")},
}
"""Arguments with which a command does something."""
WAITING = ("listen", "devices", "doctor", "demo", "serve")
"""Commands that go on until they are stopped, or recognise speech; of these, doctor and listen are tested below."""


def commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from commands(inner, (*words, name))
    if words and words[0] not in WAITING and not (isinstance(command, click.Group) and words[0] != "events"):
        yield words, command


COMMANDS = {" ".join(words): command for words, command in commands(cli)}


def _options(words: list[str]) -> list[str]:
    return [word for word in words if word.startswith("--") and "=" in word]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_and_argument_of_every_command(
    name: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    transcript(tmp_path / "x.jsonl")
    shutil.copy(store, tmp_path / "x.db")
    for parameter in COMMANDS[name].params:
        option = parameter.opts[-1]
        others = [word for word in USUAL.get(name, []) if not word.startswith(f"{option}=")]
        is_option = isinstance(parameter, click.Option)
        given = [f"{option}={ALL_IN_ONE}", *others] if is_option else [*_options(others), ALL_IN_ONE]
        result = run(*name.split(), *given)
        assert safe(result.output), (parameter.name, result.output)


def test_doctor_and_settings_of_these_names(tmp_path: Path) -> None:
    name = ALL_IN_ONE.replace("\0", "")
    for option in ("--config", "--device", "--store", "--key", "--phrases", "--model"):
        result = run("doctor", "--seconds", 0.5, f"{option}={tmp_path / name if option != '--device' else name}")
        assert result.exit_code in (0, 1, 2)
        assert safe(result.output), (option, result.output)
        result = run("listen", "--device=no such device", f"{option}={name}")
        assert safe(result.output), (option, result.output)


def test_names_and_values_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    for file in sorted(folder.glob("*.wav"))[::10]:
        for command in (["check", "--store", "none"], ["explain"]):
            result = run(*command, "--phrases", SMALL_FILE, "--", os.path.relpath(file))
            assert result.exit_code == 3
            assert safe(result.output)
            assert len(result.stderr.splitlines()) == 1
    one = ("check", transcript(tmp_path / "a.jsonl"), "--phrases", SMALL_FILE, "--store", "none")
    for name in NAMES:
        result = run(*one, f"--counter={name}", "--format", "csv")
        assert (result.exit_code, safe(result.output.replace("\r\n", "\n"))) == (0, True)
    for option in ("--started", "--model", "--channels", "--format", "--executor"):
        result = run(*one, f"{option}={NAMES[0]}")
        assert (result.exit_code, safe(result.output)) == (2, True)

"""The house rules that a machine can hold: docs that do not lie, help everywhere, one door for each library."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from importlinter.cli import lint_imports

from counter_listener.cli.app import cli
from counter_listener.cli.options import DEFAULT_MODEL

TOP = Path(__file__).resolve().parent.parent
PACKAGE = TOP / "counter_listener"
MODULES = sorted(file for file in PACKAGE.rglob("*.py") if "versions" not in file.parts)
DOCS = [
    TOP / "README.md",
    TOP / "README.zh-CN.md",
    TOP / "models/README.md",
    TOP / "phrase_sets/README.md",
    *sorted((TOP / "docs").rglob("*.md")),
]
PURE = {"judging": set[str](), "domain": {"platformdirs"}}
"""Packages that import no outside library, but for those named."""
MOST_ENTRIES, MOST_LINES, MOST_FUNCTION_LINES = 14, 350, 50


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of the program with its words."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def parsed(line: str) -> None:
    """Fails where a command line of ours names a command or an option that is not there."""
    words = shlex.split(line.partition("counter-listener ")[2], comments=True)
    command: click.Command = cli
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    known = {
        option
        for parameter in (*command.params, *cli.params)
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help", "-h"}
    assert command is not cli or not words or words[0].startswith("-"), f"no such command: {line}"
    for word in words:
        assert not word.startswith("-") or word.partition("=")[0] in known, f"no option {word}: {line}"


def command_lines(text: str) -> Iterator[str]:
    for block in re.findall(r"```[a-z]*\n(.*?)```", text, flags=re.DOTALL):
        yield from (line for line in block.splitlines() if re.search(r"\bcounter-listener [a-z-]", line))
    yield from re.findall(r"`(counter-listener [a-z-][^`]*)`", text)


@cache
def imports(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.partition(".")[0] for name in plain | {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}}


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: str(doc.relative_to(TOP)))
def test_invariant_9_every_command_in_the_docs_exists(doc: Path) -> None:
    for line in command_lines(doc.read_text(encoding="utf-8")):
        parsed(line)


def test_both_readmes_give_the_same_commands() -> None:
    def said(name: str) -> list[str]:
        text = (TOP / name).read_text(encoding="utf-8")
        blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
        return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]

    assert said("README.md") == said("README.zh-CN.md")
    assert said("README.md")


@pytest.mark.parametrize(("words", "command"), list(commands()), ids=str)
def test_invariant_9_every_command_has_help_and_an_example(words: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    assert command.epilog
    assert f"Example: counter-listener {words[0]}" in command.epilog
    parsed(command.epilog[command.epilog.index("counter-listener") :])
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.is_flag:
            assert parameter.help, f"{words}: {parameter.opts} has no help"
    for name in (" ".join(words), words[0]):
        assert any(f"counter-listener {name}" in doc.read_text(encoding="utf-8") for doc in DOCS)


def test_invariant_8_arrows_point_down_and_each_library_has_one_package(capsys: pytest.CaptureFixture[str]) -> None:
    """The contracts stand in pyproject.toml under tool.importlinter."""
    before = Path.cwd()
    os.chdir(TOP)
    try:
        broken = lint_imports(no_cache=True)
    finally:
        os.chdir(before)
    assert broken == 0, capsys.readouterr().out


@pytest.mark.parametrize("package", PURE)
def test_invariant_8_the_pure_packages_import_no_outside_library(package: str) -> None:
    allowed = {"counter_listener", "__future__"} | PURE[package]
    for file in (PACKAGE / package).rglob("*.py"):
        assert imports(file) - allowed <= set(sys.stdlib_module_names), file


def test_the_architecture_is_seen_at_one_look() -> None:
    entries = [one.name for one in PACKAGE.iterdir() if not one.name.startswith("__")]
    assert len(entries) <= MOST_ENTRIES, entries
    for name in entries:
        room = PACKAGE / name / "__init__.py"
        if room.exists():
            told = ast.get_docstring(ast.parse(room.read_text(encoding="utf-8"))) or ""
            assert len(told.splitlines()) >= 3, f"{name}: say what it is for, what comes in and what it hands on"


def test_help_imports_nothing_heavy() -> None:
    heavy = [
        "av",
        "vosk",
        "sqlalchemy",
        "alembic",
        "pydantic",
        "pypinyin",
        "rapidfuzz",
        "rich",
        "requests",
        "cryptography",
        "segno",
        "numpy",
        "prompt_toolkit",
        "dateutil",
        "matplotlib",
        "sounddevice",
        "filelock",
        "psutil",
        "jinja2",
        "pygal",
        "xlsxwriter",
        "distributed",
        "fastapi",
        "starlette",
        "uvicorn",
        "argon2",
        "multiprocessing",
    ]
    code = f"import sys, counter_listener.cli; print(*(m for m in {heavy} if m in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert shown.stdout.strip() == ""


def test_only_the_command_line_reads_a_clock() -> None:
    for file in MODULES:
        calls = re.findall(
            r"\b(?:datetime\.now|date\.today|time\.time|time\.monotonic|perf_counter)\b", file.read_text("utf-8")
        )
        assert not calls or file.is_relative_to(PACKAGE / "cli"), file


@pytest.mark.parametrize("package", sorted({file.parent for file in MODULES}), ids=lambda one: one.name)
def test_modules_say_what_they_are_and_public_functions_what_they_return(package: Path) -> None:
    for file in MODULES:
        if file.parent == package:
            says_what_it_is(file)


def says_what_it_is(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), file
    assert len(text.splitlines()) <= MOST_LINES, f"{file} has become two things"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{file.name}: {node.name}"
    for found in ast.walk(tree):
        if isinstance(found, ast.FunctionDef):
            lines = (found.end_lineno or 0) - found.lineno + 1
            assert lines <= MOST_FUNCTION_LINES, f"{file.name}: {found.name} has {lines} lines"


def test_nothing_of_this_machine_is_in_the_project() -> None:
    names = ("/" + "work/", "/" + "root/", "/" + "home/")
    listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, encoding="utf-8", check=False)
    for name in listed.stdout.splitlines():
        file = TOP / name
        if file.suffix in {".py", ".md", ".toml", ".json", ".jsonl", ".sql"} and file.exists():
            assert not [one for one in names if one in file.read_text(encoding="utf-8")], name


@pytest.mark.slow  # builds it, which takes ten seconds
def test_a_wheel_holds_all_it_needs_and_works_with_no_checkout_beside_it(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    assert subprocess.run(build, cwd=TOP, capture_output=True, check=False).returncode == 0
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 60_000_000
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    models = tmp_path / "installed" / "counter_listener" / "shipped" / "models"
    assert {one.name for one in models.iterdir()} == {DEFAULT_MODEL, "speaker-cn", "README.md", "registry.toml"}
    package = tmp_path / "installed" / "counter_listener"
    pages = ("web/templates/base.html", "web/static/app.css", "web/static/vendor/htmx.min.js")
    for name in ("domain/locale/zh/LC_MESSAGES/counter_listener.mo", "reports/templates/report.html", *pages):
        assert (package / name).is_file()
    (info,) = (tmp_path / "installed").glob("*.dist-info")
    vendored = {file.name for file in (PACKAGE / "web" / "static" / "vendor").glob("LICENSE-*")}
    assert vendored
    assert vendored <= {file.name for file in (info / "licenses").rglob("*")}
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r});"
        "from counter_listener.__main__ import main; sys.argv[1:] = ['demo']; main()"
    )
    shown = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=100,
        env={**os.environ, "COLUMNS": "500"},
    )
    assert shown.returncode == 0, shown.stderr
    assert "4 checked" in shown.stdout
    assert str(tmp_path / "installed") in shown.stdout

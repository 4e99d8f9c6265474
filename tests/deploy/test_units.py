"""What sets the program up as a service: units of systemd, tasks of Windows, a container; and scripts for Windows."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
import tree_sitter
import tree_sitter_powershell

from counter_listener.cli.app import cli

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
TASKS = sorted((DEPLOY / "windows").glob("*.xml"))
WORST = {"counter-listener-listen-desktop.service": 10.0}
"""Exposure of a unit by systemd's own scale, 0 to 10, where 2.0 is not reached."""
NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
ORDER = {
    "Task": ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"],
    "Principal": ["UserId", "GroupId", "RunLevel"],
    "Exec": ["Command", "Arguments", "WorkingDirectory"],
}
"""The documented elements that we use, in the order of the schema. Those of Settings may stand in any order."""
SETTINGS = {
    *("MultipleInstancesPolicy", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "StartWhenAvailable"),
    *("RestartOnFailure", "ExecutionTimeLimit", "Enabled"),
}


def accepted(words: list[str]) -> None:
    """Fails where a command of ours does not take these words. Commands that are not there are somebody else's."""
    command = cli.commands.get(words[0])
    if command is None:
        pytest.skip(f"{words[0]} is not in this version")
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    for word in words[1:]:
        assert not word.startswith("--") or word in known, f"{words[0]} has no option {word}"
    if not any(isinstance(one, click.Argument) for one in command.params):
        values = [one for one in words[1:] if not one.startswith("--")]
        assert len(values) <= sum(one.startswith("--") for one in words[1:]), words


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_exists(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=/opt/counter-listener/bin/counter-listener (.*)$", unit.read_text(), re.MULTILINE)
    accepted([word for word in shlex.split(line) if not word.startswith("$")])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_a_unit_without_a_warning_and_finds_it_closed(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text().replace("/opt/counter-listener/bin/counter-listener", sys.executable)
    name = unit.name.replace("@.", "@srv-recordings.")
    (tmp_path / unit.name).write_text(text)
    if name != unit.name:
        (tmp_path / name).symlink_to(unit.name)
    tool = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / name)]
    checked = subprocess.run(tool, capture_output=True, encoding="utf-8", check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    tool = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(tmp_path / unit.name)]
    told = subprocess.run(tool, capture_output=True, encoding="utf-8", check=False).stdout
    (exposure,) = re.findall(r"exposure level for \S+: ([0-9.]+)", told)
    assert float(exposure) < WORST.get(unit.name, 2.0), told


@pytest.mark.parametrize("file", TASKS, ids=lambda file: file.name)
def test_a_task_is_what_the_task_scheduler_reads(file: Path) -> None:
    filled = (
        file.read_text(encoding="utf-8").replace("$python", "C:\\a &amp; b\\pythonw.exe").replace("$folder", "C:\\a")
    )
    assert "$" not in filled
    task = ET.fromstring(filled.encode("utf-16"))  # noqa: S314 - our own
    assert task.tag == f"{NAMESPACE}Task"
    for tag, order in ORDER.items():
        for found in task.iter(f"{NAMESPACE}{tag}"):
            names = [child.tag.removeprefix(NAMESPACE) for child in found]
            assert names == [name for name in order if name in names], tag
    (settings,) = task.iter(f"{NAMESPACE}Settings")
    assert {child.tag.removeprefix(NAMESPACE) for child in settings} == SETTINGS
    words = (task.findtext(f".//{NAMESPACE}Arguments") or "").split("-m counter_listener ")[1]
    accepted(shlex.split(words.replace("\\", "/")))


def test_the_container_reaches_no_index_and_runs_as_nobody_special() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text()
    steps = [line.split(maxsplit=1) for line in text.replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    known = {"FROM", "COPY", "RUN", "ENV", "USER", "WORKDIR", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
    assert {name for name, _ in steps} == known | {"ENTRYPOINT", "CMD"}
    told = dict(steps)
    assert re.fullmatch(r"\S+/python:3\.12\.\d+-slim-\w+", told["FROM"]), "pinned to one release"
    assert "--no-index" in told["RUN"]
    assert "--require-hashes" in told["RUN"]
    assert int(told["USER"]) > 0
    assert "/healthz" in told["HEALTHCHECK"]
    assert [name for name, _ in steps].index("USER") > [name for name, _ in steps].index("RUN")
    accepted(re.findall(r'"([^"]+)"', told["CMD"]))


@pytest.mark.parametrize("script", ["install.ps1", "windows/shortcut.ps1"])
def test_powershell_reads_a_script_as_it_is_meant(script: str) -> None:
    content = (DEPLOY / script).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf"), "without it Windows takes the local code page"
    assert content.count(b"\r\n") == content.count(b"\n")
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language())).parse(content[3:])
    assert not tree.root_node.has_error, str(tree.root_node)

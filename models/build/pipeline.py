"""The build as a command: each step a process of its own with a time limit, done once, logged with how long it took.

A process of its own lets a step that hangs be ended, and gives its memory back.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from models.build.errors import BuildError
from models.build.held_out import MEASURING, left_out
from models.build.steps import STEPS, Build

WHOLE: Final = {"clips": 7_000, "bootstrap": 1_200, "first": 1_200, "final": 8_000, "polish": 2_000, "hidden": 384}
QUICK: Final = {"clips": 1_000, "bootstrap": 300, "first": 100, "final": 200, "polish": 100, "hidden": 128}
"""Clips to synthesise, steps of the four trainings, channels."""


@click.command(epilog="Example: python -m models.build --audio recordings/ --to my-model")
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="The model folder to make.")
@click.option("--audio", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of recordings.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder for what the steps leave.  [default: TO.work]")
@click.option(
    "--without",
    "measured",
    multiple=True,
    type=click.Choice([name for name in MEASURING if MEASURING[name]]),
    help="Leave these people out, for a model that is to be measured on them; may be given again.",
)
@click.option("--quick", is_flag=True, help="A small poor model in a few minutes, to try the pipeline.")
@click.option("--step", "only", type=click.Choice(list(STEPS)), help="Do this step alone, done before or not.")
@click.option("--seed", default=1, show_default=True)
@click.option("--inside", is_flag=True, hidden=True)
def main(  # noqa: PLR0913 - a command has its options
    *,
    target: Path,
    audio: Path | None,
    work: Path | None,
    measured: Sequence[str],
    quick: bool,
    only: str | None,
    seed: int,
    inside: bool,
) -> None:
    """Build a speech model that libvosk loads, from nothing or from recordings too."""
    size = QUICK if quick else WHOLE
    work = work or target.with_name(f"{target.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    build = Build(work, target, audio, left_out(*measured), **size, seed=seed)
    if inside and only:
        STEPS[only][0](build, lambda line: click.echo(f"{only}: {line}"))
        return
    log = Log(work / "steps.json", settings(build))
    try:
        for name in [only] if only else [name for name in STEPS if not log.done(name)]:
            log.add(name, run(name, STEPS[name][1] * 60))
    except BuildError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{target} is built; its steps took {log.minutes():.0f} minutes.")


def run(name: str, limit: float) -> float:
    """Runs a step in a process of its own; seconds it took. Raises BuildError."""
    began = time.monotonic()
    command = [sys.executable, "-m", "models.build", *sys.argv[1:], "--step", name, "--inside"]
    try:
        code = subprocess.run(  # noqa: S603 - our own code
            command, timeout=limit, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"The step {name} took more than {limit / 60:.0f} minutes and was ended; the same command goes on, a "
            "training from its last checkpoint."
        ) from None
    if code:
        raise BuildError(f"The step {name} failed (exit code {code}); what it printed above says why.")
    return time.monotonic() - began


def settings(build: Build) -> str:
    """A digest of what decides the outcome: with other settings nothing counts as done."""
    facts = {name: str(value) for name, value in asdict(build).items() if name not in {"work", "left_out"}}
    facts["left_out"] = ",".join(sorted(build.left_out))
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class Log:
    """Which steps are done, under which settings, and how long each took."""

    def __init__(self, file: Path, wanted: str) -> None:
        self.file, self.settings = file, wanted
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self.seconds: dict[str, float] = kept["seconds"] if kept.get("settings") == wanted else {}

    def done(self, name: str) -> bool:
        return name in self.seconds

    def add(self, name: str, seconds: float) -> None:
        """Notes a step as done, and all that come after it as not done."""
        names = list(STEPS)
        self.seconds = {one: took for one, took in self.seconds.items() if names.index(one) < names.index(name)}
        self.seconds[name] = seconds
        beside = self.file.with_suffix(".part")
        beside.write_text(json.dumps({"settings": self.settings, "seconds": self.seconds}, indent=1), encoding="utf-8")
        beside.replace(self.file)

    def minutes(self) -> float:
        return sum(self.seconds.values()) / 60

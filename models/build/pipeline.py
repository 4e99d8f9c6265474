"""The build as a command: each step runs once, in a process of its own with a time limit, and its time is logged.

A process of its own can be stopped when a step hangs, and its memory is freed when the step ends.
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
from models.build.held_out import HELD_OUT_SPEAKERS, held_out_speakers
from models.build.steps import STEPS, Build

FULL: Final = {
    "clips": 7_000,
    "bootstrap": 900,
    "first": 900,
    "final": 8_000,
    "last": 13_000,
    "hidden": 384,
    "wide": 512,
}
QUICK: Final = {
    "clips": 1_000,
    "bootstrap": 300,
    "first": 100,
    "final": 200,
    "last": 100,
    "hidden": 128,
    "wide": 160,
}
"""Clips to synthesise, steps of the four trainings, channels of the network before and after it is widened."""
HOURS: Final = 10.0
"""Hours of natural synthetic speech in a full training."""


@click.command(epilog="Example: python -m models.build --audio recordings/ --to my-model")
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="The model folder to make.")
@click.option("--audio", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of recordings.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder for intermediate files.  [default: TO.work]")
@click.option(
    "--without",
    "tests",
    multiple=True,
    type=click.Choice([name for name in HELD_OUT_SPEAKERS if HELD_OUT_SPEAKERS[name]]),
    help="Leave these people out, for a model that is to be measured on them; may be given several times.",
)
@click.option("--hours", type=float, help="Hours of natural synthetic speech.  [default: 10; with --quick: 0]")
@click.option("--quick", is_flag=True, help="A small model of low accuracy in a few minutes, to try the build.")
@click.option("--step", "only", type=click.Choice(list(STEPS)), help="Run this step only, even if it is done.")
@click.option("--seed", default=1, show_default=True)
@click.option("--inside", "in_step_process", is_flag=True, hidden=True)
def main(  # noqa: PLR0913 - one parameter per option
    *,
    target: Path,
    audio: Path | None,
    work: Path | None,
    tests: Sequence[str],
    hours: float | None,
    quick: bool,
    only: str | None,
    seed: int,
    in_step_process: bool,
) -> None:
    """Build a speech model that libvosk loads, from synthetic speech and, with --audio, from recordings."""
    size = QUICK if quick else FULL
    hours = hours if hours is not None else 0.0 if quick else HOURS
    work = work or target.with_name(f"{target.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    build = Build(work, target, audio, held_out_speakers(*tests), **size, hours=hours, seed=seed)
    if in_step_process and only:
        STEPS[only][0](build, lambda line: click.echo(f"{only}: {line}"))
        return
    log = StepLog(work / "steps.json", settings_digest(build))
    try:
        for name in [only] if only else [name for name in STEPS if not log.done(name)]:
            log.add(name, run_step(name, STEPS[name][1] * 60))
    except BuildError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{target} is built; its steps took {log.minutes():.0f} minutes.")


def run_step(name: str, limit: float) -> float:
    """Runs a step in a process of its own, for at most `limit` seconds; its time in seconds. Raises BuildError."""
    began = time.monotonic()
    command = [sys.executable, "-m", "models.build", *sys.argv[1:], "--step", name, "--inside"]
    try:
        code = subprocess.run(  # noqa: S603 - our own code
            command, timeout=limit, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"The step {name} took more than {limit / 60:.0f} minutes and was stopped; the same command continues, a "
            "training from its last checkpoint."
        ) from None
    if code:
        raise BuildError(f"The step {name} failed (exit code {code}); its output above shows the reason.")
    return time.monotonic() - began


def settings_digest(build: Build) -> str:
    """A digest of everything that decides the result. With another digest no step counts as done."""
    facts = {name: str(value) for name, value in asdict(build).items() if name not in {"work", "left_out"}}
    facts["left_out"] = ",".join(sorted(build.left_out))
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class StepLog:
    """The steps that are done with certain settings, and the seconds each took."""

    def __init__(self, file: Path, settings: str) -> None:
        self.file, self.settings = file, settings
        stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self.seconds: dict[str, float] = stored["seconds"] if stored.get("settings") == settings else {}

    def done(self, name: str) -> bool:
        return name in self.seconds

    def add(self, name: str, seconds: float) -> None:
        """Marks a step as done, and all later steps as not done."""
        names = list(STEPS)
        self.seconds = {step: took for step, took in self.seconds.items() if names.index(step) < names.index(name)}
        self.seconds[name] = seconds
        partial = self.file.with_suffix(".part")
        content = {"settings": self.settings, "seconds": self.seconds}
        partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
        partial.replace(self.file)

    def minutes(self) -> float:
        return sum(self.seconds.values()) / 60

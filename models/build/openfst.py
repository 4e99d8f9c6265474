"""The door to OpenFst's programs, which Debian and Ubuntu pack as libfst-tools: text in, files for libvosk out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.build.errors import BuildError
from models.build.tree import Machine

LOOKAHEAD: Final = "libfstlookahead.so.22"
"""Holds the FST type that lets Gr.fst be composed while decoding; Debian's fstconvert does not load it by itself."""
SECONDS: Final = 120
"""Time limit of one program; the largest graph of ours takes a few seconds."""
INSTALL: Final = "install OpenFst's programs, on Debian or Ubuntu with `apt-get install libfst-tools`"


def write_lexicon(machine: Machine, file: Path) -> dict[int, int]:
    """Writes HCLr.fst, and gives the new number of each word: words are numbered anew so that those which one
    state can reach are neighbours (OpenFst, label-reachable.h). Raises BuildError.
    """
    plain, sorted_, pairs = (file.with_suffix(suffix) for suffix in (".plain", ".sorted", ".pairs"))
    run(["fstcompile", "-", str(plain)], machine.text())
    run(["fstarcsort", "--sort_type=olabel", str(plain), str(sorted_)])
    convert = ["fstconvert", "--fst_type=olabel_lookahead", f"--save_relabel_opairs={pairs}", str(sorted_), str(file)]
    run(convert, preload=LOOKAHEAD)
    lines = pairs.read_text(encoding="ascii").splitlines()
    for scratch in (plain, sorted_, pairs):
        scratch.unlink()
    return {int(old): int(new) for old, new in map(str.split, lines)}


def write_language(machine: Machine, file: Path) -> None:
    """Writes Gr.fst; its words must carry the numbers that `write_lexicon` gave. Raises BuildError."""
    plain, sorted_ = (file.with_suffix(suffix) for suffix in (".plain", ".sorted"))
    run(["fstcompile", "-", str(plain)], machine.text())
    run(["fstarcsort", "--sort_type=ilabel", str(plain), str(sorted_)])
    run(["fstconvert", "--fst_type=const", str(sorted_), str(file)])
    for scratch in (plain, sorted_):
        scratch.unlink()


def run(command: Sequence[str], given: str = "", preload: str | None = None) -> None:
    """Runs one of the programs. Raises BuildError, which says what is missing or what the program said."""
    environment = {**os.environ, "LD_PRELOAD": preload} if preload else None
    try:
        done = subprocess.run(  # noqa: S603 - OpenFst's programs, arguments of ours
            command, input=given, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False, env=environment
        )
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not on this machine: {INSTALL}.") from None
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"{command[0]} took more than {SECONDS} s and was stopped; try again on a quieter machine."
        ) from None
    if preload and preload in done.stderr:
        raise BuildError(f"{command[0]} does not find {preload}: {INSTALL} of OpenFst 1.7.9.")
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BuildError(f"{command[0]} failed: {said}.")

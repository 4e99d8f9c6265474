"""Runs OpenFst's programs, the package libfst-tools of Debian and Ubuntu: text in, files for libvosk out, and back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.build.errors import BuildError
from models.build.lexicon_fst import Arc, Fst

LOOKAHEAD: Final = "libfstlookahead.so.22"
"""Contains the FST type with which Gr.fst can be composed while decoding; Debian's fstconvert does not load it."""
TIMEOUT: Final = 120
"""Seconds for one program; our largest graph needs a few."""
INSTALL: Final = "install OpenFst's programs, on Debian or Ubuntu with `apt-get install libfst-tools`"


def write_lexicon(fst: Fst, file: Path) -> dict[int, int]:
    """Writes HCLr.fst, and returns the new number of each word.

    Words are relabelled so that those which can be reached from one state have consecutive numbers (OpenFst,
    label-reachable.h). Raises BuildError.
    """
    plain, sorted_, pairs = (file.with_suffix(suffix) for suffix in (".plain", ".sorted", ".pairs"))
    run(["fstcompile", "-", str(plain)], fst.text())
    run(["fstarcsort", "--sort_type=olabel", str(plain), str(sorted_)])
    convert = ["fstconvert", "--fst_type=olabel_lookahead", f"--save_relabel_opairs={pairs}", str(sorted_), str(file)]
    run(convert, preload=LOOKAHEAD)
    lines = pairs.read_text(encoding="ascii").splitlines()
    for scratch in (plain, sorted_, pairs):
        scratch.unlink()
    return {int(old): int(new) for old, new in map(str.split, lines)}


def write_grammar(fst: Fst, file: Path) -> None:
    """Writes Gr.fst; its words must have the numbers that `write_lexicon` returned. Raises BuildError."""
    plain, sorted_ = (file.with_suffix(suffix) for suffix in (".plain", ".sorted"))
    run(["fstcompile", "-", str(plain)], fst.text())
    run(["fstarcsort", "--sort_type=ilabel", str(plain), str(sorted_)])
    run(["fstconvert", "--fst_type=const", str(sorted_), str(file)])
    for scratch in (plain, sorted_):
        scratch.unlink()


def read_fst(file: Path) -> Fst:
    """A transducer that OpenFst's programs can read, with start state 0 as all that they make. Raises BuildError."""
    arcs, final = [], {}
    for fields in map(str.split, run(["fstprint", str(file)]).splitlines()):
        cost = float(fields[-1]) if len(fields) in {2, 5} else 0.0
        if len(fields) > 2:
            source, target, ilabel, olabel = map(int, fields[:4])
            arcs.append(Arc(source, target, ilabel, olabel, cost))
        else:
            final[int(fields[0])] = cost
    return Fst(arcs, final)


def run(command: Sequence[str], text: str = "", preload: str | None = None) -> str:
    """The output of a program with `text` as its input. Raises BuildError with what is missing or what it reported."""
    environment = {**os.environ, "LD_PRELOAD": preload} if preload else None
    try:
        result = subprocess.run(  # noqa: S603 - OpenFst's programs, with our own arguments
            command, input=text, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=False, env=environment
        )
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not on this machine: {INSTALL}.") from None
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"{command[0]} took more than {TIMEOUT} s and was stopped; try again when the machine is less busy."
        ) from None
    if preload and preload in result.stderr:
        raise BuildError(f"{command[0]} does not find {preload}: {INSTALL} of OpenFst 1.7.9.")
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BuildError(f"{command[0]} failed: {reason}.")
    return result.stdout

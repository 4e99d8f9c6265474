"""Where a training stands, kept every few hundred steps, so that one that was ended goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim import Optimizer

from models.build.net import Net

EVERY: Final = 500
"""Steps from one checkpoint to the next."""


@dataclass(slots=True)
class Progress:
    """All that changes from step to step, beside the network and its optimizer."""

    counts: NDArray[np.float64]
    """How often each unit was a label."""
    generator: np.random.Generator
    """Draws masks and shifts."""
    step: int = 0
    """Steps done."""


def inputs_digest(plan: object, files: Iterable[Path]) -> str:
    """A digest of what a training depends on: its plan, and the files as they are now."""
    facts = [repr(plan), *((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def keep(file: Path, inputs: str, net: Net, optimizer: Optimizer, progress: Progress) -> None:
    """Writes a checkpoint, whole or not at all."""
    beside = file.with_suffix(".part")
    kept = {
        "inputs": inputs,
        "weights": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "generator": progress.generator.bit_generator.state,
        "counts": progress.counts,
        "step": progress.step,
    }
    torch.save(kept, beside)
    beside.replace(file)


def read(file: Path, inputs: str) -> dict[str, Any] | None:
    """The checkpoint in a file; None where there is none, or one of another plan or other clips."""
    if not file.exists():
        return None
    kept: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=False)
    return kept if kept["inputs"] == inputs else None


def go_on(kept: dict[str, Any], net: Net, optimizer: Optimizer, progress: Progress) -> None:
    """Brings everything to where it stood at a checkpoint."""
    net.load_state_dict(kept["weights"])
    optimizer.load_state_dict(kept["optimizer"])
    torch.set_rng_state(kept["random"])
    progress.generator.bit_generator.state = kept["generator"]
    progress.counts, progress.step = kept["counts"], kept["step"]

"""Checkpoints of a training, written at regular steps, so that an interrupted training can resume."""

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
from torch import nn
from torch.optim import Optimizer

CHECKPOINT_INTERVAL: Final = 500
"""Steps from one checkpoint to the next."""


@dataclass(slots=True)
class Progress:
    """The state of a training that changes at each step, apart from the network and its optimizer."""

    counts: NDArray[np.float64]
    """How often each unit was a label."""
    step: int = 0
    """Number of steps done."""


def inputs_digest(plan: object, files: Iterable[Path]) -> str:
    """A digest of what a training depends on: its plan, and the current size and time of its files."""
    facts = [repr(plan), *((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def save_checkpoint(file: Path, inputs: str, net: nn.Module, optimizer: Optimizer, progress: Progress) -> None:
    """Writes a checkpoint atomically."""
    partial = file.with_suffix(".part")
    checkpoint = {
        "inputs": inputs,
        "weights": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "counts": progress.counts,
        "step": progress.step,
    }
    torch.save(checkpoint, partial)
    partial.replace(file)


def load_checkpoint(file: Path, inputs: str) -> dict[str, Any] | None:
    """The checkpoint in a file; None if there is none, or if its plan or its clips differ from `inputs`."""
    if not file.exists():
        return None
    checkpoint: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=False)
    return checkpoint if checkpoint["inputs"] == inputs else None


def restore(checkpoint: dict[str, Any], net: nn.Module, optimizer: Optimizer, progress: Progress) -> None:
    """Sets the network, the optimizer and the progress to the state of a checkpoint."""
    net.load_state_dict(checkpoint["weights"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    progress.counts, progress.step = checkpoint["counts"], checkpoint["step"]

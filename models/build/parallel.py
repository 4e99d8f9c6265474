"""Several processes that train one network: each computes gradients on its own sessions, and all use their mean.

One process per core is faster than one process with a thread per core: the processes wait for each other once a step,
threads in every operation. Each process has the same weights after every step, so only one of them saves.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import torch
from torch import Tensor, nn

WORKERS: Final = 2
"""Processes of a training. Another number gives another network, so it does not depend on the machine."""
TIMEOUT: Final = 900
"""Seconds that a process waits for the others; at the start they read the clips."""


@dataclass(frozen=True, slots=True)
class Team:
    """What one process of a training shares with the others."""

    rank: int
    """The number of this process, from 0."""
    shared: Tensor
    """Processes x values, in memory that all processes see."""
    barrier: Any
    """A barrier of multiprocessing for all processes."""

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a vector over all processes. Raises threading.BrokenBarrierError if one of them has ended."""
        self.shared[self.rank, : len(values)] = values
        self.barrier.wait(TIMEOUT)
        mean = self.shared[:, : len(values)].mean(0)
        self.barrier.wait(TIMEOUT)
        return mean


def average(net: nn.Module, counts: Tensor, team: Team) -> Tensor:
    """Sets gradients and statistics of a network to their means over all processes; returns the mean of the counts."""
    tensors = [*(parameter.grad for parameter in net.parameters() if parameter.grad is not None), *_statistics(net)]
    mean = team.mean(torch.cat([counts, *(tensor.reshape(-1) for tensor in tensors)]))
    parts = mean[len(counts) :].split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))
    return mean[: len(counts)]


def _statistics(net: nn.Module) -> list[Tensor]:
    """The running means and variances of the batch normalisations."""
    return [buffer for name, buffer in net.named_buffers() if "running" in name]


def shared_values(net: nn.Module, counts: int) -> int:
    """How many values the processes share in a step."""
    return counts + sum(tensor.numel() for tensor in (*net.parameters(), *_statistics(net)))


class Processes:
    """The processes beside this one, which run `work(team, *arguments)`; `team` is what this one takes part with."""

    def __init__(self, work: Callable[..., None], arguments: Sequence[object], values: int) -> None:
        context = multiprocessing.get_context("spawn")
        shared, barrier = torch.zeros(WORKERS, values).share_memory_(), context.Barrier(WORKERS)
        self.team, *others = (Team(rank, shared, barrier) for rank in range(WORKERS))
        self.processes = [context.Process(target=_run, args=(work, team, arguments), daemon=True) for team in others]

    def __enter__(self) -> Team:
        for process in self.processes:
            process.start()
        return self.team

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for process in self.processes:
            if error:
                process.kill()
            process.join()


def _run(work: Callable[..., None], team: Team, arguments: Sequence[object]) -> None:
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        work(team, *arguments)
    except BaseException:
        team.barrier.abort()
        raise


def _exit_with_parent() -> None:
    """Ends this process when the training was killed and could not end it.

    counter_listener.batch has the same for its workers, but importing it would load libvosk beside PyTorch.
    """
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(0)

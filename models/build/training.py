"""Training: frame cross-entropy with PyTorch, on sessions that are generated for every step.

Neither CTC nor a lattice criterion is needed: the alignments are known, so the network learns the unit of each frame.
Word times are then correct, and pauses are silence for libvosk's end-of-utterance rules.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from models.build.augmentation import augment, mask, prepare_noises
from models.build.checkpoint import (
    CHECKPOINT_INTERVAL,
    Progress,
    inputs_digest,
    load_checkpoint,
    restore,
    save_checkpoint,
)
from models.build.clips import Clip, load_clips
from models.build.lexicon import units
from models.build.net import SUBSAMPLING, Net, load_network, save_network, subtract_running_mean
from models.build.sessions import draw_session, training_material

BATCH_SIZE: Final = 8
"""Sessions per batch."""
QUEUE_SIZE: Final = 16
"""Batches that are generated in advance."""
STATISTICS_BATCHES: Final = 12
"""Batches from which the mean and the standard deviation of the features are computed."""
WARM_UP_STEPS: Final = 150
"""Steps in which the learning rate rises."""
REPORT_INTERVAL: Final = 100
"""Steps from one report to the next."""
GARBAGE_SHARE: Final = 0.06
"""Share of the target of each speech frame that goes to garbage. [unk] then has a similar score in all speech, and its
prior sets the balance."""
SMOOTHING: Final = 0.05
"""Share of the rest that is spread over all units (label smoothing, Szegedy et al., 2016)."""

Batch = tuple[NDArray[np.float32], NDArray[np.uint8]]
"""Sessions x frames x 40 features, and sessions x frames labels."""
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """The number of steps and the other hyperparameters of a training."""

    steps: int
    learning_rate: float = 2e-3
    hidden: int = 256
    dropout: float = 0.08
    seed: int = 1
    constant_rate: bool = False
    """Whether the learning rate stays constant: for a network that only aligns, or that is trained further."""

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        decay = 1.0 if self.constant_rate else max(0.01, 1 - step / self.steps)
        return self.learning_rate * min(1.0, (step + 1) / WARM_UP_STEPS) * decay


def train(  # noqa: PLR0913 - what a training reads and writes
    files: Sequence[Path], noise: Path, plan: Plan, target: Path, start: Path | None, report: Report
) -> None:
    """Trains on the aligned clips in `files`, from the network `start` or from scratch, and writes to `target`.

    An interrupted training resumes from its last checkpoint and gives the same network as an uninterrupted one.
    """
    torch.manual_seed(plan.seed)
    checkpoint_file = target.with_suffix(".checkpoint")
    inputs = inputs_digest(plan, [*files, noise, *([start] if start else [])])
    checkpoint = load_checkpoint(checkpoint_file, inputs)
    progress = Progress(np.zeros(len(units())), np.random.default_rng(plan.seed))
    first_batch = checkpoint["step"] + (0 if start else STATISTICS_BATCHES) if checkpoint else 0
    with BatchLoader(files, noise, plan.seed, first_batch) as next_batch:
        if start:
            net = load_network(start)[0]
        elif checkpoint:
            net = Net(plan.hidden)
        else:
            net = new_network(plan, [next_batch() for _ in range(STATISTICS_BATCHES)])
        net.dropout = plan.dropout
        net.train()
        optimizer = torch.optim.AdamW(net.parameters(), plan.learning_rate, weight_decay=2e-3)
        if checkpoint:
            restore(checkpoint, net, optimizer, progress)
            report(f"resumes from step {progress.step}")

        def save() -> None:
            save_checkpoint(checkpoint_file, inputs, net, optimizer, progress)

        run_steps(net, optimizer, next_batch, plan, progress, report, save)
    net.eval()
    save_network(net, progress.counts, target)
    checkpoint_file.unlink(missing_ok=True)


def new_network(plan: Plan, batches: Sequence[Batch]) -> Net:
    """An untrained network with the mean and the standard deviation of the features in some batches."""
    net = Net(plan.hidden)
    features = torch.from_numpy(np.concatenate([batch[0] for batch in batches]).astype(np.float32))
    speech = torch.from_numpy(np.concatenate([batch[1] for batch in batches])) > 0
    net.global_mean[:] = features[speech].mean(0)
    centred = subtract_running_mean(features, net.global_mean)
    net.mean[:], net.deviation[:] = centred.mean((0, 1)), centred.std((0, 1))
    return net


def run_steps(  # noqa: PLR0913 - what a training consists of
    net: Net,
    optimizer: Optimizer,
    next_batch: Callable[[], Batch],
    plan: Plan,
    progress: Progress,
    report: Report,
    save: Callable[[], None],
) -> None:
    """The remaining steps of a training; `save` writes a checkpoint."""
    began, first = time.monotonic(), progress.step
    losses, correct, speech = 0.0, 0, 0
    bfloat16 = computes_in_bfloat16()
    for step in range(first, plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate_at(step)
        step_loss, step_correct, step_speech = train_step(net, optimizer, next_batch(), progress, bfloat16=bfloat16)
        losses, correct, speech = losses + step_loss, correct + step_correct, speech + step_speech
        progress.step = step + 1
        if progress.step % CHECKPOINT_INTERVAL == 0:
            save()
        if progress.step % REPORT_INTERVAL == 0 or progress.step == plan.steps:
            done = progress.step - first
            pace = (time.monotonic() - began) / done
            report(
                f"step {progress.step} of {plan.steps}, loss {losses / min(REPORT_INTERVAL, done):.3f}, accuracy in "
                f"speech {correct / max(1, speech):.3f}, {pace:.2f} s per step, "
                f"{pace * (plan.steps - progress.step) / 60:.0f} min left"
            )
            losses, correct, speech = 0.0, 0, 0


def train_step(
    net: Net, optimizer: Optimizer, batch: Batch, progress: Progress, *, bfloat16: bool
) -> tuple[float, int, int]:
    """One step on one batch: its loss, the number of correct speech frames, and the number of speech frames."""
    features, labels = batch
    generator = progress.generator
    progress.counts += np.bincount(labels.ravel(), minlength=len(units()))
    shift = int(generator.integers(0, SUBSAMPLING))
    prepared = mask(net.prepare(torch.from_numpy(features.astype(np.float32))).numpy(), generator)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits = net(torch.from_numpy(prepared[:, shift:])).float()
    targets = torch.from_numpy(labels[:, shift::SUBSAMPLING].astype(np.int64))
    length = min(logits.shape[1], targets.shape[1])
    logits, targets = logits[:, :length], targets[:, :length]
    loss = cross_entropy(logits, targets)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimizer.step()
    in_speech = targets > 0
    correct = int((logits.argmax(-1)[in_speech] == targets[in_speech]).sum())
    return loss.item(), correct, int(in_speech.sum())


def computes_in_bfloat16() -> bool:
    """Whether the processor supports bfloat16; where PyTorch emulates it, a step takes twenty times as long."""
    return any(supported for name, supported in torch.cpu.get_capabilities().items() if name.endswith("bf16"))


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of batch x frames x units for batch x frames targets, with smoothing and the share of garbage."""
    log = logits.log_softmax(-1)
    garbage = torch.where(targets > 0, GARBAGE_SHARE, 0.0)
    target_log = log.gather(-1, targets[..., None])[..., 0]
    smoothed = (1 - SMOOTHING) * target_log + SMOOTHING * log.mean(-1)
    return -((1 - garbage) * smoothed + garbage * log[..., 1]).mean()


class BatchLoader:
    """A process that generates batches while the network is trained; a seed always gives the same batches.

    `first` is the number of the first batch, from 0.
    """

    def __init__(self, files: Sequence[Path], noise: Path, seed: int, first: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        self.queue = context.Queue(QUEUE_SIZE)
        self.process = context.Process(target=make_batches, args=(files, noise, seed, first, self.queue), daemon=True)

    def __enter__(self) -> Callable[[], Batch]:
        self.process.start()
        return self.next

    def next(self) -> Batch:
        """The next batch."""
        features, labels = self.queue.get(timeout=600)
        return features, labels

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.join()


def make_batches(
    files: Sequence[Path],
    noise: Path,
    seed: int,
    first: int,
    queue: Any,  # noqa: ANN401 - of a multiprocessing context
) -> None:
    """Puts batches into the queue, from number `first`, until the process is ended.

    Each batch has its own random generators, so earlier ones need not be generated.
    """
    torch.set_num_threads(1)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    clips: list[Clip] = [clip for file in files for clip in load_clips(file)]
    recorded = tuple(clip.features.astype(np.float32) for clip in load_clips(noise))
    material, noises = training_material(clips), prepare_noises(recorded, np.random.default_rng(seed))
    for number in count(first):
        rng = random.Random(f"{seed} {number}")  # noqa: S311 - reproducible draws, not secrets
        generator = np.random.default_rng((seed, number))
        sessions = [draw_session(material, rng) for _ in range(BATCH_SIZE)]
        features = augment(np.stack([session[0] for session in sessions]), noises, generator)
        queue.put((features.astype(np.float16), np.stack([session[1] for session in sessions])))


def _exit_with_parent() -> None:
    """Ends this process when the training was killed and could not end it.

    counter_listener.batch has the same for its workers, but importing it would load libvosk beside PyTorch.
    """
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(0)

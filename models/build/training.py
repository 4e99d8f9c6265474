"""Training: frame cross-entropy with PyTorch, on sessions that are generated for every step.

Neither CTC nor a lattice criterion is needed: the alignments are known, so the network learns the unit of each frame.
Word times are then correct, and pauses are silence for libvosk's end-of-utterance rules.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from models.build.augmentation import NoiseSources, augment, mask, prepare_noises
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
from models.build.net import SUBSAMPLING, Net, load_network, save_network, subtract_running_mean, widen
from models.build.parallel import WORKERS, Processes, Team, average, shared_values
from models.build.sessions import Material, draw_session, training_material

BATCH_SIZE: Final = 4
"""Sessions of each process in a step."""
STATISTICS_BATCHES: Final = 24
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
    hidden: int = 256
    learning_rate: float = 2e-3
    dropout: float = 0.08
    seed: int = 1
    constant_rate: bool = False
    """Whether the learning rate stays constant: for a network that only aligns, or that is trained further."""

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        decay = 1.0 if self.constant_rate else max(0.01, 1 - step / self.steps)
        return self.learning_rate * min(1.0, (step + 1) / WARM_UP_STEPS) * decay


@dataclass(frozen=True, slots=True)
class BatchSource:
    """Generates batches. A seed always gives the same batches, whichever were generated before."""

    material: Material
    noises: NoiseSources
    seed: int

    def batch(self, step: int, rank: int) -> Batch:
        """The batch of a process in a step."""
        rng = random.Random(f"{self.seed} {step} {rank}")  # noqa: S311 - reproducible draws, not secrets
        sessions = [draw_session(self.material, rng) for _ in range(BATCH_SIZE)]
        generator = np.random.default_rng((self.seed, step, rank))
        features = augment(np.stack([session[0] for session in sessions]), self.noises, generator)
        return features, np.stack([session[1] for session in sessions])


def batch_source(files: Sequence[Path], noise: Path, seed: int) -> BatchSource:
    """Reads the aligned clips and the noises of a training."""
    clips: list[Clip] = [clip for file in files for clip in load_clips(file)]
    recorded = tuple(clip.features.astype(np.float32) for clip in load_clips(noise))
    return BatchSource(training_material(clips), prepare_noises(recorded, np.random.default_rng(seed)), seed)


def train(  # noqa: PLR0913 - what a training reads and writes
    files: Sequence[Path], noise: Path, plan: Plan, target: Path, start: Path | None, report: Report
) -> None:
    """Trains on the aligned clips in `files`, from the network `start`, widened, or from scratch; writes to `target`.

    An interrupted training resumes from its last checkpoint and gives the same network as an uninterrupted one.
    """
    torch.set_num_threads(1)
    checkpoint_file = target.with_suffix(".checkpoint")
    inputs = inputs_digest(plan, [*files, noise, *([start] if start else [])])
    source = batch_source(files, noise, plan.seed)
    if load_checkpoint(checkpoint_file, inputs) is None:
        torch.manual_seed(plan.seed)
        net = widen(load_network(start)[0], plan.hidden) if start else new_network(plan.hidden, source)
        save_checkpoint(checkpoint_file, inputs, net, new_optimizer(net, plan), Progress(np.zeros(len(units()))))
    training = Training(plan, checkpoint_file, inputs, report)
    arguments = (training.silent(), files, noise)
    with Processes(run_beside, arguments, shared_values(Net(plan.hidden), len(units()))) as team:
        net, progress = training.run(source, team)
    save_network(net.eval(), progress.counts, target)
    checkpoint_file.unlink(missing_ok=True)


def run_beside(team: Team, training: Training, files: Sequence[Path], noise: Path) -> None:
    """The work of the other processes."""
    torch.set_num_threads(1)
    training.run(batch_source(files, noise, training.plan.seed), team)


def new_network(hidden: int, source: BatchSource) -> Net:
    """An untrained network with the mean and the standard deviation of the features in some batches."""
    net = Net(hidden)
    batches = [source.batch(number, WORKERS) for number in range(STATISTICS_BATCHES)]
    features = torch.from_numpy(np.concatenate([batch[0] for batch in batches]))
    speech = torch.from_numpy(np.concatenate([batch[1] for batch in batches])) > 0
    net.global_mean[:] = features[speech].mean(0)
    centred = subtract_running_mean(features, net.global_mean)
    net.mean[:], net.deviation[:] = centred.mean((0, 1)), centred.std((0, 1))
    return net


def new_optimizer(net: Net, plan: Plan) -> AdamW:
    return AdamW(net.parameters(), plan.learning_rate, weight_decay=2e-3, fused=True)


@dataclass(frozen=True, slots=True)
class Training:
    """A training, from the state in its checkpoint to its end."""

    plan: Plan
    checkpoint: Path
    inputs: str
    """The digest of what the training depends on."""
    report: Report | None
    """None in the processes that neither report nor save."""

    def silent(self) -> Training:
        """The same for the other processes."""
        return Training(self.plan, self.checkpoint, self.inputs, None)

    def run(self, source: BatchSource, team: Team) -> tuple[Net, Progress]:
        """The trained network, and how often each unit was a label."""
        checkpoint = load_checkpoint(self.checkpoint, self.inputs)
        assert checkpoint is not None  # noqa: S101 - train() has written it
        net, progress = Net(self.plan.hidden, self.plan.dropout), Progress(np.zeros(len(units())))
        net.train()
        optimizer = new_optimizer(net, self.plan)
        restore(checkpoint, net, optimizer, progress)
        if self.report and progress.step:
            self.report(f"resumes from step {progress.step}")
        monitor = Monitor(self.plan.steps, progress.step)
        while progress.step < self.plan.steps:
            self._step(net, optimizer, progress, source, team, monitor)
            if self.report:
                if progress.step % CHECKPOINT_INTERVAL == 0:
                    save_checkpoint(self.checkpoint, self.inputs, net, optimizer, progress)
                if progress.step % REPORT_INTERVAL == 0 or progress.step == self.plan.steps:
                    self.report(monitor.line(progress.step))
        return net, progress

    def _step(  # noqa: PLR0913 - what a step changes
        self,
        net: Net,
        optimizer: Optimizer,
        progress: Progress,
        source: BatchSource,
        team: Team,
        monitor: Monitor,
    ) -> None:
        step = progress.step
        for group in optimizer.param_groups:
            group["lr"] = self.plan.rate_at(step)
        torch.manual_seed(self.plan.seed * 1_000_003 + step * WORKERS + team.rank)
        generator = np.random.default_rng((self.plan.seed, step, team.rank, 1))
        features, labels = source.batch(step, team.rank)
        optimizer.zero_grad()
        monitor.add(*backward(net, features, labels, generator))
        counts = torch.from_numpy(np.bincount(labels.ravel(), minlength=len(units())).astype(np.float32))
        progress.counts += average(net, counts, team).double().numpy() * WORKERS
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        progress.step = step + 1


@dataclass(slots=True)
class Monitor:
    """What a training reports."""

    steps: int
    first: int
    """The step at which it began."""
    began: float = field(default_factory=time.monotonic)
    losses: list[float] = field(default_factory=list)
    correct: int = 0
    speech: int = 0

    def add(self, loss: float, correct: int, speech: int) -> None:
        """Adds a step."""
        self.losses.append(loss)
        self.correct, self.speech = self.correct + correct, self.speech + speech

    def line(self, step: int) -> str:
        """The report of the steps since the last one."""
        pace = (time.monotonic() - self.began) / max(1, step - self.first)
        text = (
            f"step {step} of {self.steps}, loss {np.mean(self.losses):.3f}, accuracy in speech "
            f"{self.correct / max(1, self.speech):.3f}, {pace:.2f} s per step, "
            f"{pace * (self.steps - step) / 60:.0f} min left"
        )
        self.losses, self.correct, self.speech = [], 0, 0
        return text


def backward(
    net: Net, features: NDArray[np.float32], labels: NDArray[np.uint8], generator: np.random.Generator
) -> tuple[float, int, int]:
    """Adds the gradients of a batch; its loss, the number of correct speech frames, and the number of speech frames."""
    shift = int(generator.integers(0, SUBSAMPLING))
    prepared = mask(net.prepare(torch.from_numpy(features)).numpy(), generator)
    with torch.autocast("cpu", torch.bfloat16, enabled=computes_in_bfloat16()):
        logits = net(torch.from_numpy(prepared[:, shift:])).float()
    targets = torch.from_numpy(labels[:, shift::SUBSAMPLING].astype(np.int64))
    length = min(logits.shape[1], targets.shape[1])
    logits, targets = logits[:, :length], targets[:, :length]
    loss = cross_entropy(logits, targets)
    loss.backward()
    in_speech = targets > 0
    correct = int((logits.argmax(-1)[in_speech] == targets[in_speech]).sum())
    return loss.item(), correct, int(in_speech.sum())


@cache
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

"""Training: frame cross-entropy with PyTorch on sessions made anew for every step.

Not CTC and not a lattice criterion: alignments are at hand, so each frame's unit is simply learnt. Word times then come
out right, pauses are real silence for libvosk's end-of-utterance rules, and the whole is a page of code.
"""

from __future__ import annotations

import multiprocessing
import random
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

from counter_listener.batch.parent import end_with_parent
from models.build.augmentation import augmented, masked, noises
from models.build.checkpoint import EVERY, Progress, go_on, inputs_digest, keep, read
from models.build.clips import Clip, load_clips
from models.build.lexicon import units
from models.build.net import SUBSAMPLING, Net, load, online_mean_removed, save
from models.build.sessions import material, session

SESSIONS: Final = 8
"""In a batch."""
AHEAD: Final = 16
"""Batches made before they are needed."""
FIRST: Final = 12
"""Batches from which the mean and deviation of the features are taken."""
WARM_UP: Final = 150
"""Steps in which the learning rate rises."""
GARBAGE_SHARE: Final = 0.06
"""Share of each speech frame's target that goes to garbage: [unk] then scores alike in all speech, and is a dial."""
SMOOTHING: Final = 0.05
"""Share of the rest that is spread over all units (Szegedy et al., 2016, label smoothing)."""

Batches = Callable[[], tuple[NDArray[np.float32], NDArray[np.uint8]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    rate: float = 2e-3
    hidden: int = 256
    dropped: float = 0.08
    seed: int = 1
    flat: bool = False
    """Whether the rate stays up: for a net that is only to align by, or to go on from."""

    def rate_at(self, step: int) -> float:
        falling = 1.0 if self.flat else max(0.01, 1 - step / self.steps)
        return self.rate * min(1.0, (step + 1) / WARM_UP) * falling


def train(  # noqa: PLR0913 - what a training reads and writes
    files: Sequence[Path], noise: Path, plan: Plan, target: Path, start: Path | None, report: Callable[[str], None]
) -> None:
    """Trains on the aligned clips in `files` from `start` (or from nothing) and writes the network to `target`.

    One that was ended goes on from its last checkpoint, to the very network that it would have made at one go.
    """
    torch.manual_seed(plan.seed)
    kept_at = target.with_suffix(".checkpoint")
    inputs = inputs_digest(plan, [*files, noise, *([start] if start else [])])
    kept = read(kept_at, inputs)
    progress = Progress(np.zeros(len(units())), np.random.default_rng(plan.seed))
    begin = kept["step"] + (0 if start else FIRST) if kept else 0
    with prefetched(files, noise, plan.seed, begin) as batches:
        if start:
            net = load(start)[0]
        elif kept:
            net = Net(plan.hidden)
        else:
            net = fresh(plan, [batches() for _ in range(FIRST)])
        net.dropped = plan.dropped
        net.train()
        optimizer = torch.optim.AdamW(net.parameters(), plan.rate, weight_decay=2e-3)
        if kept:
            go_on(kept, net, optimizer, progress)
            report(f"goes on from step {progress.step}")
        learn(net, optimizer, batches, plan, progress, report, lambda: keep(kept_at, inputs, net, optimizer, progress))
    net.eval()
    save(net, progress.counts, target)
    kept_at.unlink(missing_ok=True)


def fresh(plan: Plan, batches: Sequence[tuple[NDArray[np.float32], NDArray[np.uint8]]]) -> Net:
    """A network with nothing learnt but the mean and deviation of what it will be fed."""
    net = Net(plan.hidden)
    features = torch.from_numpy(np.concatenate([one[0] for one in batches]).astype(np.float32))
    speech = torch.from_numpy(np.concatenate([one[1] for one in batches])) > 0
    net.global_mean[:] = features[speech].mean(0)
    centred = online_mean_removed(features, net.global_mean)
    net.mean[:], net.deviation[:] = centred.mean((0, 1)), centred.std((0, 1))
    return net


def learn(  # noqa: PLR0913 - what a training is made of
    net: Net,
    optimizer: Optimizer,
    batches: Batches,
    plan: Plan,
    progress: Progress,
    report: Callable[[str], None],
    checkpoint: Callable[[], None],
) -> None:
    """The steps of training that are left, with a checkpoint now and then."""
    began, losses, right, speech = time.monotonic(), 0.0, 0, 0
    half, done, generator = computes_in_bfloat16(), progress.step, progress.generator
    for step in range(done, plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate_at(step)
        features, labels = batches()
        progress.counts += np.bincount(labels.ravel(), minlength=len(units()))
        shift = int(generator.integers(0, SUBSAMPLING))
        prepared = masked(net.prepare(torch.from_numpy(features.astype(np.float32))).numpy(), generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = net(torch.from_numpy(prepared[:, shift:])).float()
        truth = torch.from_numpy(labels[:, shift::SUBSAMPLING].astype(np.int64))
        length = min(logits.shape[1], truth.shape[1])
        logits, truth = logits[:, :length], truth[:, :length]
        loss = cross_entropy(logits, truth)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        spoken = truth > 0
        losses += loss.item()
        right += int((logits.argmax(-1)[spoken] == truth[spoken]).sum())
        speech += int(spoken.sum())
        progress.step = step + 1
        if (step + 1) % EVERY == 0:
            checkpoint()
        if (step + 1) % 100 == 0 or step + 1 == plan.steps:
            pace = (time.monotonic() - began) / (step + 1 - done)
            report(
                f"step {step + 1} of {plan.steps}, loss {losses / min(100, step + 1 - done):.3f}, speech frames right "
                f"{right / max(1, speech):.3f}, {pace:.2f} s a step, {pace * (plan.steps - step - 1) / 60:.0f} min left"
            )
            losses, right, speech = 0.0, 0, 0


def computes_in_bfloat16() -> bool:
    """Whether the processor itself does: where PyTorch has to imitate it, a step takes twenty times as long."""
    return any(able for name, able in torch.cpu.get_capabilities().items() if name.endswith("bf16"))


def cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """The loss of batch x frames x units against batch x frames, smoothed, a share of speech going to garbage."""
    log = logits.log_softmax(-1)
    garbage = torch.where(truth > 0, GARBAGE_SHARE, 0.0)
    right = log.gather(-1, truth[..., None])[..., 0]
    smoothed = (1 - SMOOTHING) * right + SMOOTHING * log.mean(-1)
    return -((1 - garbage) * smoothed + garbage * log[..., 1]).mean()


class prefetched:  # noqa: N801 - a context manager that reads as a verb
    """Batches made by a process of its own while the network learns; always the same ones for a seed, from any on."""

    def __init__(self, files: Sequence[Path], noise: Path, seed: int, begin: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        self.queue = context.Queue(AHEAD)
        self.process = context.Process(target=make_batches, args=(files, noise, seed, begin, self.queue), daemon=True)

    def __enter__(self) -> Batches:
        self.process.start()
        return self.next

    def next(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """The next batch: sessions x frames x 40, and sessions x frames."""
        features, labels = self.queue.get(timeout=600)
        return features, labels

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.join()


def make_batches(
    files: Sequence[Path],
    noise: Path,
    seed: int,
    begin: int,
    queue: Any,  # noqa: ANN401 - of a context
) -> None:
    """Fills the queue for ever, from a batch on; each has draws of its own, so that those before need not be made."""
    torch.set_num_threads(1)
    end_with_parent()
    clips: list[Clip] = [clip for file in files for clip in load_clips(file)]
    recorded = tuple(clip.features.astype(np.float32) for clip in load_clips(noise))
    source, heard = material(clips), noises(recorded, np.random.default_rng(seed))
    for number in count(begin):
        chance = random.Random(f"{seed} {number}")  # noqa: S311 - a draw, no secret
        generator = np.random.default_rng((seed, number))
        drawn = [session(source, chance) for _ in range(SESSIONS)]
        features = augmented(np.stack([one[0] for one in drawn]), heard, generator)
        queue.put((features.astype(np.float16), np.stack([one[1] for one in drawn])))

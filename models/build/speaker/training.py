"""Training of the speaker network: which of all voices is it, with a margin (Deng et al., ArcFace, CVPR 2019).

Each step draws voices, and of each some stretches, joined from its clips, in rooms, at distances and in noise that are
drawn anew. A voice that is nearly the same mixture as the right one counts neither for nor against.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW

from models.build.augmentation import (
    NoiseSources,
    add_energies,
    channel_curves,
    draw_noise,
    mask,
    prepare_noises,
    reverberate,
    weaken,
)
from models.build.checkpoint import Progress, inputs_digest, load_checkpoint, restore, save_checkpoint
from models.build.clips import load_clips
from models.build.features import ZERO_ENERGY
from models.build.parallel import Processes, Team, average, shared_values
from models.build.speaker.net import VECTOR, SpeakerNet, save_speaker_net, subtract_window_mean
from models.build.speaker.speech import SPEECH, VOICES, Nearness, Speech, Voice, load_speech, nearness
from models.build.training import Monitor, Report, computes_in_bfloat16

FRAMES_PER_STEP: Final = 19_200
"""Frames of speech of each process in a step: many short stretches or few long ones."""
STRETCHES: Final = 2
"""Stretches of each voice in a step."""
SECONDS: Final = (0.6, 5.0)
"""Shortest and longest stretch, short ones as often as long ones."""
FAR_SHARE: Final = 0.4
"""Share of the stretches that are spoken far from the microphone, or behind glass."""
SCALE: Final = 24.0
PAIR_SCALE: Final = 16.0
"""By how much cosines are multiplied before the softmax, over voices and over the stretches of a step."""
MARGIN: Final = 0.2
"""Radians between the angle to the right voice and what it counts as."""
MARGIN_FROM, MARGIN_TO = 0.1, 0.4
"""Shares of the training between which the margin grows."""
SAME: Final = 0.85
"""Cosine between two mixtures from which they are taken for the same voice."""
WARM_UP: Final = 100
CHECKPOINT_INTERVAL: Final = 200
REPORT_INTERVAL: Final = 50
STATISTICS: Final = 20_000
"""Frames from which the deviation of the features is computed."""


@dataclass(frozen=True, slots=True)
class SpeakerPlan:
    """The size of a training."""

    steps: int
    rate: float = 2e-3
    seed: int = 1

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: it rises, and falls along a cosine."""
        share = step / self.steps
        return self.rate * min(1.0, (step + 1) / WARM_UP) * max(0.01, 0.5 * (1 + math.cos(math.pi * share)))

    def margin_at(self, step: int) -> float:
        """The margin of a step, in radians."""
        return MARGIN * min(1.0, max(0.0, (step / self.steps - MARGIN_FROM) / (MARGIN_TO - MARGIN_FROM)))


class Classifier(nn.Module):
    """The network, and a direction for each voice."""

    def __init__(self, voices: int) -> None:
        super().__init__()
        self.net = SpeakerNet()
        self.directions = nn.Parameter(torch.randn(voices, VECTOR) / VECTOR**0.5)

    def vectors(self, stretches: Tensor) -> Tensor:
        """Batch x frames x 40 -> batch x VECTOR of length 1."""
        return functional.normalize(self.net(stretches).float(), dim=1)

    def cosines(self, vectors: Tensor) -> Tensor:
        """Batch x voices: cosine of the angle between each vector and each voice."""
        return vectors @ functional.normalize(self.directions, dim=1).T


def margin_loss(cosines: Tensor, right: Tensor, ignored: Tensor, margin: float) -> Tensor:
    """Cross-entropy over voices, with the angle to the right one enlarged by `margin`; `ignored` ones are left out."""
    chosen = cosines.gather(1, right[:, None]).clamp(-1 + 1e-6, 1 - 1e-6)
    enlarged = torch.cos(torch.acos(chosen) + margin)
    logits = cosines.masked_fill(ignored, -1.0).scatter(1, right[:, None], enlarged)
    return functional.cross_entropy(SCALE * logits, right)


def pair_loss(vectors: Tensor, near: Tensor) -> Tensor:
    """Cross-entropy of which stretch of a step is of the same voice (Chung et al., In defence of metric learning,
    Interspeech 2020).

    The stretches of a voice follow each other; `near` says which voices of the step are too near to count. From the
    first step on it teaches what many voices, each seldom seen, teach only later.
    """
    cosines = PAIR_SCALE * vectors[0::2] @ vectors[1::2].T
    cosines = cosines.masked_fill(near & ~torch.eye(len(near), dtype=torch.bool), -PAIR_SCALE)
    right = torch.arange(len(near))
    return (functional.cross_entropy(cosines, right) + functional.cross_entropy(cosines.T, right)) / 2


@dataclass(frozen=True, slots=True)
class StretchSource:
    """Draws the stretches of a step. A seed always gives the same ones."""

    speech: Speech
    noises: NoiseSources
    nearness: Nearness
    weights: NDArray[np.float64]
    """The chance of each voice."""
    seed: int

    def batch(self, step: int, rank: int) -> tuple[Tensor, Tensor, Tensor]:
        """Stretches x frames x 40, the voice of each, and for each which other voices are too near to count."""
        generator = np.random.default_rng((self.seed, step, rank))
        frames = round(100 * SECONDS[0] * (SECONDS[1] / SECONDS[0]) ** generator.random())
        count = max(8, min(128, FRAMES_PER_STEP // frames // STRETCHES))
        chosen = np.repeat(generator.choice(len(self.weights), count, replace=False, p=self.weights), STRETCHES)
        rng = random.Random(f"{self.seed} {step} {rank}")  # noqa: S311 - reproducible draws, not secrets
        clean = np.stack([stretch(self.speech, self.speech.voices[number], frames, rng) for number in chosen])
        heard = torch.from_numpy(place(clean, self.noises, generator))
        prepared = mask(subtract_window_mean(heard).numpy(), generator)
        near = self.nearness.near(chosen, SAME)
        near[np.arange(len(chosen)), chosen] = False
        return torch.from_numpy(prepared), torch.from_numpy(chosen), torch.from_numpy(near)


def stretch(speech: Speech, voice: Voice, frames: int, rng: random.Random) -> NDArray[np.float32]:
    """So many frames of a voice, from one of its clips or, where it is too short, from several in turn."""
    parts: list[NDArray[np.float32]] = []
    missing = frames
    while missing > 0:
        first, last = rng.choice(voice.clips)
        taken = min(missing, last - first)
        start = first + rng.randrange(last - first - taken + 1)
        parts.append(speech.frames[start : start + taken].astype(np.float32))
        missing -= taken
    return np.concatenate(parts)


def place(clean: NDArray[np.float32], noises: NoiseSources, generator: np.random.Generator) -> NDArray[np.float32]:
    """Stretches x frames x 40 as they are heard: in rooms, near and far, by different microphones, in noise."""
    heard = np.empty_like(clean)
    for index, near in enumerate(clean):
        seconds = generator.uniform(0.15, 0.8) if generator.random() < 0.5 else 0.0
        far = generator.random() < FAR_SHARE
        spoken = weaken(near, generator) if far else near
        heard[index] = reverberate(
            spoken, seconds, generator.uniform(-8, 6) if far else generator.uniform(-2, 14), generator
        )
    heard += channel_curves(len(heard), generator)
    level = np.quantile(heard[:, ::4].max(-1), 0.9, axis=1)
    noise = np.stack([draw_noise(heard, level, index, noises, generator) for index in range(len(heard))])
    quiet = generator.random(len(heard)) < 0.15
    noise[quiet] = ZERO_ENERGY
    return np.maximum(add_energies(heard, noise, generator), ZERO_ENERGY).astype(np.float32)


def voice_weights(voices: Sequence[Voice]) -> NDArray[np.float64]:
    """The chance of each voice: more for one that is heard in more clips, for it teaches what else varies."""
    weights = np.array([min(len(voice.clips), 16) ** 0.5 for voice in voices])
    return weights / weights.sum()


def stretch_source(work: Path, seed: int) -> StretchSource:
    """Reads the speech and the noises of a training."""
    speech = load_speech(work)
    recorded = tuple(clip.features.astype(np.float32) for clip in load_clips(work / "noise.clips"))
    noises = prepare_noises(recorded, np.random.default_rng(seed))
    return StretchSource(speech, noises, nearness(speech.voices), voice_weights(speech.voices), seed)


def train_speaker(work: Path, plan: SpeakerPlan, target: Path, report: Report) -> None:
    """Trains on the speech in the work folder and writes the network; continues from a checkpoint, if there is one."""
    torch.set_num_threads(1)
    source = stretch_source(work, plan.seed)
    checkpoint = target.with_suffix(".checkpoint")
    inputs = inputs_digest(plan, [work / SPEECH, work / VOICES])
    if load_checkpoint(checkpoint, inputs) is None:
        torch.manual_seed(plan.seed)
        model = Classifier(len(source.speech.voices))
        sample = torch.from_numpy(np.asarray(source.speech.frames[:STATISTICS], np.float32))
        model.net.deviation[:] = subtract_window_mean(sample[None])[0].std(0)
        save_checkpoint(checkpoint, inputs, model, optimizer_of(model, plan), Progress(np.zeros(1)))
    values = shared_values(Classifier(len(source.speech.voices)), 1)
    with Processes(train_beside, (work, plan, checkpoint, inputs), values) as team:
        model = run_training(source, plan, checkpoint, inputs, team, report)
    save_speaker_net(model.net.eval(), target)
    checkpoint.unlink(missing_ok=True)


def train_beside(team: Team, work: Path, plan: SpeakerPlan, checkpoint: Path, inputs: str) -> None:
    """The work of the other processes."""
    torch.set_num_threads(1)
    run_training(stretch_source(work, plan.seed), plan, checkpoint, inputs, team, None)


def optimizer_of(model: nn.Module, plan: SpeakerPlan) -> AdamW:
    return AdamW(model.parameters(), plan.rate, weight_decay=2e-3, fused=True)


def run_training(  # noqa: PLR0913 - what a training reads and writes
    source: StretchSource, plan: SpeakerPlan, checkpoint: Path, inputs: str, team: Team, report: Report | None
) -> Classifier:
    """The trained network, from the state in the checkpoint on; `report` only where it reports and saves."""
    stored = load_checkpoint(checkpoint, inputs)
    assert stored is not None  # noqa: S101 - train_speaker() has written it
    model, progress = Classifier(len(source.speech.voices)), Progress(np.zeros(1))
    model.train()
    optimizer = optimizer_of(model, plan)
    restore(stored, model, optimizer, progress)
    team.mean(torch.zeros(1))  # nobody saves before all have read
    monitor = Monitor(plan.steps, progress.step)
    while progress.step < plan.steps:
        step = progress.step
        for group in optimizer.param_groups:
            group["lr"] = plan.rate_at(step)
        optimizer.zero_grad()
        monitor.add(*backward(model, source.batch(step, team.rank), plan.margin_at(step)))
        average(model, torch.zeros(1), team)
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        progress.step = step + 1
        if report and progress.step % CHECKPOINT_INTERVAL == 0:
            save_checkpoint(checkpoint, inputs, model, optimizer, progress)
        if report and (progress.step % REPORT_INTERVAL == 0 or progress.step == plan.steps):
            report(monitor.line(progress.step).replace("accuracy in speech", "right voice"))
    return model


def backward(model: Classifier, batch: tuple[Tensor, Tensor, Tensor], margin: float) -> tuple[float, int, int]:
    """Adds the gradients of a batch; its loss, how many stretches got the right voice, and how many there were."""
    stretches, right, near = batch
    with torch.autocast("cpu", torch.bfloat16, enabled=computes_in_bfloat16()):
        vectors = model.vectors(stretches)
    cosines = model.cosines(vectors.float())
    loss = margin_loss(cosines, right, near, margin) + pair_loss(vectors.float(), near[::2, right[::2]])
    loss.backward()
    found = int((cosines.detach().masked_fill(near, -1.0).argmax(1) == right).sum())
    return loss.item(), found, len(right)

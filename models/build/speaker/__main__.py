"""Builds the speaker model: `python -m models.build.speaker --help`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from models.build.errors import BuildError
from models.build.espeak import TRAINING_VARIANTS, say
from models.build.held_out import HELD_OUT_SPEAKERS, held_out_speakers
from models.build.one_phone import rising_noise
from models.build.speaker.export import export_speaker_net
from models.build.speaker.net import load_speaker_net
from models.build.speaker.parity import TOLERANCE, largest_difference
from models.build.speaker.speech import gather
from models.build.speaker.training import SpeakerPlan, train_speaker

STEPS = 4_000
"""Steps of a full training."""
QUICK_STEPS = 60


def require_parity(kind: str, difference: float) -> None:
    """Raises BuildError if libvosk and PyTorch differ."""
    if difference > TOLERANCE:
        raise BuildError(f"libvosk and PyTorch differ by {difference:.1e} on {kind}.")


@click.command(epilog="Example: python -m models.build.speaker --work my-model.work --model my-model --to my-speaker")
@click.option(
    "--work",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="The work folder of a build, with its aligned clips; the network is kept here.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="A speech model, beside which the parity is checked.",
)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@click.option(
    "--without",
    "tests",
    multiple=True,
    type=click.Choice([name for name in HELD_OUT_SPEAKERS if HELD_OUT_SPEAKERS[name]]),
    help="Leave these people out, for a model that is to be measured on them; may be given several times.",
)
@click.option("--name", default="speaker", show_default=True, help="Name of the network in the work folder.")
@click.option("--steps", default=STEPS, show_default=True, help="Steps of the training.")
@click.option("--quick", is_flag=True, help="A short training, to try the build.")
@click.option("--export-only", is_flag=True, help="Export and check the network that is in the work folder.")
@click.option("--seed", default=1, show_default=True)
def main(  # noqa: PLR0913 - one parameter per option
    *,
    work: Path,
    model: Path,
    target: Path,
    tests: Sequence[str],
    name: str,
    steps: int,
    quick: bool,
    export_only: bool,
    seed: int,
) -> None:
    """Train, export and check a speaker model that libvosk loads beside a speech model."""
    network = work / f"{name}.pt"
    began = time.monotonic()
    try:
        if not export_only:
            click.echo(gather(work, held_out_speakers(*tests)))
            train_speaker(work, SpeakerPlan(QUICK_STEPS if quick else steps, seed=seed), network, click.echo)
        net = load_speaker_net(network)
        export_speaker_net(net, target)
        speech = say([("nin", "2"), ("hao", "3"), ("qing", "3"), ("wen", "4")], TRAINING_VARIANTS[0]).samples
        # As for the acoustic model: frames of almost no energy differ by rounding, so noise is added.
        speech = speech + np.random.default_rng(seed).normal(0, 8, len(speech)).astype(np.float32)
        for kind, samples in (("noise", rising_noise()[8_000:]), ("speech", speech.astype(np.int16))):
            difference = largest_difference(net, model, target, samples)
            click.echo(f"parity on {kind}: {difference:.1e}")
            require_parity(kind, difference)
    except BuildError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{target} is built; it took {(time.monotonic() - began) / 60:.0f} minutes.")


if __name__ == "__main__":
    main()

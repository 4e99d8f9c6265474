"""Makes natural speech: `python -m models.build.voices --to FOLDER --hours 10`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from models.build.errors import BuildError
from models.build.voices.making import Order, make_speech


@click.command(epilog="Example: python -m models.build.voices --to recordings/kokoro --hours 10")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="Folder for the recordings.")
@click.option("--hours", default=10.0, show_default=True, help="Hours of speech that the folder shall hold.")
@click.option("--minutes", type=float, help="Stop after this many minutes; the same command goes on.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, help="One for each core.")
@click.option("--seed", default=1, show_default=True)
def main(*, folder: Path, hours: float, minutes: float | None, processes: int, seed: int) -> None:
    """Make speech by Kokoro-82M with a manifest, for the training. It can be stopped and started at any time."""
    order = Order(folder, hours, seed, processes, minutes * 60 if minutes else float("inf"))
    try:
        made = make_speech(order, click.echo)
    except BuildError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        raise click.ClickException("stopped; the same command goes on.") from None
    click.echo(f"{folder}: {made:.2f} h of speech")


if __name__ == "__main__":
    main()

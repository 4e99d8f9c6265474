"""Makes a folder of speech with a manifest, in parallel, until it holds the hours asked for. A stopped run goes on.

A batch of sentences depends on the seed and its number alone, however many processes there are. Its recordings are
written before its rows, so a batch is there as a whole, or is made again.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from models.build.errors import BuildError
from models.build.held_out import check_natural_voice
from models.build.manifest import COLUMNS, NAME, read_manifest
from models.build.voices.packages import kokoro_folder, package_facts
from models.build.voices.phonemes import phonemes, spoken_alike
from models.build.voices.recording import write_opus
from models.build.voices.speakers import draw_speaker, training_voices
from models.build.voices.speech import RATE
from models.build.voices.texts import Texts, plain, read_texts

if TYPE_CHECKING:
    from models.build.voices.kokoro import Kokoro

SENTENCES: Final = 20
"""Recordings in a batch."""
SPEEDS: Final = (0.9, 1.5)
"""Least and highest speed, as a factor: as people speak who are calm, and who are in a hurry."""
BATCHES: Final = "batches"
"""Folder with the rows of each batch."""
REPORT_SECONDS: Final = 60.0
"""Between two reports, and between two versions of the manifest."""
FIELDS: Final = (*COLUMNS, "speed", "seconds")

Row = dict[str, str]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made."""

    folder: Path
    hours: float
    """Hours of speech that the folder shall hold."""
    seed: int = 1
    processes: int = os.cpu_count() or 1
    limit: float = float("inf")
    """Seconds after which no further batch is begun."""


@dataclass(slots=True)
class Progress:
    """The speech that is there, and what was made since the start."""

    order: Order
    before: float
    """Seconds of speech that were there at the start."""
    made: list[float] = field(default_factory=list)
    """Seconds of speech in each batch since."""
    began: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> float:
        """Seconds of speech in the folder."""
        return self.before + sum(self.made)

    def begins_another(self, pending: int) -> bool:
        """Whether to begin a batch while `pending` are being made."""
        expected = self.total + pending * (sum(self.made) / len(self.made) if self.made else 0.0)
        return expected < self.order.hours * 3600 and time.monotonic() - self.began < self.order.limit

    def line(self) -> str:
        """The state in a line."""
        passed = time.monotonic() - self.began
        speed = sum(self.made) / passed if passed else 0.0
        left = (self.order.hours * 3600 - self.total) / speed / 60 if speed else 0.0
        return (
            f"{self.total / 3600:.2f} of {self.order.hours:g} h, {speed:.1f} s a second, {max(0.0, left):.0f} min left"
        )


def make_speech(order: Order, report: Report) -> float:
    """Makes speech until the folder of an order holds its hours; returns the hours that are there. Raises BuildError.

    The time limit and an interrupt end it between two batches, and the same order goes on from there.
    """
    kokoro_folder()  # made here once, not by every process
    (order.folder / BATCHES).mkdir(parents=True, exist_ok=True)
    rows = dict(read_batches(order.folder))
    progress = Progress(order, sum(map(duration, rows.values())))
    reported = time.monotonic()
    try:
        for number, batch in _batches(order, progress, rows):
            rows[number] = batch
            progress.made.append(duration(batch))
            if time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                write_manifest(order.folder, rows)
                report(progress.line())
    except BrokenProcessPool:
        raise BuildError(
            "A process that makes speech was killed, perhaps for memory; the same command goes on."
        ) from None
    finally:
        write_manifest(order.folder, rows)
    report(progress.line())
    return progress.total / 3600


def _batches(order: Order, progress: Progress, made: Mapping[int, list[Row]]) -> Iterator[tuple[int, list[Row]]]:
    """Batches as they are finished, with their numbers."""
    pending: dict[Future[list[Row]], int] = {}
    numbers = (number for number in count() if number not in made)
    with ProcessPoolExecutor(order.processes, get_context("spawn"), _end_with_parent) as pool:
        while True:
            while len(pending) < 2 * order.processes and progress.begins_another(len(pending)):
                number = next(numbers)
                pending[pool.submit(make_batch, order.folder, order.seed, number)] = number
            if not pending:
                return
            for job in wait(pending, return_when=FIRST_COMPLETED).done:
                yield pending.pop(job), job.result()


def _end_with_parent() -> None:
    """Ends this process when the one that started it is killed; a process of a pool would wait for ever."""
    parent = parent_process()

    def watch() -> None:
        if parent:
            parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def make_batch(folder: Path, seed: int, number: int) -> list[Row]:
    """Makes one batch: its recordings, then its rows. Raises BuildError."""
    speaker, texts = _loaded()
    rng = random.Random(f"{seed} {number}")  # noqa: S311 - reproducible draws, not secrets
    names = training_voices(list(speaker.voices))
    rows = [
        _record(folder / f"{seed}-{number:05}-{index:02}.opus", speaker, texts, names, rng)
        for index in range(SENTENCES)
    ]
    target = _batch_file(folder, number)
    partial = target.with_suffix(".part")
    partial.write_text(json.dumps(rows, ensure_ascii=False, indent=0), encoding="utf-8")
    partial.replace(target)
    return rows


def _record(path: Path, kokoro: Kokoro, texts: Texts, names: list[str], rng: random.Random) -> Row:
    """Speaks a sentence that misaki and the lexicon read alike, into a file."""
    text = next(text for text in iter(lambda: texts.draw(rng), None) if spoken_alike(text))
    speaker = check_natural_voice(draw_speaker(names, rng))
    speed = round(rng.uniform(*SPEEDS), 2)
    samples = kokoro.say(phonemes(text), speaker, speed).samples
    write_opus(path, samples)
    source = package_facts()["attribution"]
    seconds = len(samples) / RATE
    fields = (path.name, plain(text), speaker, source["licence"], source["text"], f"{speed}", f"{seconds:.2f}")
    return dict(zip(FIELDS, fields, strict=True))


@cache
def _loaded() -> tuple[Kokoro, Texts]:
    """What a process needs; loaded once."""
    from models.build.voices.kokoro import Kokoro

    return Kokoro(kokoro_folder()), read_texts()


def _batch_file(folder: Path, number: int) -> Path:
    return folder / BATCHES / f"{number:05}.json"


def read_batches(folder: Path) -> Iterator[tuple[int, list[Row]]]:
    """The batches that are complete, by number."""
    for file in sorted((folder / BATCHES).glob("*.json")):
        yield int(file.stem), json.loads(file.read_text(encoding="utf-8"))


def duration(rows: list[Row]) -> float:
    """Seconds of speech in a batch."""
    return sum(float(row["seconds"]) for row in rows)


def speech_hours(folder: Path) -> float:
    """The hours of all recordings in the manifest of a folder. Raises ManifestError."""
    import soundfile

    return sum(soundfile.info(recording.path).duration for recording in read_manifest(folder)) / 3600


def write_manifest(folder: Path, batches: Mapping[int, list[Row]]) -> None:
    """Writes the manifest of the batches, atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
    writer.writeheader()
    for number in sorted(batches):
        writer.writerows(batches[number])
    partial = folder / f"{NAME}.part"
    partial.write_text(text.getvalue(), encoding="utf-8", newline="\n")
    partial.replace(folder / NAME)

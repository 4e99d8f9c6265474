"""The record of `serve --demo`: the bundled recordings, as if several counters had been recorded for some days."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from counter_listener.cli.options import DEFAULT_MODEL, DEFAULT_PHRASES
from counter_listener.domain import _, bundled_folder

if TYPE_CHECKING:
    from counter_listener.batch import CheckResult
    from counter_listener.matching import Matcher
    from counter_listener.record import Record

DAYS: Final = 14
PLAN: Final = (
    ("1", ("full-marks.wav", "full-marks.wav", "complaint-handled.wav", "no-greeting.wav")),
    ("2", ("full-marks.wav", "no-greeting.wav", "full-marks.wav", "full-marks.wav", "full-marks.wav")),
    ("3", ("no-greeting.wav", "forbidden.wav", "full-marks.wav")),
    ("4", ("complaint-handled.wav", "full-marks.wav", "full-marks.wav", "full-marks.wav", "forbidden.wav")),
)
"""By counter: the recordings of its visits, again and again."""
VISITS_A_DAY: Final = (2, 3, 2, 4)
"""By counter, in the order of PLAN."""
OPENS: Final = timedelta(hours=9)
APART: Final = timedelta(minutes=47)


@contextmanager
def demo_record() -> Iterator[tuple[str, Path]]:
    """The location of a record, and its key. Both are gone after the block. Raises AudioError, ModelError, OSError."""
    from counter_listener.record import open_record

    click.echo(_("The bundled recordings are recognised; this takes some seconds ..."), err=True)
    with tempfile.TemporaryDirectory(prefix="counter-listener-demo-") as folder:
        path, key_file = Path(folder, "demo.db"), Path(folder, "key", "record-key.pem")
        with open_record(path, key_file=key_file) as record:
            fill(record, Path(folder, "recordings"), datetime.now(UTC).astimezone())
        yield str(path), key_file


def fill(record: Record, folder: Path, now: datetime) -> None:
    """Writes the visits of the days before `now`. Each has a recording of its own in `folder`, which can be played."""
    from counter_listener.judging import load_matcher
    from counter_listener.record import Origin, Recording

    matcher, digest = load_matcher(DEFAULT_PHRASES)
    results = _recognised({name for _counter, names in PLAN for name in names}, matcher)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with record.transaction():
        for number, (counter, name, begun) in enumerate(_visits(today, now)):
            result, copy = results[name], folder / counter / f"{begun:%Y%m%d-%H%M}.wav"
            sha256 = _copy_as_its_own(result.path, copy, number)
            stream = replace(result, sha256=sha256).stream
            origin = Origin(stream, sha256, counter, begun, matcher.phrases.name, digest, result.model)
            ended = begun + timedelta(seconds=result.seconds)
            record.add_recording(Recording(sha256, str(copy), result.seconds), result.events, origin, ended)


def _recognised(names: set[str], matcher: Matcher) -> dict[str, CheckResult]:
    from counter_listener.asr import SpeechModel, find_model
    from counter_listener.batch import CheckOptions, check_inline

    options = CheckOptions(matcher, SpeechModel(find_model(DEFAULT_MODEL)))
    inputs = [bundled_folder("recordings") / name for name in sorted(names)]
    found: dict[str, CheckResult] = {}
    for batch in check_inline(inputs, options, lambda _path: None):
        for result in batch.values():
            if result.error:
                raise result.error
            found[result.path.name] = result
    return found


def _visits(today: datetime, now: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Counter, recording and beginning of each visit, in order of time."""
    visits = []
    for at, (counter, names) in enumerate(PLAN):
        count = 0
        for day in range(-DAYS, 1):
            for visit in range(VISITS_A_DAY[at] + (day + at) % 2):
                begun = today + timedelta(days=day, minutes=7 * at) + OPENS + visit * APART
                if begun + APART < now and begun.weekday() < 6:  # noqa: PLR2004 - closed on Sunday
                    visits.append((begun, counter, names[count % len(names)]))
                count += 1
    return ((counter, name, begun) for begun, counter, name in sorted(visits))


def _copy_as_its_own(source: Path, target: Path, number: int) -> str:
    """Copies a WAV file with a number at its end, behind the sound. Returns the SHA-256 of the copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    with target.open("ab") as file:
        file.write(b"note" + (8).to_bytes(4, "little") + number.to_bytes(8, "little"))
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

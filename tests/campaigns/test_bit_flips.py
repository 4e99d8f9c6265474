"""One to fifty turned bits in what the program trusts: a record, an anchor, the bundled model. Seeded.

Of recordings and of all other inputs they are among the damages of test_inputs.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from support.damage import flip
from support.record_cases import DAY, NOW, live, recorded_as, visit_events

from counter_listener.asr.model_check import WITHOUT_CHECKSUM, verify_model
from counter_listener.domain import ModelError, RecordError, bundled_folder
from counter_listener.record import Head, Row, open_record, read_head
from counter_listener.record.signing import is_signature_valid


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Head]:
    """A signed record of recordings and live visits, one of them purged, and an anchor from its middle."""
    path = tmp_path_factory.mktemp("made") / "record.db"
    with open_record(path, key_file=path.with_name("key.pem")) as record:
        for number in range(8):
            recording, origin = recorded_as(number, NOW - DAY if number == 2 else NOW)
            record.add_recording(recording, visit_events(1), origin, NOW)
        record.purge(NOW, NOW + DAY)
        anchor = record.head(NOW)
        for number in range(8):
            record.append(visit_events(number), live("live-1"), NOW)
    assert anchor is not None
    return path, anchor


def rows_if_intact(path: Path, anchor: Head) -> list[Row] | None:
    """The rows of a record if it can be read and holds what was anchored."""
    try:
        with open_record(path, create=False) as record:
            return list(record.read()) if record.verify(anchor).broken is None else None
    except RecordError:
        return None


@pytest.mark.parametrize(("count", "seed"), [(60, 51), pytest.param(3_000, 52, marks=pytest.mark.campaign)])
def test_a_record_is_reported_or_holds_what_it_held(
    made: tuple[Path, Head], tmp_path: Path, count: int, seed: int
) -> None:
    dice, (whole, anchor) = random.Random(seed), made  # noqa: S311
    content, rows = whole.read_bytes(), rows_if_intact(*made)
    assert rows
    reported = 0
    for number in range(count):
        damaged = tmp_path / f"{number}.db"
        damaged.write_bytes(flip(content, dice))
        found = rows_if_intact(damaged, anchor)
        assert found in (None, rows)
        reported += found is None
    assert count / 10 < reported < count, "some bits are free, and most are not"


@pytest.mark.parametrize(("count", "seed"), [(200, 53), pytest.param(20_000, 54, marks=pytest.mark.campaign)])
def test_an_anchor_is_refused_or_the_same(made: tuple[Path, Head], count: int, seed: int) -> None:
    dice, anchor = random.Random(seed), made[1]  # noqa: S311
    for number in range(count):
        text = anchor.as_json() if number % 2 else anchor.as_line()
        try:
            found = read_head(flip(text.encode(), dice).decode("utf-8", "replace"), "it")
        except RecordError:
            continue
        assert found == anchor or not is_signature_valid(found)


@pytest.mark.parametrize(("count", "seed"), [(6, 55), pytest.param(300, 56, marks=pytest.mark.campaign)])
def test_the_bundled_model_is_refused(tmp_path: Path, count: int, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    folder = Path(shutil.copytree(bundled_folder("models") / "counter-cn", tmp_path / "model"))
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name not in WITHOUT_CHECKSUM)
    for _ in range(count):
        file = dice.choice(files)
        content = file.read_bytes()
        if not content:
            continue
        file.write_bytes(flip(content, dice))
        with pytest.raises(ModelError):
            verify_model(folder)
        file.write_bytes(content)
    verify_model(folder)

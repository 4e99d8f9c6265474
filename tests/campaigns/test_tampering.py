"""Seventeen ways to change a record, by somebody without its key: an anchor finds each of them."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.forger import (
    EDITS,
    TABLES,
    Edit,
    Forger,
    Rows,
    change_schema_version,
    cut_end,
    put_back_older_copy,
    put_other_record,
    replace_guard,
    replace_key,
)
from support.record_cases import DAY, NOW, live, recorded_as, visit_events

from counter_listener.domain import RecordError
from counter_listener.record import Head, Judgement, open_record

ANCHORED = 14
"""The last row when the anchor was made."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Head]:
    """A folder with a record, an older copy of it and another record; and an anchor from the record's middle."""
    folder = tmp_path_factory.mktemp("made")
    key = folder / "key.pem"
    judgement = Judgement("", options={"one_visit": True}, program="1")
    with open_record(folder / "record.db", key_file=key) as record:
        for number in (1, 2):
            recording, origin = recorded_as(number)
            note = replace(judgement, stream=origin.stream) if number == 2 else None
            record.add_recording(recording, visit_events(1), origin, NOW, note)
        shutil.copy(folder / "record.db", folder / "older.db")
        record.append([*visit_events(1), *visit_events(2)[:2]], live("live-1"), NOW)
        anchor = record.head(NOW)
        record.append(visit_events(2)[2:], live("live-1"), NOW)
        for number in (3, 4):
            recording, origin = recorded_as(number)
            note = replace(judgement, stream=origin.stream)
            record.add_recording(recording, visit_events(1), origin, NOW + DAY, note)
    with open_record(folder / "other.db", key_file=key) as record:
        for number in range(1, 9):
            record.append(visit_events(number), live("live-2"), NOW)
    assert anchor is not None
    assert anchor.seq == ANCHORED
    return folder, anchor


@pytest.fixture
def forger(made: tuple[Path, Head], tmp_path: Path) -> Forger:
    """Somebody with a copy of all of it, but the key."""
    for name in ("record", "older", "other"):
        shutil.copy(made[0] / f"{name}.db", tmp_path)
    return Forger(*(tmp_path / f"{name}.db" for name in ("record", "older", "other")))


def fault(path: Path, anchor: Head | None = None) -> str | None:
    """What verifying finds in a record."""
    try:
        with open_record(path, create=False, upgrade=False) as record:
            broken = record.verify(anchor).broken
    except RecordError as error:
        return str(error)
    return None if broken is None else str(broken.wrong)


def test_a_record_that_nobody_changed_holds_what_was_anchored(made: tuple[Path, Head], forger: Forger) -> None:
    assert fault(forger.path, made[1]) is None
    with open_record(forger.path, key_file=made[0] / "key.pem") as record:
        record.append(visit_events(7), live("live-7"), NOW + DAY)
    assert fault(forger.path, made[1]) is None


def test_there_are_seventeen() -> None:
    assert len(EDITS) == 17


ALONE = (put_back_older_copy, put_other_record, replace_key)
"""What nothing but an anchor finds."""


@pytest.mark.parametrize("seq", [3, 17], ids=["before the anchor", "after the anchor"])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_anchor_finds_each_edit(made: tuple[Path, Head], forger: Forger, edit: Edit, seq: int) -> None:
    edit(forger, seq)
    assert fault(forger.path, made[1]) is not None
    assert (fault(forger.path) is None) == (edit in ALONE)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_anchor_finds_each_edit_also_where_the_signature_was_removed(
    made: tuple[Path, Head], forger: Forger, edit: Edit
) -> None:
    edit(forger, 3)
    forger.strip()
    assert fault(forger.path, made[1]) is not None


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_anchor_finds_each_edit_also_where_the_forger_signed_it(
    made: tuple[Path, Head], forger: Forger, edit: Edit
) -> None:
    edit(forger, 3)
    forger.resign(forger.path.with_name("forged.pem"))
    assert fault(forger.path, made[1]) is not None
    harmless = {replace_guard, change_schema_version, *ALONE, cut_end}
    alone = fault(forger.path)
    told_by_visits = alone is not None and "table of visits" in alone
    assert alone is None or told_by_visits or edit in harmless or edit.__name__ in {"edit_row", "append_purge"}


COLUMNS = [name for name in TABLES["events"] if name not in ("seq", "chain")]


@pytest.mark.parametrize(("count", "seed"), [(10, 41), pytest.param(300, 42, marks=pytest.mark.campaign)])
def test_an_anchor_finds_random_edits_of_any_rows(
    made: tuple[Path, Head], tmp_path: Path, count: int, seed: int
) -> None:
    """One to three random edits each: values changed, rows removed, copied or moved; the chain always fits again."""
    rng = random.Random(seed)  # noqa: S311
    forger = Forger(*(made[0] / f"{name}.db" for name in ("record", "older", "other")))
    forger = replace(forger, path=tmp_path / "record.db")
    for _ in range(count):
        shutil.copy(made[0] / "record.db", forger.path)
        forger.rewrite(lambda rows: random_edits(rng, rows))
        if rng.random() < 0.5:
            forger.resign(tmp_path / "forged.pem")
        elif rng.random() < 0.3:
            forger.strip()
        assert fault(forger.path, made[1]) is not None


def random_edits(rng: random.Random, rows: Rows) -> Rows:
    """One to three random changes, which together leave the rows different from what they were."""
    edited = rows
    while edited == rows:
        for _ in range(rng.randint(1, 3)):
            edited = random_edit(rng, edited)
    return edited


def random_edit(rng: random.Random, rows: Rows) -> Rows:
    """The rows with one changed, removed, copied or exchanged with the next."""
    at = rng.randrange(len(rows))
    table, row = rows[at]
    kind = rng.choice(("change", "remove", "copy", "swap"))
    if kind == "remove" and len(rows) > 1:
        return [*rows[:at], *rows[at + 1 :]]
    if kind == "copy" and table == "events":
        return [*rows[:at], (table, {**row, "uid": f"{row['uid']}.{rng.random()}"}), *rows[at:]]
    if kind == "swap" and at + 1 < len(rows):
        return [*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]]
    column = rng.choice(COLUMNS) if table == "events" else "path"
    value = row[column]
    other = value + 1 if isinstance(value, int | float) else f"{value or ''}{rng.random()}"
    return [*rows[:at], (table, {**row, column: other}), *rows[at + 1 :]]

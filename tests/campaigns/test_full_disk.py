"""A disk that is full at any moment: what is recorded stays whole, and nothing is left of what was not recorded.

A limit on the size of a file stands for the full disk: writing fails in the middle of a file, as it does there.
"""

from __future__ import annotations

import hashlib
import random
import sys
from pathlib import Path

import pytest
from support.command import FULL_VISIT, RUDE_VISIT, program, transcript
from support.small_counter import SMALL_FILE

from counter_listener.record import open_record

if sys.platform != "win32":
    import resource

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX")

INPUTS = 14
LARGEST = 200_000
"""Bytes: more than the record of all inputs takes."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for number in range(INPUTS):
        lines = [*(RUDE_VISIT if number % 3 else FULL_VISIT), (40.0, 42.0 + number, "我们下次再说吧" * (number + 1))]
        transcript(folder / f"{number:02}.jsonl", lines)
    return folder


def check(inputs: Path, store: Path, limit: int | None) -> tuple[int, str]:
    """The exit code of a `check` that keeps transcripts, and what it says, with files of at most `limit` bytes."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    words = ("check", inputs, "--store", store, "--phrases", SMALL_FILE, "--keep-transcripts", "--jobs", 1, "--quiet")
    shown = program(*words, "--format", "jsonl", preexec_fn=limited)
    return shown.returncode, shown.stderr


def limits(count: int) -> list[int]:
    """Sizes at which different writes fail: of the schema, of a few rows, of a transcript."""
    rng = random.Random(14)  # noqa: S311
    return sorted(rng.randrange(2_000, LARGEST // 2) for _ in range(count))


@pytest.mark.slow  # test_check fills a disk every day
@pytest.mark.parametrize("count", [2, pytest.param(30, marks=pytest.mark.campaign)])
def test_nothing_is_left_of_what_was_not_recorded(inputs: Path, tmp_path: Path, count: int) -> None:
    failed = 0
    for limit in limits(count):
        store = tmp_path / f"{limit}.db"
        code, said = check(inputs, store, limit)
        assert code in (0, 4), said
        assert "Traceback" not in said
        assert (code == 0) == (said == "")
        failed += code == 4
        recorded = {}
        if store.exists() and store.stat().st_size:
            with open_record(store, create=False) as record:
                assert record.verify().broken is None
                recorded = {row.sha256: row.path for row in record.recordings()}
        folder = store.with_name(f"{store.name}.transcripts")
        kept = [each.name for each in folder.iterdir()] if folder.exists() else []
        assert {name.removesuffix(".jsonl") for name in kept} <= recorded.keys(), "words of what was not recorded"
        assert check(inputs, store, None) == (0, "")
        with open_record(store, create=False) as record:
            assert record.verify().broken is None
            whole = {row.sha256 for row in record.recordings()}
        assert whole == {hashlib.sha256(file.read_bytes()).hexdigest() for file in inputs.iterdir()}
        assert {each.stem for each in folder.iterdir()} == whole
    assert failed >= count // 2

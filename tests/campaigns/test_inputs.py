"""Damaged inputs of every kind, seeded: each gives a result or one sentence, and nothing that is missing is kept quiet.

The program is run in a worker process, for a library could crash it; a failure names the numbers of its cases.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from pathlib import Path

import pytest
from support.damage import (
    CODECS,
    LENGTH,
    LOSING,
    NO_LENGTH,
    NO_START,
    READERS,
    Outcome,
    make_inputs,
    quiet_worker,
    read,
    run_cases,
)

BATCH = 50
"""Cases in one call to the worker."""
BEGINNING = 0.1
"""The share of a file in which the first packet is."""
LONGEST = 20.0
"""Seconds that one case may take on a busy machine; usually it takes a hundredth."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an undamaged input of every kind."""
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


def outcomes(folder: Path, numbers: range) -> list[Outcome]:
    """The outcomes of these cases; what kills the worker fails the test with the numbers of its batch."""
    context = multiprocessing.get_context("spawn")
    found: list[Outcome] = []
    with ProcessPoolExecutor(1, context, quiet_worker, (folder,)) as pool:
        for first in range(numbers.start, numbers.stop, BATCH):
            batch = range(first, min(first + BATCH, numbers.stop))
            try:
                found += pool.submit(run_cases, folder, batch).result(BATCH * LONGEST)
            except (BrokenExecutor, TimeoutError) as error:
                pytest.fail(f"{batch}: {error!r}")
    return found


def test_without_damage_each_is_read_as_a_whole(inputs: Path) -> None:
    """Else damage would prove nothing."""
    found = [read(file, Outcome(0, file.suffix[1:], "none")) for file in sorted(inputs.glob("a.*"))]
    assert {case.kind for case in found} > {*CODECS, *READERS}
    assert [case for case in found if case.refused or case.gaps] == []


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(range(100), id="100"),
        pytest.param(range(100, 300), id="300", marks=pytest.mark.slow),
        pytest.param(range(10_000, 20_000), id="10 000", marks=pytest.mark.campaign),
    ],
)
def test_damaged_inputs(inputs: Path, numbers: range) -> None:
    found = outcomes(inputs, numbers)
    assert len(found) == len(numbers)
    assert (inputs / "stderr.txt").read_text() == ""
    for case in found:
        assert "\n" not in case.refused, case
        assert not case.refused or case.refused.endswith((".", "?")), case
        assert case.took < LONGEST, case
        starts = [start for start, _ in case.gaps]
        assert starts == sorted(starts), case
        assert all(0 <= length <= 86_400 for _, length in case.gaps), case
    silent = [case for case in found if is_silent_about_a_loss(case)]
    assert silent == []
    print(table(found))  # noqa: T201 - for bench/RESULTS.md, with -s


def is_silent_about_a_loss(case: Outcome) -> bool:
    """Whether half a second or more is missing, which the format could tell, and nothing is said."""
    can_tell = case.kind not in {*READERS, *NO_LENGTH} and case.damage in LOSING
    if case.kind in NO_START and case.place < BEGINNING:
        return False
    return can_tell and not case.refused and not case.gaps and case.seconds < LENGTH - 0.5


def table(found: list[Outcome]) -> str:
    """How many cases of each damage were read as a whole, with gaps, or refused."""
    ways = Counter((case.damage, "refused" if case.refused else "gaps" if case.gaps else "whole") for case in found)
    damages = sorted({damage for damage, _ in ways})
    rows = [
        f"| {damage} | " + " | ".join(str(ways[damage, way]) for way in ("whole", "gaps", "refused")) + " |"
        for damage in damages
    ]
    slowest = max(found, key=lambda case: case.took)
    return "\n".join([*rows, f"slowest: {slowest.took:.2f} s, {slowest.kind}, {slowest.damage}"])

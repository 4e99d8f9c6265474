"""The hash chain that ties each row of the record to the row before it. Pure functions, no database.

It shows that a row was changed, removed or inserted after it was written. It cannot show rows cut off at the end, for
no later row refers to them, nor a change by someone who computes every later link again, for there is no key. Against
both, note the last link (`Verification.head`) in another place and compare.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from counter_listener.domain import Sentence, sentence

START: Final = "0" * 64
"""The link before the first row."""

Tail = tuple[int, str]
"""The number and the link of the row after which the next row is chained."""
Run = tuple[int, int, str]
"""Contiguous rows that a purge removed: first number, last number, link of the last."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first fault that was found."""

    seq: int | None
    """Number of the row; None for a fault of the whole file."""
    wrong: Sentence
    """The fault, in a few words."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying the record."""

    rows: int
    """Number of rows that are correct, recordings included."""
    broken: Broken | None
    head: str
    """The link of the last correct row. Noted in another place, it shows later whether the end was cut off."""


def row_number(seq: object) -> int:
    """The number of a row; 0, which no row has, if damage left a value of another type."""
    return seq if isinstance(seq, int) else 0


def link(previous: str, columns: Mapping[str, object]) -> str:
    """SHA-256 in hex over the link of the previous row and every other column of this row, as canonical JSON.

    Columns without a value are left out, so that a column that is added later does not change the links of older rows.
    """
    hashed = {name: value for name, value in columns.items() if value is not None and name != "chain"}
    return sha256(CANONICAL.encode([previous, hashed]).encode("ascii")).hexdigest()


def linked(rows: Iterable[Mapping[str, object]], tail: Tail) -> Iterator[dict[str, object]]:
    """The rows with `seq` and `chain` filled in, after `tail`."""
    last, previous = tail
    for seq, row in enumerate(rows, last + 1):
        numbered = {**row, "seq": seq}
        previous = link(previous, numbered)
        yield {**numbered, "chain": previous}


def verify_rows(rows: Iterable[Mapping[str, object]], holes: Mapping[int, Tail]) -> Verification:
    """Follows the chain through rows in order of `seq`, across the holes that purges left (see purge_holes())."""
    expected, previous, count = 1, START, 0
    for row in rows:
        seq = row_number(row["seq"])
        while expected < seq and expected in holes:
            last, previous = holes[expected]
            expected = last + 1
        if broken := _fault(row, expected, previous):
            return Verification(count, broken, previous)
        expected, previous, count = expected + 1, str(row["chain"]), count + 1
    return Verification(count, None, previous)


def _fault(row: Mapping[str, object], expected: int, previous: str) -> Broken | None:
    seq = row_number(row["seq"])
    if seq == expected + 1:
        return Broken(expected, sentence("missing"))
    if seq > expected:
        return Broken(expected, sentence("missing, with all rows up to {last}", last=seq - 1))
    if seq < expected:
        return Broken(seq, sentence("in a place where no row belongs"))
    if link(previous, row) != row["chain"]:
        return Broken(seq, sentence("changed after it was written"))
    return None


def contiguous_runs(removed: Iterable[Tail]) -> list[Run]:
    """Numbers and links of removed rows, in order, as contiguous runs."""
    found: list[Run] = []
    for seq, chain in removed:
        first = found.pop()[0] if found and found[-1][1] == seq - 1 else seq
        found.append((first, seq, chain))
    return found


def purge_holes(details: Iterable[str]) -> dict[int, Tail]:
    """The runs in the `detail` of purge rows: first number -> (last number, link of the last).

    A detail that no purge wrote has no hole; its own link will not match either.
    """
    return {first: (last, chain) for detail in details for first, last, chain in _read_runs(detail)}


def _read_runs(detail: str) -> list[Run]:
    try:
        runs = json.loads(detail)["runs"]
        return [(int(first), int(last), str(chain)) for first, last, chain in runs if int(first) <= int(last)]
    except (ValueError, TypeError, KeyError):
        return []


def _encode_other(value: object) -> object:
    """Only a row that was changed holds bytes. They must not have the same link as the text that they replaced."""
    return {"bytes": bytes(value).hex()} if isinstance(value, bytes) else repr(value)


CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_encode_other)
"""Plain ASCII, so that damaged text can be hashed too."""

"""The hash chain that ties each row of the record to the row before it; pure.

What it shows: a row changed, removed or put in between after it was written.
What it cannot show: rows cut off at the end, for nothing after them remembers them; and a change by someone
who also computes every later link anew, for there is no key. Against both, note the last link
(`Verification.head`) somewhere else and compare.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from counter_listener.domain import Sentence, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

START = "0" * 64
"""What stands before the first row."""

Tail = tuple[int, str]
"""The number and the link of a row, after which the next is chained."""
Run = tuple[int, int, str]
"""Rows that a purge removed: the first number, the last number, the link of the last."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first thing that is not right."""

    seq: int | None
    """Number of the row; None where it is the file as a whole."""
    wrong: Sentence
    """What is wrong with it, in a few words for people."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying the record found."""

    rows: int
    """How many rows were found right, recordings included."""
    broken: Broken | None
    head: str
    """The link of the last row found right; noted elsewhere, it shows later whether the end was cut off."""


def number(seq: object) -> int:
    """A row's number; 0, which no row has, where damage left something else in its place."""
    return seq if isinstance(seq, int) else 0


def link(previous: str, columns: Mapping[str, object]) -> str:
    """SHA-256 in hex over the link of the row before and every other column of this row, as canonical JSON.

    Columns without a value are left out, so that a column added later leaves the links of older rows right.
    """
    told = {name: value for name, value in columns.items() if value is not None and name != "chain"}
    return sha256(CANONICAL.encode([previous, told]).encode("ascii")).hexdigest()


def linked(rows: Iterable[Mapping[str, object]], tail: Tail) -> Iterator[dict[str, object]]:
    """The rows with `seq` and `chain` filled in, following on `tail`."""
    seq, previous = tail
    for seq, row in enumerate(rows, seq + 1):  # noqa: B020 -- it goes on from the tail
        numbered = {**row, "seq": seq}
        previous = link(previous, numbered)
        yield {**numbered, "chain": previous}


def walk(rows: Iterable[Mapping[str, object]], holes: Mapping[int, Tail]) -> Verification:
    """Follow the chain through rows in order of `seq`, across the holes that purges left (see holes())."""
    expected, previous, count = 1, START, 0
    for row in rows:
        expected, previous = _across(holes, expected, previous, number(row["seq"]))
        if wrong := _wrong(row, expected, previous):
            return Verification(count, wrong, previous)
        expected, previous, count = expected + 1, str(row["chain"]), count + 1
    return Verification(count, None, previous)


def runs(removed: Iterable[Tail]) -> list[Run]:
    """Numbers and links of removed rows, in order -> contiguous runs."""
    found: list[Run] = []
    for seq, chain in removed:
        first = found.pop()[0] if found and found[-1][1] == seq - 1 else seq
        found.append((first, seq, chain))
    return found


def holes(details: Iterable[str]) -> dict[int, Tail]:
    """The runs told by purge rows (their `detail`) -> first number: (last number, link of the last).

    A detail that is not as a purge writes it tells of no hole; its own link will not match either.
    """
    return {first: (last, chain) for detail in details for first, last, chain in _told_runs(detail)}


def _across(holes: Mapping[int, Tail], expected: int, previous: str, seq: int) -> Tail:
    while expected < seq and expected in holes:
        last, previous = holes[expected]
        expected = last + 1
    return expected, previous


def _wrong(row: Mapping[str, object], expected: int, previous: str) -> Broken | None:
    seq = number(row["seq"])
    if seq > expected:
        if seq == expected + 1:
            return Broken(expected, sentence("missing"))
        return Broken(expected, sentence("missing, with all up to {last}", last=seq - 1))
    if seq < expected:
        return Broken(seq, sentence("stands where no row belongs"))
    if link(previous, row) != row["chain"]:
        return Broken(seq, sentence("not as it was written"))
    return None


def _told_runs(detail: str) -> list[Run]:
    try:
        told = json.loads(detail)["runs"]
        return [(int(first), int(last), str(chain)) for first, last, chain in told if int(first) <= int(last)]
    except (ValueError, TypeError, KeyError):
        return []


def _bytes(value: object) -> object:
    """Only a tampered row holds bytes; they must not look like the text they replaced."""
    return {"bytes": bytes(value).hex()} if isinstance(value, bytes) else repr(value)


CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_bytes)
"""Plain ASCII, so that no damaged text fails to be hashed."""

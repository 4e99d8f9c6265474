"""The hash chain that ties each row of the record to the row before it. Pure functions, no database.

It shows that a row was changed, removed or inserted after it was written. It cannot show rows cut off at the end, for
no later row refers to them, nor a change by someone who computes every later link again, for there is no key: see
heads.py.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import count
from json.encoder import encode_basestring_ascii
from typing import Any, Final

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


def row_number(seq: object) -> int:
    """The number of a row; 0, which no row has, if damage left a value of another type."""
    return seq if isinstance(seq, int) else 0


def link(previous: str, columns: Mapping[str, object]) -> str:
    """SHA-256 in hex over the link of the previous row and every other column of this row, as canonical JSON.

    Columns without a value are left out, so that a column that is added later does not change the links of older rows.
    """
    return _hash(previous, canonical_rows(tuple(columns))(tuple(columns.values())))


@lru_cache(maxsize=100)
def canonical_rows(names: tuple[str, ...]) -> Callable[[Sequence[object]], str]:
    """A function that writes the values of these columns as canonical JSON: one object in plain ASCII.

    Its keys are in alphabetical order; `chain`, and columns without a value, are left out.
    """
    columns = [(f"{encode_basestring_ascii(name)}:", at) for name, at in sorted(zip(names, count())) if name != "chain"]

    def canonical(values: Sequence[object]) -> str:
        parts = [key + ENCODERS[type(value)](value) for key, at in columns if (value := values[at]) is not None]
        return "{" + ",".join(parts) + "}"

    return canonical


def _hash(previous: str, row: str) -> str:
    return sha256(f'["{previous}",{row}]'.encode("ascii")).hexdigest()


def linked(rows: Iterable[Mapping[str, object]], tail: Tail) -> Iterator[dict[str, object]]:
    """The rows with `seq` and `chain` filled in, after `tail`."""
    last, previous = tail
    for seq, row in enumerate(rows, last + 1):
        numbered = {**row, "seq": seq}
        previous = link(previous, numbered)
        yield {**numbered, "chain": previous}


LinkedRow = tuple[object, object, str]
"""The number and the link of a row as they are stored, and its other columns as canonical JSON."""


def follow_chain(rows: Iterable[LinkedRow], holes: Mapping[int, Tail]) -> tuple[int, Broken | None]:
    """Follows the chain through rows in order of number, across the holes that purges left (see purge_holes()).

    Returns the number of correct rows and the first fault.
    """
    expected, previous, correct = 1, START, 0
    for number, chain, row in rows:
        seq = row_number(number)
        while expected < seq and expected in holes:
            last, previous = holes[expected]
            expected = last + 1
        if seq != expected:
            return correct, _misplaced(seq, expected)
        if _hash(previous, row) != chain:
            return correct, Broken(seq, sentence("changed after it was written"))
        expected, previous, correct = expected + 1, str(chain), correct + 1
    return correct, None


def _misplaced(seq: int, expected: int) -> Broken:
    if seq == expected + 1:
        return Broken(expected, sentence("missing"))
    if seq > expected:
        return Broken(expected, sentence("missing, with all rows up to {last}", last=seq - 1))
    return Broken(seq, sentence("in a place where no row belongs"))


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


class _Encoders(dict[type, Callable[[Any], str]]):
    """How JSON writes a value, by its type; the common ones without the detour through an encoder."""

    def __missing__(self, _kind: type) -> Callable[[Any], str]:
        return OTHER.encode


ENCODERS: Final = _Encoders({str: encode_basestring_ascii, int: repr, float: repr})
OTHER: Final = json.JSONEncoder(separators=(",", ":"), default=_encode_other)

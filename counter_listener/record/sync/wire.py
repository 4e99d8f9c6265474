"""What a counter sends and a server answers, as JSON. Pure, no database.

A batch holds rows of one record, in order, each as an object of its columns that have a value; those of a recording
have `sha256`. In place of rows that a purge removed stands `{"gone": [first, last, link of the last]}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, cast, get_args, get_type_hints

from counter_listener.domain import N_, BatchError, Sentence
from counter_listener.record.heads import Head, read_head
from counter_listener.record.rows import Columns, RecordingRow, Row, storable

MOST_ROWS: Final = 2_000
"""Rows of a batch that a server takes."""
MOST_BYTES: Final = 16_000_000
"""Bytes of a request that a server takes."""
LINK_DIGITS: Final = 64
LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Position:
    """A row of a record, and its link; the link is None if a purge took it away."""

    seq: int
    chain: str | None


@dataclass(frozen=True, slots=True)
class Gone:
    """Rows that a purge removed at the source."""

    first: int
    last: int
    chain: str
    """Link of the last one."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a counter sends at once."""

    record: str
    """Id of the record."""
    end: Position
    """Its last row, when the batch was made."""
    after: Position | None
    """The row before the first one that is sent; None in a batch that only asks."""
    items: Sequence[Columns | Gone] = ()
    head: Head | None = None
    """Its signed head at that time."""
    state: Mapping[str, object] | None = None
    """What the counter says of itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers to a batch."""

    have: Position
    """The last row of the record that the server holds."""
    state: str = "ok"
    """`ok`, `behind` for a batch that does not begin after `have`, or what is wrong with the record."""
    fault: Sentence | None = None
    added: int = 0
    """Rows that were added."""


def batch_json(batch: Batch) -> str:
    """A batch as JSON. Raises ValueError for a row that holds what no row holds."""
    items = [
        {"gone": [each.first, each.last, each.chain]}
        if isinstance(each, Gone)
        else {name: value for name, value in each.items() if value is not None}
        for each in batch.items
    ]
    values = {
        "record": batch.record,
        "end": [batch.end.seq, batch.end.chain],
        "after": None if batch.after is None else [batch.after.seq, batch.after.chain],
        "rows": items,
        "head": None if batch.head is None else batch.head.as_json(),
        "state": batch.state,
    }
    try:
        return json.dumps(values, separators=(",", ":"), allow_nan=False)
    except TypeError as error:  # bytes
        raise ValueError(str(error)) from error


def read_batch(values: object) -> Batch:
    """The batch in an object of JSON. Raises BatchError."""
    if not isinstance(values, dict):
        raise BatchError("what was sent is no batch of rows")
    items = values.get("rows", [])
    record, head, state = values.get("record"), values.get("head"), values.get("state")
    if not isinstance(items, list) or len(items) > MOST_ROWS or not isinstance(record, str) or not record:
        raise BatchError("what was sent is no batch of rows")
    end = _position(values.get("end"))
    if end is None:
        raise BatchError("what was sent is no batch of rows")
    return Batch(
        record=record[:100],
        end=end,
        after=_position(values.get("after")),
        items=[_item(item) for item in items],
        head=read_head(head, "head") if isinstance(head, str) else None,
        state=state if isinstance(state, dict) else None,
    )


def answer_values(answer: Answer) -> dict[str, object]:
    """An answer as an object of JSON."""
    return {"have": [answer.have.seq, answer.have.chain], "state": answer.state, "added": answer.added}


def read_answer(values: Mapping[str, Any]) -> Answer:
    """The answer in an object of JSON. Raises ValueError."""
    have = _position(values.get("have"))
    if have is None or not isinstance(values.get("state"), str):
        raise ValueError("no answer to a batch")
    told = values.get("error")
    fault = Sentence("{said}", {"said": told}) if isinstance(told, str) else None
    return Answer(have, str(values["state"]), fault, int(values.get("added", 0)))


def _position(given: object) -> Position | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 2 or type(given[0]) is not int:  # noqa: PLR2004 - number and link
        raise BatchError("what was sent is no batch of rows")
    seq, chain = given
    is_link = isinstance(chain, str) and len(chain) == LINK_DIGITS and storable(chain) == chain
    if not 0 <= seq <= LARGEST or not (chain is None or is_link):
        raise BatchError("what was sent is no batch of rows")
    return Position(seq, chain)


def _item(item: object) -> Columns | Gone:
    if not isinstance(item, dict):
        raise BatchError("what was sent is no batch of rows")
    if "gone" in item:
        gone = item["gone"]
        if not isinstance(gone, list) or len(gone) != 3:  # noqa: PLR2004 - first, last, link
            raise BatchError("what was sent is no batch of rows")
        first, last = _position([gone[0], None]), _position(gone[1:])
        if first is None or last is None or last.chain is None or first.seq > last.seq:
            raise BatchError("what was sent is no batch of rows")
        return Gone(first.seq, last.seq, last.chain)
    return _checked(item, RECORDING if "sha256" in item else EVENT)


@dataclass(frozen=True, slots=True)
class _Kind:
    """The columns of a table: the type of each, and those that have a value in every row."""

    types: dict[str, type]
    needed: frozenset[str] = field(default_factory=frozenset)


def _kind(of: type) -> _Kind:
    hints = {each.name: get_type_hints(of)[each.name] for each in fields(of)}
    plain = {name: next((one for one in get_args(hint) if one is not type(None)), hint) for name, hint in hints.items()}
    return _Kind(cast("dict[str, type]", plain), frozenset(name for name, hint in hints.items() if not get_args(hint)))


EVENT: Final = _kind(Row)
RECORDING: Final = _kind(RecordingRow)


def _checked(item: dict[str, Any], kind: _Kind) -> Columns:
    """The columns of a row, those without a value included. Raises BatchError."""
    if unknown := item.keys() - kind.types.keys():
        names = ", ".join(sorted(map(str, unknown)))
        raise BatchError("a row holds {names}, which this server does not know; update the server", names=names)
    if kind.needed - item.keys() or not _fit(item, kind.types):
        text = N_("row {seq} of the record was changed; see `counter-listener events verify`")
        raise BatchError(text, seq=item.get("seq"))
    return {name: item.get(name) for name in kind.types}


def _fit(item: Mapping[str, object], types: Mapping[str, type]) -> bool:
    """Whether the values have their types, and a database can hold them."""
    if any(type(value) is not types[name] for name, value in item.items()):
        return False
    texts = "".join(value for value in item.values() if isinstance(value, str))
    numbers = (value for value in item.values() if isinstance(value, float))
    return storable(texts) == texts and all(map(math.isfinite, numbers))


def sentence_json(told: Sentence) -> str:
    """A sentence as JSON, so that a page can show it in another language later."""
    return json.dumps(asdict(told), ensure_ascii=False, default=str)


def read_sentence(text: str | None) -> Sentence | None:
    """The sentence in JSON; None if there is none."""
    if text is None:
        return None
    values = json.loads(text)
    return Sentence(str(values["text"]), values["values"])

"""Follows the chain of a source through the rows of a batch. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from counter_listener.domain import Sentence, sentence
from counter_listener.record.chain import link
from counter_listener.record.rows import Columns
from counter_listener.record.sync.wire import Gone, Position


def follow(after: Position, items: Sequence[Columns | Gone]) -> Position | Sentence:
    """The last row of these, which come behind `after`, or what is wrong with their chain."""
    expected, previous = after.seq + 1, after.chain
    for item in items:
        first = item.first if isinstance(item, Gone) else item["seq"]
        if first != expected:
            return sentence("row {seq} is missing or in a wrong place, and no purge tells of it", seq=expected)
        if isinstance(item, Gone):
            expected, previous = item.last + 1, item.chain
            continue
        if previous is None or (previous := link(previous, item)) != item["chain"]:
            return sentence("row {seq} was changed after it was written", seq=expected)
        expected += 1
    return Position(expected - 1, previous)

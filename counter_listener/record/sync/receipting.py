"""What a server signs of the records that it receives."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from counter_listener.domain import AccountError, RecordError
from counter_listener.record.receipts import Receipt
from counter_listener.record.rows import iso
from counter_listener.record.store import Record
from counter_listener.record.sync.counters import find_counter
from counter_listener.record.sync.sources import source_of_counter
from counter_listener.record.sync.wire import Answer, Batch


def receipt_of(record: Record, batch: Batch, answer: Answer, now: datetime) -> Receipt | None:
    """What the server signs of an answer; None if its record has no key, or nothing of the other is here."""
    if record.key is None or answer.have.seq == 0 or answer.have.chain is None:
        return None
    return record.key.sign_receipt(batch.record, answer.have.seq, answer.have.chain, iso(now))


def receipt_for(record: Record, name: str, now: datetime) -> Receipt:
    """The receipt for the record of a counter. Raises AccountError for an unknown one, RecordError without a key."""
    counter = record.query(partial(find_counter, name=name))
    source = record.query(partial(source_of_counter, counter=counter.name))
    if source is None or source.seq == 0:
        raise AccountError("nothing was received from the counter {name} yet", name=counter.name)
    if record.key is None:
        raise RecordError("a receipt must be signed; give the file of a key with --key")
    return record.key.sign_receipt(source.record, source.seq, source.chain, iso(now))

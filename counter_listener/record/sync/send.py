"""Sends the rows of this record that a server, or another record, does not hold yet.

Nothing of what was sent is kept here: each time the other side is asked up to where it holds the record, so that a
server that was put back from a backup gets again what it lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from counter_listener.domain import RecordError, SendError, sentence, url_without_secrets
from counter_listener.record.posting import Poster
from counter_listener.record.receipts import Receipt, receipt_from
from counter_listener.record.store import Record
from counter_listener.record.sync.enrolment import Server, keep_receipt, refusal
from counter_listener.record.sync.outbox import ROWS, next_batch
from counter_listener.record.sync.receive import receive
from counter_listener.record.sync.wire import MOST_BYTES, Answer, Batch, Gone, Position, batch_json, read_answer

Exchange = Callable[[Batch], Answer]
"""Gives a batch to the other side. Raises SendError, RecordError."""
CONFLICT: Final = 409
TOO_LONG: Final = 413


class _TooLongError(Exception):
    "The other side takes no batch of so many bytes."


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent."""

    added: int
    """Rows that were new to the other side."""
    end: Position
    """The last row that it holds now."""


def send_record(
    record: Record, exchange: Exchange, state: Mapping[str, object] | None = None, rows: int = ROWS
) -> Sent:
    """Gives the other side every row that it lacks. Raises SendError if it takes none, RecordError."""
    have, added = None, 0
    while True:
        batch = record.at_once(partial(next_batch, have=have, rows=rows))
        try:
            answer = exchange(replace(batch, state=state) if have is None else batch)
        except _TooLongError:
            rows = len(batch.items) // 2
            continue
        added += answer.added
        known = have is not None and answer.have.seq == have.seq
        if answer.have.seq == batch.end.seq or (known and answer.have.seq > batch.end.seq):
            return Sent(added, answer.have)
        if known:
            raise SendError("the other side takes no rows after row {seq}", seq=answer.have.seq)
        have = answer.have


def merge_record(record: Record, into: Record, now: datetime, name: str | None = None) -> Sent:
    """Adds the rows of a record, which messages call `name`, to another one here. Raises RecordError, BatchError."""

    def exchange(batch: Batch) -> Answer:
        answer = receive(into, batch, None, now)
        if answer.fault is not None:
            raise RecordError("the record in {path}: {fault}", path=name or str(record.path), fault=answer.fault)
        return answer

    return send_record(record, exchange)


@dataclass(slots=True)
class ServerExchange:
    """Gives batches to a server."""

    server: Server
    poster: Poster
    clock: Callable[[], datetime]
    receipt: Receipt | None = None
    """The newest one."""
    offers: Sequence[object] = ()
    """The phrase sets that the server handed out with its last answer."""
    retention: Mapping[str, object] | None = None
    """The rules and holds that it handed out with its last answer."""
    wanted: Sequence[str] = ()
    """The visits of which the server asked for clips with its last answer."""
    ahead: float | None = None
    """Seconds by which the clock here is ahead of the server's."""

    def __call__(self, batch: Batch) -> Answer:
        """What the server answers. Raises SendError."""
        try:
            body = batch_json(batch)
        except ValueError as error:
            raise RecordError("a row of the record was changed; see `counter-listener events verify`") from error
        if len(body) > MOST_BYTES:  # it is ASCII
            raise self._too_long(batch)
        posted = self.poster.post(f"{self.server.url}/api/v1/receive", body.encode(), self.server.token)
        if posted.status == TOO_LONG and batch.items:  # a proxy may take less
            raise self._too_long(batch)
        if not posted.ok and posted.status != CONFLICT:
            raise refusal(self.server.url, posted)
        try:
            answer = read_answer(posted.values)
            self._note_clock(posted.values.get("now"))
        except (ValueError, TypeError) as error:
            raise refusal(self.server.url, posted) from error
        if answer.fault is not None:
            raise SendError(
                "{where} refuses the record: {told}", where=url_without_secrets(self.server.url), told=answer.fault
            )
        self._check_receipt(batch, answer, posted.values.get("receipt"))
        offers, retention = posted.values.get("phrases"), posted.values.get("retention")
        self.retention = retention if isinstance(retention, dict) else None
        self.offers = offers if isinstance(offers, list) else ()
        wanted = posted.values.get("clips")
        self.wanted = [each for each in wanted if isinstance(each, str)] if isinstance(wanted, list) else ()
        return answer

    def _too_long(self, batch: Batch) -> Exception:
        """The error for a batch that is halved, or for the one row that is too long by itself."""
        if len(batch.items) > 1:
            return _TooLongError()
        (item,) = batch.items
        return SendError(
            "row {seq} of the record is longer than {where} takes at once ({most:.0f} MB), so no row from there on is"
            " sent",
            seq=item.first if isinstance(item, Gone) else item["seq"],
            where=url_without_secrets(self.server.url),
            most=MOST_BYTES / 1e6,
        )

    def _note_clock(self, told: object) -> None:
        if isinstance(told, str):
            self.ahead = (self.clock() - datetime.fromisoformat(told)).total_seconds()

    def _check_receipt(self, batch: Batch, answer: Answer, given: object) -> None:
        from counter_listener.record.signing import is_signature_valid  # cryptography: 0.1 s

        if self.server.key is None or answer.have.seq == 0:
            return
        try:
            receipt = receipt_from(given)
        except ValueError:
            receipt = None
        right = (batch.record, answer.have.seq, answer.have.chain, self.server.key)
        if receipt is None or (receipt.record, receipt.seq, receipt.chain, receipt.key) != right:
            raise self._forged()
        if not is_signature_valid(receipt):
            raise self._forged()
        self.receipt = receipt

    def _forged(self) -> SendError:
        why = sentence("its receipt is not signed with the key that it had when this computer was enrolled")
        return SendError("{where} is not trusted: {why}", where=url_without_secrets(self.server.url), why=why)


def send_to_server(exchange: ServerExchange, record: Record, state: Mapping[str, object]) -> Sent:
    """Sends the record to its server, and keeps the receipt. Raises SendError, RecordError."""
    sent = send_record(record, exchange, state)
    if exchange.receipt is not None:
        keep_receipt(record.path, exchange.receipt)
    return sent

"""Receives rows of other records: checks their chain, adds each once, and says up to where they are here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from counter_listener.domain import BatchError, Sentence, sentence
from counter_listener.record.chain import START, purge_holes
from counter_listener.record.clips.folder import sweep_clips
from counter_listener.record.databases import dialect_of
from counter_listener.record.heads import Head, fingerprint
from counter_listener.record.purge import KEY, STREAM, purge_received
from counter_listener.record.purge_marks import JUDGED
from counter_listener.record.received import RECEIVED, RENAMED, Run, add_run
from counter_listener.record.retention_file import holds_in_force
from counter_listener.record.rows import LIVE, Columns, Origin, note_row, parse_detail
from counter_listener.record.schema import EVENTS, RECORDINGS, next_number
from counter_listener.record.store import Append, Record, TableRow
from counter_listener.record.sync.counters import Counter, note_heard, note_names, sends_many
from counter_listener.record.sync.following import follow
from counter_listener.record.sync.names import DOUBLES, Names, original_json
from counter_listener.record.sync.sources import (
    Source,
    add_source,
    change_source,
    earlier,
    mark_source,
    rows_here,
    shared_link,
    source_of_counter,
    source_of_record,
)
from counter_listener.record.sync.wire import Answer, Batch, Gone, Position, read_sentence

NAMES: Final = {table.name: [each.name for each in table.c if each.name != "chain"] for table in (EVENTS, RECORDINGS)}
"""The columns of the tables that a row gets before it is chained."""
REWRITTEN, CUT, REPLACED = "rewritten", "cut", "replaced"


def receive(record: Record, batch: Batch, sender: Counter | None, now: datetime) -> Answer:
    """Takes a batch from a counter, or from a file (None). What it says is on the disk when this returns.

    A batch that does not begin after the last row that is here adds nothing, and the answer tells where to go on; so a
    batch that comes twice is added once. Raises BatchError for one that cannot be taken, RecordError.
    """
    after = batch.after
    followed = follow(after, batch.items) if after and after.chain else None  # before others have to wait for it

    def take(connection: sa.Connection, append: Append) -> Answer:
        dialect_of(connection).look_up_by_index(connection)
        return _Receiving(connection, append, batch, sender, now, record.path, followed).take()

    answer = record.change(take, now)
    if any(isinstance(row, dict) and row.get("stream") == STREAM for row in batch.items):
        sweep_clips(record.path, record.query, now)
    return answer


@dataclass(slots=True)
class _Receiving:
    """One batch, in the transaction that takes it."""

    connection: sa.Connection
    append: Append
    batch: Batch
    sender: Counter | None
    now: datetime
    path: Path
    """Of this record."""
    followed: Position | Sentence | None
    """The last row of the batch, or what is wrong with its chain, if it begins where it says."""

    def take(self) -> Answer:
        """What is answered; nothing is written of rows whose chain is not right."""
        if self.sender is not None:
            note_heard(self.connection, self.sender, self.batch, self.now)
        source = self._source()
        if source is None:
            return Answer(Position(0, START))
        if source.state != "ok":
            return _answer(source)
        if found := self._compared(source):
            return self._mark(source, *found)
        if self.batch.end.seq < source.seq:
            return _answer(source)
        if fault := self._unsigned(source):
            return self._mark(source, REWRITTEN, fault)
        return self._take(source)

    def _take(self, source: Source) -> Answer:
        after = self.batch.after
        if after is None:
            return self._ended(source, source.have, 0)
        if after.seq != source.seq:
            return replace(_answer(source), state="behind")
        found_end = self.followed or follow(source.have, self.batch.items)
        if isinstance(found_end, Sentence):
            return self._mark(source, REWRITTEN, found_end)
        if found_end.seq == self.batch.end.seq and (fault := self._other_key(source)):
            return self._mark(source, REWRITTEN, fault)
        self._check_counters()
        added = self._add(source)
        change_source(self.connection, source, seq=found_end.seq, chain=found_end.chain)
        return self._ended(source, found_end, added)

    def _source(self) -> Source | None:
        """The source of the batch, or the one that it replaces; None for a batch that only asks about a new one."""
        name = self.sender.name if self.sender else None
        many = self.sender is None or self.sender.many
        known = source_of_record(self.connection, self.batch.record)
        if known is None:
            other = None if many or name is None else source_of_counter(self.connection, name)
            if other is not None or self.batch.after is None:
                return other
            return add_source(self.connection, self.batch.record, name, self.now)
        if many or known.counter == name:
            return known
        if known.counter is not None and not sends_many(self.connection, known.counter):
            raise BatchError("this record is received from the counter {name} already", name=known.counter)
        change_source(self.connection, known, counter=name)
        return replace(known, counter=name)

    def _compared(self, source: Source) -> tuple[str, Sentence] | None:
        """What the end of the record tells, compared with what is here."""
        end, after = self.batch.end, self.batch.after
        if source.record != self.batch.record:
            return REPLACED, sentence("another record was put in the place of the one that was received before")
        if end.seq < source.seq:
            here = shared_link(self.connection, source.id, end.seq)
            if here is not None and here != end.chain:
                return REWRITTEN, sentence("row {seq} is not the one that was received: it was rewritten", seq=end.seq)
            stick = self.sender is None or self.sender.many  # it may hold an older copy
            if stick or after != source.have:  # a batch that comes late; `after` says that the other side knows our end
                return None
            return CUT, sentence(
                "it ends at row {end}, and row {seq} was received: its end was cut off, or an older copy was put back",
                end=end.seq,
                seq=source.seq,
            )
        at = [each for each in (end, after) if each is not None and each.seq == source.seq]
        if any(each.chain not in (None, source.chain) for each in at):
            return REWRITTEN, sentence("row {seq} is not the one that was received: it was rewritten", seq=source.seq)
        return None

    def _check_counters(self) -> None:
        """Raises BatchError for rows of a counter that this token does not send for."""
        names = {str(row["counter"]) for row in self._rows() if row["counter"] is not None}
        if self.sender is None or self.sender.many:
            note_names(self.connection, names, self.sender)
        elif other := names - {self.sender.name}:
            raise BatchError(
                "it holds rows of the counter {other}, and is sent for {name}; add the counter with --many if one"
                " computer sends for several",
                other=min(other),
                name=self.sender.name,
            )

    def _rows(self) -> Iterator[Columns]:
        return (item for item in self.batch.items if not isinstance(item, Gone))

    def _add(self, source: Source) -> int:
        """Adds the rows of the batch, but for those that an earlier source brought. Returns their number."""
        return sum(self._add_part(source, part) for part in _until_purges(self._behind_shared(source)))

    def _add_part(self, source: Source, items: Sequence[Columns | Gone]) -> int:
        """Adds rows of which at most the last one tells of a purge."""
        names = Names(self.connection, source.id, (item for item in items if not isinstance(item, Gone)))
        placed: list[TableRow] = []
        renamed, doubles = {}, {}
        for row in (item for item in items if not isinstance(item, Gone)):
            table = RECORDINGS if "sha256" in row else EVENTS
            columns, original = names.recorded(row) if table is RECORDINGS else names.event(row)
            if original:
                renamed[len(placed)] = original
            if row.get("kind") == "visit_closed" and row["source"] != LIVE and "stream" in original:
                doubles[str(columns["stream"])] = columns
            placed.append((table, {name: columns[name] for name in NAMES[table.name]}))
        here = self.append(placed)
        if renamed:
            values = [{"here": here + at, "original": original_json(columns)} for at, columns in renamed.items()]
            self.connection.execute(sa.insert(RENAMED), values)
        for run in _runs(source.id, items, here):
            add_run(self.connection, run)
        self._note_doubles(doubles)
        self._carry_purges(source, items)
        return len(placed)

    def _behind_shared(self, source: Source) -> Sequence[Columns | Gone]:
        """The items behind those that an earlier source of the same record brought, which are noted."""
        items, before = self.batch.items, earlier(self.connection, source.id)
        if before is None or source.since != source.seq or not items:
            return items
        low, high = 0, len(items)
        while low < high:  # the chain is the same up to some row, and from there on another
            middle = (low + high + 1) // 2
            position = _position(items[middle - 1])
            same = shared_link(self.connection, before, position.seq) == position.chain
            low, high = (middle, high) if same else (low, middle - 1)
        if low:
            last = _position(items[low - 1])
            self.connection.execute(sa.delete(RECEIVED).where(RECEIVED.c.source == source.id))
            add_run(self.connection, Run(source.id, 1, last.seq, last.chain or START, None, "before"))
            change_source(self.connection, source, since=last.seq)
        return items[low:]

    def _note_doubles(self, doubles: dict[str, Columns]) -> None:
        """Says of recordings that another record brought before that these verdicts are history: none counts twice."""
        if not doubles:
            return
        rows: list[TableRow] = []
        number = next_number(self.connection, DOUBLES)
        for stream, close in doubles.items():
            detail = {"stream": stream.partition("@")[0], "judging": 1, "options": {}, "replaces": stream}
            origin = Origin(
                DOUBLES,
                str(close["source"]),
                None if close["counter"] is None else str(close["counter"]),
                self.now,
                str(close["phrases"]),
                str(close["phrases_hash"]),
                str(close["model"]),
            )
            rows.append((EVENTS, note_row(JUDGED, detail, origin, self.now, number + len(rows))))
        self.append(rows)

    def _carry_purges(self, source: Source, items: Sequence[Columns | Gone]) -> None:
        """Removes here what a purge removed at the source, but for what is under a hold here."""
        for row in items:
            if isinstance(row, Gone) or row.get("stream") != STREAM:
                continue
            detail = str(row["detail"])
            runs = [(first, last) for first, (last, _) in purge_holes([detail]).items()]
            here = [place for first, last in runs for place in rows_here(self.connection, source.id, first, last)]
            before = str(parse_detail(detail).get("before", ""))
            if here:
                holds = holds_in_force(self.connection, self.path)
                purge_received(self.connection, sorted(here), before, holds, self.now)
                self.append(())
            for first, last in runs:
                within = (RECEIVED.c.source == source.id, RECEIVED.c.first >= first, RECEIVED.c.last <= last)
                known = RECEIVED.c.gone.in_(("claimed", "here"))
                self.connection.execute(sa.update(RECEIVED).where(*within, known).values(gone="purged"))

    def _ended(self, source: Source, position: Position, added: int) -> Answer:
        """The answer; once all rows are here it is checked that none is missing."""
        if position.seq == self.batch.end.seq and (fault := self._other_key(source) or self._missing(source)):
            return self._mark(replace(source, seq=position.seq, chain=position.chain or START), REWRITTEN, fault)
        return Answer(position, added=added)

    def _unsigned(self, source: Source) -> Sentence | None:
        """What is wrong with the signature of the record, whoever made it."""
        from counter_listener.record.signing import is_signature_valid  # cryptography: 0.1 s

        head, end = self.batch.head, self.batch.end
        if head is None:
            return sentence("its signature was removed") if source.signing else None
        if head.record != self.batch.record or not is_signature_valid(head):
            return sentence("its signature is not valid: it was made for something else, or changed")
        if (head.seq, head.chain) != (end.seq, end.chain):
            return sentence("its last rows are not signed: they were added without the key")
        return None

    def _other_key(self, source: Source) -> Sentence | None:
        """That the record is signed with another key than before, unless a row of it tells of that."""
        head = self.batch.head
        if head is None:
            return None
        if source.signing not in (None, head.key) and not self._told(source, head):
            keys = {"now": fingerprint(head.key), "before": fingerprint(source.signing or "")}
            return sentence("it is signed with the key {now}, and was signed with {before} before", **keys)
        change_source(self.connection, source, signing=head.key, head=head.as_json())
        return None

    def _told(self, source: Source, head: Head) -> bool:
        """Whether a row of the record tells of its new key."""
        stream = Names(self.connection, source.id, ()).stream(KEY)
        details = self.connection.execute(sa.select(EVENTS.c.detail).where(EVENTS.c.stream == stream)).scalars().all()
        new = [str(row["detail"]) for row in self._rows() if row.get("stream") == KEY]
        return any(parse_detail(detail).get("key") == fingerprint(head.key) for detail in (*details, *new))

    def _missing(self, source: Source) -> Sentence | None:
        claimed = sa.select(RECEIVED).where(RECEIVED.c.source == source.id, RECEIVED.c.gone == "claimed")
        row = self.connection.execute(claimed.limit(1)).first()
        if row is None:
            return None
        return sentence("rows {first} to {last} are missing, and no purge tells of it", first=row.first, last=row.last)

    def _mark(self, source: Source, state: str, fault: Sentence) -> Answer:
        if source.state == "ok":
            mark_source(self.connection, source, state, fault)
            return Answer(source.have, state, fault)
        return _answer(source)


def _answer(source: Source) -> Answer:
    return Answer(source.have, source.state, read_sentence(source.fault))


def _position(item: Columns | Gone) -> Position:
    if isinstance(item, Gone):
        return Position(item.last, item.chain)
    return Position(int(str(item["seq"])), str(item["chain"]))


def _until_purges(items: Sequence[Columns | Gone]) -> Iterator[Sequence[Columns | Gone]]:
    """The items in parts: after a row that tells of a purge a new one begins, for names that are free again."""
    first = 0
    for number, item in enumerate(items, 1):
        if not isinstance(item, Gone) and item.get("stream") == STREAM:
            yield items[first:number]
            first = number
    if first < len(items):
        yield items[first:]


def _runs(source: int, items: Sequence[Columns | Gone], here: int) -> Iterator[Run]:
    """The items as runs: rows that follow each other, and holes."""
    first = 0
    for number, item in enumerate(items):
        if isinstance(item, Gone):
            yield from _run(source, items[first:number], here)
            here += number - first
            first = number + 1
            yield Run(source, item.first, item.last, item.chain, None, "claimed")
    yield from _run(source, items[first:], here)


def _run(source: int, rows: Sequence[Columns | Gone], here: int) -> Iterator[Run]:
    if rows:
        begin, end = _position(rows[0]), _position(rows[-1])
        yield Run(source, begin.seq, end.seq, end.chain or START, here)

"""What `check` asks the record and writes to it: what is known already, new results, and results judged anew."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counter_listener import __version__
from counter_listener.domain import AudioError, StoreError, _, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from counter_listener.batch import Result
    from counter_listener.domain import Event
    from counter_listener.record import Judging, Origin, Row, Store


@dataclass
class Ledger:
    """The record, and what one call of `check` has to do with it."""

    store: Store
    place: str
    """Where it is kept, for people."""
    phrases: str
    """The phrase set's name."""
    digest: str
    model: str
    counter: str | None
    options: Mapping[str, object] = field(default_factory=dict)
    """What changes verdicts besides phrase set and model: nothing for the usual."""
    again: bool = False
    """Whether to judge anew what is known."""
    transcripts: Path | None = None
    """The folder in which to keep what was recognised, if at all."""
    recorded: int = 0
    known: int = 0
    """How many were in the record already, and added nothing."""
    otherwise: int = 0
    """How many of those were judged by another phrase set or model, or with other options, than now."""
    anew: int = 0
    """How many were judged anew."""
    unrecorded: int = 0
    """How many could not be written to the record."""

    @cached_property
    def resumed(self) -> bool:
        """Whether the record held any recording before: if not, nothing need be looked for in it."""
        return self.store.holds_recordings()

    def look(self, path: Path) -> Result | None:
        """The result that the record holds, where checking the input anew would give it again."""
        from counter_listener.batch import fingerprint

        if not self.resumed:
            return None
        try:
            sha256 = fingerprint(path)
        except AudioError:  # checking it says why
            return None
        judging = self.store.judging(sha256)
        if judging is None or not judging.like(self._judging(path)):
            return None
        if self.again and judging.program != __version__:
            return None
        if self.transcripts is not None and not (self.transcripts / f"{sha256}.jsonl").exists():
            return None
        return self._recalled(path, sha256, judging)

    def write(self, results: Sequence[Result]) -> list[Result]:
        """Writes the events of results to the record, of each all or none; gives them back with their judging's number.

        They are written together; where that fails, one by one, so that it is told of each.
        """
        if sum(map(_to_be_written, results)) <= 1:
            return [self._written_alone(result) for result in results]
        counted = replace(self)
        try:
            with self.store.together():
                return [self._written(result) for result in results]
        except StoreError:
            self.recorded, self.known = counted.recorded, counted.known
            self.otherwise, self.anew = counted.otherwise, counted.anew
            return [self._written_alone(result) for result in results]

    def _written_alone(self, result: Result) -> Result:
        try:
            return self._written(result)
        except StoreError as error:
            self.unrecorded += 1
            text = _("Error: {path} was checked but not recorded: {error}")
            click.echo(text.format(path=printable(str(result.path)), error=error.told(_)), err=True)
            return result

    def told(self) -> str:
        """One line of what was recorded."""
        parts = [_("Recorded {count} in {place}").format(count=self.recorded, place=self.place)]
        if self.anew:
            parts.append(_("{count} judged anew, whose old verdicts stay as history").format(count=self.anew))
        if self.known:
            parts.append(_("{count} were in it already and added nothing").format(count=self.known))
        if self.otherwise:
            text = _("{count} of them were judged there in another way (--again replaces that)")
            parts.append(text.format(count=self.otherwise))
        return _("; ").join(parts) + _(".")

    def _written(self, result: Result) -> Result:
        from counter_listener.record import Recording

        if not _to_be_written(result):
            self.known += result.recalled
            return result
        before = self.store.judging(result.sha256 or "")
        now = self._judging(result.path)
        origin = self._origin(result, before)
        if self.transcripts is not None:
            from counter_listener.batch import keep

            keep(self.transcripts, result, origin, self.options)
        if before is not None and not self.again:
            self.known += 1
            self.otherwise += not before.like(now)
            return replace(result, judging=before.number)
        if before is not None:
            if before.like(now) and self._same(result.events, before):
                self.known += 1
                return replace(result, judging=before.number)
            result = replace(result, judging=before.number + 1)
        recording = Recording(result.sha256 or "", str(result.path.resolve()), result.seconds)
        plain = before is None and not self.options and result.events
        told = None if plain else replace(now, stream=result.stream, number=result.judging, program=__version__)
        origin = replace(origin, stream=result.stream)
        added = self.store.add_recording(recording, result.events, origin, datetime.now(UTC), told)
        self.recorded += added and before is None
        self.anew += added and before is not None
        self.known += not added
        return result

    def _judging(self, path: Path) -> Judging:
        """How an input is judged in this run."""
        from counter_listener.asr import is_transcript
        from counter_listener.record import Judging

        spoken = not is_transcript(path)
        options = {name: value for name, value in self.options.items() if spoken or name != "channels"}
        return Judging("", phrases_hash=self.digest, model=self.model if spoken else "transcript", options=options)

    def _same(self, events: Iterable[Event], judging: Judging) -> bool:
        """Whether the record holds these very events."""
        from counter_listener.record import event_facts

        kept = [event_facts(event) for event in self._events(judging)]
        return kept == [event_facts(event) for event in events]

    def _events(self, judging: Judging) -> list[Event]:
        return [event_of(row) for row in self.store.read(stream=judging.stream)]

    def _recalled(self, path: Path, sha256: str, judging: Judging) -> Result:
        from counter_listener.audio import Started
        from counter_listener.batch import Result

        began = Started(datetime.fromisoformat(judging.started), "record") if judging.started else None
        events = tuple(self._events(judging))
        return Result(
            path, events, sha256, judging.seconds, began, judging.model, judging=judging.number, recalled=True
        )

    def _origin(self, result: Result, before: Judging | None) -> Origin:
        from counter_listener.record import Origin

        started = result.started.at if result.started else None
        if before and before.started and (started is None or (result.started and result.started.how != "given")):
            started = datetime.fromisoformat(before.started)
        return Origin(
            stream=result.stream,
            source=result.sha256 or "",
            counter=self.counter if self.counter or before is None else before.counter,
            started=started,
            phrases=self.phrases,
            phrases_hash=self.digest,
            model=result.model,
        )


def _to_be_written(result: Result) -> bool:
    return not (result.error or result.recalled)


def event_of(row: Row) -> Event:
    """The event that a row keeps. Raises StoreError where somebody changed it."""
    from counter_listener.domain import Event

    try:
        detail = json.loads(row.detail)
        visit = int(row.visit.rpartition("-")[2]) if row.visit else None
    except ValueError as error:
        raise StoreError(
            "row {seq} of the record was changed; see `counter-listener events verify`", seq=row.seq
        ) from error
    return Event(
        row.kind,  # type: ignore[arg-type]  # as it was written
        row.at,
        visit,
        row.stage,
        row.step,
        row.phrase,
        row.verdict,  # type: ignore[arg-type]  # as it was written
        row.score,
        row.heard,
        detail,
    )

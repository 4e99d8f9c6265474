"""The folder of the clips beside a record: a clip is added complete or not at all, listed, and goes by its date."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import sqlalchemy as sa

from counter_listener.domain import ClipError, companion
from counter_listener.record.expressions import is_one_of
from counter_listener.record.files import file_errors, path_text, private_part
from counter_listener.record.holding import held_among
from counter_listener.record.retention_file import holds_in_force
from counter_listener.record.schema import EVENTS

if TYPE_CHECKING:
    from counter_listener.record.clips.keys import ClipKeys
    from counter_listener.record.clips.sealing import ClipFacts

Answer = TypeVar("Answer")
NAME: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9@.-]{0,150})_(\d{9,12})\.clip")
"""The visit, by its id in the record beside the folder, and the beginning in thousandths of a second."""
MAX_BYTES: Final = 8_000_000
"""Of a clip: three quarters of an hour."""
UNFINISHED: Final = timedelta(minutes=10)
"""After this nobody is writing a file any more that has not got its name."""


class Query(Protocol):
    """Record.query()."""

    def __call__(self, ask: Callable[[sa.Connection], Answer]) -> Answer:
        """The result of `ask`."""
        ...


@dataclass(frozen=True, slots=True)
class KeptClip:
    """A clip in the folder."""

    path: Path
    visit: str
    """The id of the visit in the record beside the folder."""
    number: int
    """Which one of the visit: its beginning in thousandths of a second."""
    size: int
    """Bytes."""
    facts: ClipFacts | None
    """What it is; None if the file is damaged."""

    def is_over(self, now: datetime) -> bool:
        """Whether its date has come."""
        return self.facts is not None and self.facts.gone_at <= now


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    expired: int = 0
    """Clips whose date had come."""
    without_visit: int = 0
    """Clips of visits that are no longer in the record."""
    over_size: int = 0
    """Clips that had to make room, the oldest."""

    @property
    def total(self) -> int:
        """All clips that were removed."""
        return self.expired + self.without_visit + self.over_size


def clips_folder(record: Path) -> Path:
    """The folder of the clips of a record."""
    return companion(record, "clips")


def keep_clip(folder: Path, visit: str, content: bytes) -> Path:
    """Adds a clip of a visit, as seal() made it. Raises RecordError, ClipError for one that cannot be named."""
    from counter_listener.record.clips.sealing import read_facts  # cryptography: 0.1 s

    name = f"{visit}_{round(read_facts(io.BytesIO(content)).start * 1000):09d}.clip"
    if not NAME.fullmatch(name) or len(content) > MAX_BYTES:
        raise ClipError("the sound of the visit {visit} cannot be kept as a clip", visit=visit[:100])
    path = folder / name
    with file_errors(path_text(folder)), private_part(path, content) as part:
        part.replace(path)
    return path


def kept_clips(folder: Path, visit: str | None = None) -> list[KeptClip]:
    """The clips of a visit, or all, in order of visits and time. Raises RecordError."""
    with file_errors(path_text(folder)):
        named = [(path, NAME.fullmatch(path.name)) for path in (folder.iterdir() if folder.is_dir() else ())]
    chosen = sorted((found[1], int(found[2]), path) for path, found in named if found and visit in (None, found[1]))
    return [clip for name, number, path in chosen if (clip := _clip(path, name, number)) is not None]


def clip_sound(clip: KeptClip, keys: ClipKeys, now: datetime) -> bytes:
    """The sound of a clip, Opus in Ogg. Raises ClipError, RecordError."""
    from counter_listener.record.clips.sealing import unseal

    if clip.is_over(now):
        raise ClipError("the date of this clip has come, so it is not played any more")
    with file_errors(path_text(clip.path)):
        content = clip.path.read_bytes()
    facts, sound = unseal(content, keys)
    if facts.visit != original_visit(clip.visit) or round(facts.start * 1000) != clip.number:
        raise ClipError("this clip belongs to another visit, so it is not played")
    return sound


def original_visit(visit: str) -> str:
    """The id of a visit at the counter that heard it: a server that has the same id already adds a mark."""
    stream, hyphen, number = visit.rpartition("-")
    return f"{stream.partition('@')[0]}{hyphen}{number}"


def remove_clips(clips: Iterable[KeptClip]) -> int:
    """Removes clips, and returns their number. Raises RecordError."""
    count = 0
    for clip in clips:
        with file_errors(path_text(clip.path)):
            clip.path.unlink(missing_ok=True)
        count += 1
    return count


def sweep_clips(record: Path, query: Query | None, now: datetime, most_bytes: int | None = None) -> Swept:
    """Removes what is not to be kept: unfinished files, clips past their date, those of visits that are not there.

    With `most_bytes` the oldest go until the others fit. Clips of visits under a legal hold stay. Without `query` the
    visits are not looked up. Raises RecordError.
    """
    folder = clips_folder(record)
    if not folder.is_dir():
        return Swept()
    _remove_unfinished(folder, now)
    found = kept_clips(folder)
    held = query(partial(_held, record=record, visits={clip.visit for clip in found})) if query and found else set()
    clips = [clip for clip in found if clip.visit not in held]
    expired = [clip for clip in clips if clip.is_over(now)]
    left = [clip for clip in clips if clip not in expired]
    there = query(partial(_visits_there, visits={clip.visit for clip in left})) if query else None
    lost = [clip for clip in left if there is not None and clip.visit not in there]
    left = [clip for clip in left if clip not in lost]
    staying = sum(clip.size for clip in found if clip.visit in held)
    over = list(_over_size(left, most_bytes - staying)) if most_bytes is not None else []
    return Swept(remove_clips(expired), remove_clips(lost), remove_clips(over))


def _visits_there(connection: sa.Connection, visits: Collection[str]) -> set[str]:
    query = sa.select(EVENTS.c.visit).where(is_one_of(EVENTS.c.visit, list(visits))).distinct()
    return set(connection.execute(query).scalars())


def _held(connection: sa.Connection, record: Path, visits: Collection[str]) -> set[str]:
    return held_among(connection, holds_in_force(connection, record), visits)


def _over_size(clips: Collection[KeptClip], most_bytes: int) -> Iterator[KeptClip]:
    """The oldest clips, until the others fit; damaged ones first."""
    size = sum(clip.size for clip in clips)
    for clip in sorted(clips, key=lambda clip: clip.facts.made if clip.facts else ""):
        if size <= most_bytes:
            return
        size -= clip.size
        yield clip


def _remove_unfinished(folder: Path, now: datetime) -> None:
    with file_errors(path_text(folder)):
        for part in folder.glob(".private-*.part"):
            if now.timestamp() - part.stat().st_mtime > UNFINISHED.total_seconds():
                part.unlink(missing_ok=True)


def _clip(path: Path, visit: str, number: int) -> KeptClip | None:
    """The clip in a file; None if it was removed in the meantime."""
    from counter_listener.record.clips.sealing import read_facts

    facts = None
    with file_errors(path_text(path)), suppress(ClipError):
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                facts = read_facts(file)
        except FileNotFoundError:
            return None
    return KeptClip(path, visit, number, size, facts)

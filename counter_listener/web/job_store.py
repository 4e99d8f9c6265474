"""The jobs of a server as files beside the record: what is to be checked, how far it is, what failed and why."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from counter_listener.domain import RecordError, companion, system_reason
from counter_listener.record import record_file

JobState = Literal["waiting", "running", "done", "cancelled", "failed"]
KEPT: Final = 50
"""Jobs that are over and still listed; the files of older ones are removed."""


@dataclass
class Job:
    """Recordings of a folder that are to be checked."""

    id: str
    folder: str
    by: str
    """Who asked for it."""
    asked: str
    """When; ISO 8601."""
    counter: str | None = None
    one_visit: bool = False
    state: JobState = "waiting"
    total: int | None = None
    """Recordings and transcripts; None until they are counted."""
    done: int = 0
    known: int = 0
    """Of those, how many were in the record already."""
    left_out: int = 0
    """Files that are no recordings."""
    failed: list[dict[str, Any]] = field(default_factory=list)
    """What could not be read or recorded: `path`, and `why` as a packed sentence."""
    why: dict[str, Any] | None = None
    """Why the job as a whole failed, as a packed sentence."""
    ended: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more is done for it."""
        return self.state in ("done", "cancelled", "failed")

    @property
    def asked_at(self) -> datetime:
        """When somebody asked for it."""
        return datetime.fromisoformat(self.asked)

    @property
    def ended_at(self) -> datetime | None:
        """When it was over."""
        return None if self.ended is None else datetime.fromisoformat(self.ended)


def jobs_folder(store: str) -> Path:
    """Where the jobs of a record lie: beside it, or in the data folder if it is no file."""
    record = record_file(store)
    return companion(record, "jobs")


def read_jobs(folder: Path) -> Iterator[Job]:
    """The jobs in a folder, the oldest first. A file that is damaged is passed over."""
    known = {each.name for each in fields(Job)}
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        with suppress(OSError, ValueError, TypeError):
            found = json.loads(file.read_text(encoding="utf-8"))
            yield Job(**{name: value for name, value in found.items() if name in known})


def write_job(folder: Path, job: Job) -> None:
    """Writes a job, whole or not at all. Raises RecordError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".job-", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as part:
                json.dump(asdict(job), part, ensure_ascii=False)
            Path(name).replace(folder / f"{job.id}.json")
        except OSError:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise RecordError(
            "{name} cannot be used: {why}; check its folder and permissions.",
            name=str(folder),
            why=system_reason(error),
        ) from error


def remove_old(folder: Path, jobs: list[Job]) -> list[Job]:
    """The jobs without the oldest of those that are over, whose files are removed."""
    over = [job for job in jobs if job.over]
    for job in over[:-KEPT]:
        with suppress(OSError):
            (folder / f"{job.id}.json").unlink(missing_ok=True)
        jobs = [each for each in jobs if each is not job]
    return jobs

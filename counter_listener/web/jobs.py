"""Recordings that are checked from the pages: one job at a time, in a process beside the server; the others wait."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final

from counter_listener.domain import N_, RecordError, ReviewError, Sentence, packed
from counter_listener.web.job_store import Job, jobs_folder, read_jobs, remove_old, write_job
from counter_listener.web.server_file import JobsTable

CRASHED: Final = N_("the process of the job ended before it was done; start it again to check the rest")
SAVED: Final = 20
"""Results after which a job that runs is written to its file."""
PATIENCE: Final = 10.0
"""Seconds in which a process that is to end may do so."""
MOST_SHOWN: Final = 500
"""Folders of a folder that are listed."""


class Jobs:
    """The jobs of one server."""

    def __init__(
        self,
        store: str,
        given: JobsTable,
        command: Sequence[str],
        request: Mapping[str, Any],
        clock: Callable[[], datetime],
    ) -> None:
        self._folder, self._given, self._command, self._request = jobs_folder(store), given, command, dict(request)
        self._clock = clock
        self._lock, self._wake, self._stop = Lock(), Event(), Event()
        self._jobs = list(read_jobs(self._folder))
        self._process: subprocess.Popen[str] | None = None
        self._running: Job | None = None
        self._thread: Thread | None = None
        for job in self._jobs:
            if job.state == "running":  # the server ended meanwhile; what was recorded adds nothing
                job.state = "waiting"

    def begin(self) -> None:
        """Begins with the first job that waits."""
        if self._thread is None and self._command:
            self._thread = Thread(target=self._work, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends the process; its job goes on when the server is started again."""
        self._stop.set()
        self._wake.set()
        self._end_process()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def all(self) -> list[Job]:
        """The jobs, the newest first."""
        with self._lock:
            return list(reversed(self._jobs))

    def find(self, id_: str) -> Job | None:
        """A job."""
        return next((job for job in self.all() if job.id == id_), None)

    def roots(self) -> list[Path]:
        """The folders below which recordings may be checked."""
        return [Path(folder).expanduser().resolve() for folder in self._given.folders]

    def allowed(self, folder: str) -> Path:
        """The folder, which lies in one that the settings allow, also behind links. Raises ReviewError."""
        with suppress(OSError, ValueError, RuntimeError):
            found = Path(folder).resolve()
            if any(found.is_relative_to(root) for root in self.roots()) and found.is_dir():
                return found
        raise ReviewError("{folder} is no folder whose recordings may be checked here", folder=folder[:200])

    def folders_in(self, folder: Path) -> list[Path]:
        """The folders of a folder, in order. Raises ReviewError."""
        try:
            found = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
        except OSError:
            raise ReviewError("{folder} is no folder whose recordings may be checked here", folder=folder) from None
        return found[:MOST_SHOWN]

    def add(self, folder: str, by: str, *, counter: str, one_visit: bool) -> Job:
        """A new job, which waits for those before it. Raises ReviewError, RecordError."""
        allowed, now = self.allowed(folder), self._clock().isoformat()
        with self._lock:
            number = max((int(job.id) for job in self._jobs if job.id.isdecimal()), default=0) + 1
            job = Job(f"{number:06}", str(allowed), by, now, counter.strip()[:200] or None, one_visit)
            write_job(self._folder, job)
            self._jobs = remove_old(self._folder, [*self._jobs, job])
        self._wake.set()
        return job

    def cancel(self, id_: str) -> bool:
        """Ends a job, of which all that is recorded stays; false if it is over already."""
        with self._lock:
            job = next((job for job in self._jobs if job.id == id_ and not job.over), None)
            if job is None:
                return False
            self._finish(job, "cancelled")
            running = self._running is job
        if running:
            Thread(target=self._end_process, daemon=True).start()  # nobody waits for it
        return True

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                job = next((job for job in self._jobs if job.state == "waiting"), None)
                if job is not None:
                    job.state, job.done, job.known, job.left_out, job.failed = "running", 0, 0, 0, []
                    self._running = job
            if job is None:
                self._wake.wait()
                self._wake.clear()
                continue
            self._run(job)
            with self._lock:
                self._running = None

    def _run(self, job: Job) -> None:
        """Runs a job to its end, its cancellation, or the end of the server."""
        for number, line in enumerate(self._lines(job)):
            with self._lock:
                if job.over:
                    break
                _take(job, line)
                if number % SAVED == 0:
                    self._save(job)
        with self._lock:
            if not job.over and not self._stop.is_set():
                if job.why is None and (job.total is None or job.done < job.total):
                    job.why = packed(Sentence(CRASHED))
                self._finish(job, "failed" if job.why else "done")

    def _lines(self, job: Job) -> Iterator[dict[str, Any]]:
        """What the process of a job tells."""
        asked = {**self._request, "folder": job.folder, "counter": job.counter, "one_visit": job.one_visit}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(self._command, text=True, encoding="utf-8", **pipes) as process:  # type: ignore[call-overload]  # noqa: S603 - our own program
            self._process = process
            try:
                with suppress(OSError):
                    process.stdin.write(json.dumps(asked) + "\n")
                    process.stdin.flush()
                if job.over or self._stop.is_set():
                    process.kill()
                for line in process.stdout:
                    with suppress(ValueError):
                        yield json.loads(line)
            finally:
                self._process = None
                if process.poll() is None:
                    process.kill()

    def _end_process(self) -> None:
        process = self._process
        if process is None:
            return
        with suppress(OSError):
            process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()

    def _finish(self, job: Job, state: Any) -> None:  # noqa: ANN401 - one of JobState
        job.state, job.ended = state, self._clock().isoformat()
        self._save(job)

    def _save(self, job: Job) -> None:
        with suppress(RecordError):  # the disk is full: after a restart the job begins anew, and adds nothing twice
            write_job(self._folder, job)


def _take(job: Job, line: dict[str, Any]) -> None:
    """Takes in one line of the process."""
    if "total" in line:
        job.total, job.left_out = int(line["total"]), int(line.get("left_out", 0))
    elif "stopped" in line:
        job.why = line["stopped"]
    elif "path" in line:
        job.done += 1
        job.known += bool(line.get("known"))
        if line.get("why"):
            job.failed.append({"path": line["path"], "why": line["why"]})

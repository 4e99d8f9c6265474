"""Work for a dask.distributed cluster; the only module that knows dask."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import Any, Final

from counter_listener.batch.check import CheckOptions, CheckResult, check_file, failed_result
from counter_listener.batch.scheduler import WorkerLost
from counter_listener.batch.workers import MIN_TIMEOUT, CheckFunction, allowed_seconds, timed_out
from counter_listener.domain import AudioError, UsageError, sentence

SCHEME: Final = "dask:"
WAIT: Final = 10
"""Seconds to wait for the scheduler, and then for its first worker."""
SPARE: Final = 2
"""Recordings handed out for each thread of a worker, so that none waits for the next."""


@dataclass
class ClusterWorker:
    """A place on the cluster, which itself tries again what a worker died of."""

    client: Any
    packed: bytes
    """The task: see _task()."""

    def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
        """Begins to check recordings or transcripts, by their absolute paths."""
        future: Future[list[CheckResult]] = self.client.get_executor(pure=False).submit(
            check_on_cluster, [path.absolute() for path in paths], paths, self.packed
        )
        return future

    def lost(self, error: BaseException) -> WorkerLost | None:
        """What an error means, if workers died of the recording, one after the other."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return WorkerLost(sentence("made the speech engine crash on several workers; is it damaged?"), again=False)
        return None

    def end(self) -> None:
        """Leaves the cluster; what is under way there is dropped."""
        self.client.close()


def cluster_workers(address: str, task: CheckOptions) -> Iterator[ClusterWorker]:
    """Places on the cluster at "dask:tcp://HOST:PORT". Raises UsageError."""
    if not address.startswith(SCHEME) or "://" not in address:
        raise UsageError("--executor takes dask:tcp://HOST:PORT, not {address!r}.", address=address)
    client = _client(address.removeprefix(SCHEME))
    packed = zlib.compress(pickle.dumps(replace(task, progress=None)))
    threads = sum(client.nthreads().values())
    return (ClusterWorker(client, packed) for _ in range(threads * SPARE))


def _client(address: str) -> Any:  # noqa: ANN401 - dask has no types
    try:
        import distributed
    except ImportError:
        raise UsageError("--executor dask: needs the extra: pip install 'counter-listener[cluster]'.") from None
    make: Any = distributed.Client
    try:
        client = make(address, timeout=WAIT)
    except (OSError, ValueError) as error:
        raise UsageError(
            "No dask scheduler answers at {address} ({error}); start one, or mend the address.",
            address=address,
            error=str(error),
        ) from None
    try:
        client.wait_for_workers(1, timeout=WAIT)
    except TimeoutError:
        client.close()
        raise UsageError(
            "The scheduler at {address} has no worker; start some with `dask worker`.", address=address
        ) from None
    return client


def check_on_cluster(paths: Sequence[Path], asked: Sequence[Path], packed: bytes) -> list[CheckResult]:
    """On a worker: the results of what it must find under these paths, each told by the path that was `asked`."""
    task = _task(packed)
    return [replace(check_with_timeout(path, task), path=name) for path, name in zip(paths, asked, strict=True)]


def check_with_timeout(
    path: Path, task: CheckOptions, work: CheckFunction = check_file, least: float = MIN_TIMEOUT
) -> CheckResult:
    """The result of one recording, or its error if that takes too long.

    What takes too long is left to itself: a worker of the cluster may have other recordings in other threads, and
    cannot be ended for the sake of one, as a worker process of this machine can.
    """
    outcome: Future[CheckResult] = Future()

    def carry_out() -> None:
        try:
            outcome.set_result(work(path, task))
        except Exception as error:  # noqa: BLE001 - it is raised again where it is waited for
            outcome.set_exception(error)

    thread = Thread(target=carry_out, daemon=True)
    thread.start()
    thread.join(least)
    if thread.is_alive():
        thread.join(max(0.0, allowed_seconds(path) - least))
    if thread.is_alive():
        return failed_result(path, AudioError("{path} {why}", path=path, why=timed_out().why))
    return outcome.result()


@lru_cache(maxsize=2)
def _task(packed: bytes) -> CheckOptions:
    """The task, once a process, so that its model is loaded once."""
    task: CheckOptions = pickle.loads(zlib.decompress(packed))  # noqa: S301 - what dask itself does with every task
    return task

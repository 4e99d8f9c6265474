"""Workers on a dask.distributed cluster. The only module that imports dask."""

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
CONNECT_TIMEOUT: Final = 10
"""Seconds to wait for the scheduler, and then for its first worker."""
QUEUED: Final = 2
"""Recordings submitted for each thread of a worker, so that no thread waits for the next one."""


@dataclass
class ClusterWorker:
    """A share of the cluster. Dask itself retries a recording after the crash of a worker."""

    client: Any
    packed: bytes
    """The options: see _unpack()."""

    def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
        """Starts to check recordings or transcripts, by their absolute paths."""
        future: Future[list[CheckResult]] = self.client.get_executor(pure=False).submit(
            check_on_cluster, [path.absolute() for path in paths], paths, self.packed
        )
        return future

    def lost(self, error: BaseException) -> WorkerLost | None:
        """Why workers were lost, if several crashed at this recording."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return WorkerLost(sentence("made the speech engine crash on several workers; is it damaged?"), retry=False)
        return None

    def end(self) -> None:
        """Disconnects from the cluster and drops what is unfinished there."""
        self.client.close()


def cluster_workers(address: str, options: CheckOptions) -> Iterator[ClusterWorker]:
    """The workers of the cluster at "dask:tcp://HOST:PORT". Raises UsageError."""
    if not address.startswith(SCHEME) or "://" not in address:
        raise UsageError("--executor takes dask:tcp://HOST:PORT, not {address!r}.", address=address)
    client = _connect(address.removeprefix(SCHEME))
    packed = zlib.compress(pickle.dumps(replace(options, progress=None)))
    threads = sum(client.nthreads().values())
    return (ClusterWorker(client, packed) for _ in range(threads * QUEUED))


def _connect(address: str) -> Any:  # noqa: ANN401 - dask has no types
    try:
        import distributed
    except ImportError:
        raise UsageError("--executor dask: needs the extra: pip install 'counter-listener[cluster]'.") from None
    make_client: Any = distributed.Client
    try:
        client = make_client(address, timeout=CONNECT_TIMEOUT)
    except (OSError, ValueError) as error:
        raise UsageError(
            "No dask scheduler answers at {address} ({error}); start one, or correct the address.",
            address=address,
            error=str(error),
        ) from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
    except TimeoutError:
        client.close()
        raise UsageError(
            "The scheduler at {address} has no worker; start some with `dask worker`.", address=address
        ) from None
    return client


def check_on_cluster(paths: Sequence[Path], names: Sequence[Path], packed: bytes) -> list[CheckResult]:
    """On a worker: the results of the files at `paths`, under the names by which the user knows them."""
    options = _unpack(packed)
    return [replace(check_with_timeout(path, options), path=name) for path, name in zip(paths, names, strict=True)]


def check_with_timeout(
    path: Path, options: CheckOptions, function: CheckFunction = check_file, least: float = MIN_TIMEOUT
) -> CheckResult:
    """The result of one recording; a failed result if it takes too long.

    The thread of a recording that takes too long is left running: a worker of the cluster may have other recordings in
    other threads and cannot be ended for one, unlike a worker process of this machine.
    """
    outcome: Future[CheckResult] = Future()

    def check() -> None:
        try:
            outcome.set_result(function(path, options))
        except Exception as error:  # noqa: BLE001 - result() raises it again
            outcome.set_exception(error)

    thread = Thread(target=check, daemon=True)
    thread.start()
    thread.join(least)
    if thread.is_alive():
        thread.join(max(0.0, allowed_seconds(path) - least))
    if thread.is_alive():
        return failed_result(path, AudioError("{path} {why}", path=path, why=timed_out().why))
    return outcome.result()


@lru_cache(maxsize=2)
def _unpack(packed: bytes) -> CheckOptions:
    """The options, once per process, so that a worker loads the model once."""
    options: CheckOptions = pickle.loads(zlib.decompress(packed))  # noqa: S301 - dask itself unpickles every call
    return options

"""A real dask scheduler with two real workers, one of them killed during its work."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from support.command import program, run, transcript
from test_scheduler import SHORT, check_options, copies, recorded, wait_for_recordings

from counter_listener.asr import SpeechModel
from counter_listener.batch.check import CheckOptions, CheckResult, check_file
from counter_listener.batch.cluster import check_with_timeout
from counter_listener.domain.errors import ModelError

pytest.importorskip("distributed", reason="needs the extra `cluster`")


def start(module: str, folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(folder / "scheduler.json")]
    return subprocess.Popen(
        [*command, "--no-dashboard", *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The scheduler's address and the workers."""
    folder = tmp_path / "dask"
    folder.mkdir()
    scheduler = start("dask_scheduler", folder, "--host", "127.0.0.1", "--port", "0")
    workers = [start("dask_worker", folder, "--nthreads", "1", "--no-nanny", "--memory-limit", "0") for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while not (folder / "scheduler.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield json.loads((folder / "scheduler.json").read_text())["address"], workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


@pytest.mark.slow
def test_the_crash_of_a_worker_loses_no_recording(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = cluster
    files, record = [SHORT[0], *copies(tmp_path, 7)], tmp_path / "events.db"
    command = [sys.executable, "-m", "counter_listener", "check", *map(str, files), "--format", "jsonl"]
    on_cluster = [*command, "--store", str(record), "--executor", f"dask:{address}"]
    with subprocess.Popen(on_cluster, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as child:
        wait_for_recordings(record, 3, child)
        workers[0].kill()
        output, _ = child.communicate(timeout=300)
    assert child.returncode == 0
    assert len(recorded(record)) == len(files)
    local = run("check", *files, "--format", "jsonl", "--store", "none", "--jobs", 1)
    assert output == local.stdout
    assert psutil.pid_exists(workers[1].pid)


def check_or_hang(path: Path, options: CheckOptions) -> CheckResult:
    """Like check_file(), but hangs for a file named hangs."""
    if path.stem == "hangs":
        time.sleep(30)
    return check_file(path, options)


def test_a_recording_that_blocks_a_worker_times_out_on_a_cluster_too(tmp_path: Path) -> None:
    began = time.monotonic()
    hung = check_with_timeout(transcript(tmp_path / "hangs.jsonl"), check_options(), check_or_hang, least=0.3)
    assert str(hung.error).startswith(str(tmp_path / "hangs.jsonl"))
    assert "more than 20 times as long as it should" in str(hung.error)
    assert time.monotonic() - began < 25
    file = transcript(tmp_path / "good.jsonl")
    assert check_with_timeout(file, check_options(), check_or_hang, least=20) == check_file(file, check_options())
    with pytest.raises(ModelError):
        check_with_timeout(SHORT[0], replace(check_options(), model=SpeechModel(tmp_path)), check_or_hang)


@pytest.mark.parametrize(
    ("address", "message"),
    [("tcp://127.0.0.1:1", "--executor takes dask:"), ("dask:127.0.0.1:1", "--executor takes dask:")],
)
def test_an_invalid_address_is_reported(address: str, message: str) -> None:
    result = run("check", SHORT[0], "--store", "none", "--executor", address)
    assert (result.exit_code, message in result.stderr) == (2, True)


@pytest.mark.slow
def test_a_missing_scheduler_is_reported() -> None:
    result = program("check", SHORT[0], "--store", "none", "--executor", "dask:tcp://127.0.0.1:1")
    assert result.returncode == 2
    assert "No dask scheduler answers at tcp://127.0.0.1:1" in result.stderr
    assert "Traceback" not in result.stderr

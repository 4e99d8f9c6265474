"""A real dask scheduler with two real workers, one of which is killed in the middle of its work."""

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
from test_scheduler import SHORT, copies, ready, recorded, task

from counter_listener.asr.speech_model import SpeechModel
from counter_listener.batch.check import CheckOptions, CheckResult, check_file
from counter_listener.batch.cluster import check_with_timeout
from counter_listener.domain.errors import ModelError

pytest.importorskip("distributed", reason="needs the extra `cluster`")


def started(module: str, folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(folder / "scheduler.json")]
    return subprocess.Popen(
        [*command, "--no-dashboard", *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The scheduler's address and the workers."""
    folder = tmp_path / "dask"
    folder.mkdir()
    scheduler = started("dask_scheduler", folder, "--host", "127.0.0.1", "--port", "0")
    workers = [started("dask_worker", folder, "--nthreads", "1", "--no-nanny", "--memory-limit", "0") for _ in range(2)]
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
def test_a_worker_that_is_killed_costs_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = cluster
    files, store = [SHORT[0], *copies(tmp_path, 7)], tmp_path / "events.db"
    command = [sys.executable, "-m", "counter_listener", "check", *map(str, files), "--format", "jsonl"]
    far = [*command, "--store", str(store), "--executor", f"dask:{address}"]
    with subprocess.Popen(far, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as child:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and ready(store) < 3 and child.poll() is None:
            time.sleep(0.01)
        workers[0].kill()
        told, _ = child.communicate(timeout=300)
    assert child.returncode == 0
    assert len(recorded(store)) == len(files)
    here = run("check", *files, "--format", "jsonl", "--store", "none", "--jobs", 1)
    assert told == here.stdout
    assert psutil.pid_exists(workers[1].pid)


def late(path: Path, task: CheckOptions) -> CheckResult:
    """Like check_one(), but a file named hangs does so."""
    if path.stem == "hangs":
        time.sleep(30)
    return check_file(path, task)


def test_a_recording_that_holds_its_worker_is_given_up_there_too(tmp_path: Path) -> None:
    began = time.monotonic()
    held = check_with_timeout(transcript(tmp_path / "hangs.jsonl"), task(), late, least=0.3)
    assert str(held.error).startswith(str(tmp_path / "hangs.jsonl"))
    assert "more than 20 times as long as it should" in str(held.error)
    assert time.monotonic() - began < 25
    file = transcript(tmp_path / "good.jsonl")
    assert check_with_timeout(file, task(), late, least=20) == check_file(file, task())
    with pytest.raises(ModelError):
        check_with_timeout(SHORT[0], replace(task(), ears=SpeechModel(tmp_path)), late)


@pytest.mark.parametrize(
    ("address", "said"),
    [("tcp://127.0.0.1:1", "--executor takes dask:"), ("dask:127.0.0.1:1", "--executor takes dask:")],
)
def test_an_address_that_is_none_is_told(address: str, said: str) -> None:
    result = run("check", SHORT[0], "--store", "none", "--executor", address)
    assert (result.exit_code, said in result.stderr) == (2, True)


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_is_told() -> None:
    result = program("check", SHORT[0], "--store", "none", "--executor", "dask:tcp://127.0.0.1:1")
    assert result.returncode == 2
    assert "No dask scheduler answers at tcp://127.0.0.1:1" in result.stderr
    assert "Traceback" not in result.stderr

"""Many recordings at once: the events do not depend on the workers, and a faulty recording affects no other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest
from support.command import FULL_VISIT, events, program, run, transcript
from support.faulty_work import check_or_fail
from support.small_counter import SMALL_FILE

from counter_listener.asr import SpeechModel, find_model
from counter_listener.batch.check import CheckOptions, CheckResult
from counter_listener.batch.running import worker_count
from counter_listener.batch.scheduler import InputOrder, Worker, check_with_workers
from counter_listener.batch.workers import ProcessWorker
from counter_listener.matching import prepare_matcher
from counter_listener.phrases import find_phrase_set, read_phrase_set

SMALL_SET = ("--phrases", str(SMALL_FILE))
"""It is ready in a third of the time of bank-counter."""
FIXTURES = Path(__file__).parents[1] / "fixtures"
SHORT = [FIXTURES / f"{name}.wav" for name in ("no-farewell", "refusal-with-sorry", "complaint-unhandled")]


def check_options() -> CheckOptions:
    phrases, _ = read_phrase_set(find_phrase_set("service-desk-en"))
    return CheckOptions(prepare_matcher(phrases), SpeechModel(find_model("counter-cn")))


def copies(folder: Path, number: int) -> list[Path]:
    """Recordings that differ by some samples of silence."""
    sound = SHORT[1].read_bytes()
    files = [folder / f"{n:02}.wav" for n in range(number)]
    for n, file in enumerate(files):
        file.write_bytes(sound + bytes(2 * n + 2))
    return files


def recorded(record: Path) -> list[tuple[str, int]]:
    """Each recording with the number of its events."""
    query = "select path, (select count(*) from events where source = sha256) from recordings order by path"
    with sqlite3.connect(record, timeout=10) as database:
        return [(str(path), int(count)) for path, count in database.execute(query)]


def recorded_count(record: Path) -> int:
    """The number of recordings; 0 while the record is being created."""
    try:
        return len(recorded(record))
    except sqlite3.Error:
        return 0


def wait_for_recordings(record: Path, number: int, child: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and recorded_count(record) < number and child.poll() is None:
        time.sleep(0.01)


def unknown(_path: Path) -> CheckResult | None:
    """No input is in the record."""
    return None


def results_in_order(files: Sequence[Path], workers: Sequence[Worker]) -> list[CheckResult]:
    """Every result in the order of the inputs; each input must have exactly one."""
    order, shown, numbers = InputOrder(), list[CheckResult](), list[int]()
    for batch in check_with_workers(files, workers, unknown, time.monotonic):
        numbers += batch
        shown += order.release(batch)
    assert sorted(numbers) == list(range(len(files)))
    return shown


def test_events_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    files = [*SHORT[1:], tmp_path / "missing.wav", transcript(tmp_path / "a.jsonl")]
    one, three = (
        program("check", *files, "--format", "jsonl", "--jobs", jobs, *SMALL_SET, "--store", tmp_path / f"{jobs}.db")
        for jobs in (1, 3)
    )
    assert one.stdout == three.stdout
    assert one.stdout.count('"visit_closed"') == len(SHORT)
    assert (one.returncode, three.returncode) == (3, 3)
    assert recorded(tmp_path / "1.db") == recorded(tmp_path / "3.db")
    lines = [line for line in three.stderr.splitlines() if " of 4  " in line]
    assert len(lines) == len(files)
    assert sum("could not be read" in line for line in lines) == 1


def test_a_recording_that_crashes_or_blocks_its_worker_affects_no_other(tmp_path: Path) -> None:
    names = ("first", "kills", "second", "kills-once", "hangs", "third")
    files = [transcript(tmp_path / f"{name}.jsonl") for name in names]
    workers = [ProcessWorker(check_options(), check_or_fail) for _ in range(2)]
    results = results_in_order(files, workers)
    assert [result.path for result in results] == files
    errors = {result.path.stem: result.error for result in results if result.error}
    assert set(errors) == {"kills", "hangs"}
    assert "made the speech engine crash, twice" in str(errors["kills"])
    assert "more than 20 times as long as it should" in str(errors["hangs"])
    assert all(worker.process is None for worker in workers)


def test_only_the_transcript_that_crashes_its_worker_is_lost_from_a_bundle(tmp_path: Path) -> None:
    names = [*(f"{n:02}" for n in range(20)), "kills", *(f"{n:02}" for n in range(20, 40))]
    files = [transcript(tmp_path / f"{name}.jsonl") for name in names]
    sizes: list[int] = []

    class CountingWorker(ProcessWorker):
        def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
            sizes.append(len(paths))
            return super().check(paths)

    results = results_in_order(files, [CountingWorker(check_options(), check_or_fail)])
    assert [(result.path, bool(result.error)) for result in results] == [(file, file.stem == "kills") for file in files]
    assert max(sizes) > 1


def test_the_largest_recordings_are_started_first_and_shown_in_input_order(tmp_path: Path) -> None:
    files = copies(tmp_path, 5)
    files[2].write_bytes(files[2].read_bytes() + bytes(32_000))
    started: list[Path] = []

    class WatchedWorker(ProcessWorker):
        def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
            started.extend(paths)
            return super().check(paths)

    results = results_in_order(files, [WatchedWorker(check_options()), WatchedWorker(check_options())])
    assert [result.path for result in results] == files
    assert started[:3] == [files[0], files[2], files[4]]
    assert sorted(started) == files


def test_the_crash_of_the_only_worker_loses_no_recording(tmp_path: Path) -> None:
    files, record = copies(tmp_path, 3), tmp_path / "events.db"
    command = [sys.executable, "-m", "counter_listener", "check", *map(str, files), *SMALL_SET, "--store", str(record)]
    with subprocess.Popen([*command, "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        wait_for_recordings(record, 1, child)
        children = psutil.Process(child.pid).children(recursive=True)
        (worker,) = [each for each in children if "resource_tracker" not in str(each.cmdline()) and not each.children()]
        worker.kill()
        assert child.wait(60) == 0
    assert len(recorded(record)) == len(files)


def test_a_worker_that_crashes_while_it_is_idle_is_replaced(tmp_path: Path) -> None:
    worker = ProcessWorker(check_options())
    try:
        assert worker.check([transcript(tmp_path / "a.jsonl")]).result()[0].error is None
        assert worker.process
        worker.process.kill()
        worker.process.join()
        for _ in range(100):  # until its pool has noticed
            time.sleep(0.02)
            if worker.pool and worker.pool._broken:  # noqa: SLF001
                break
        assert worker.check([transcript(tmp_path / "b.jsonl")]).result()[0].error is None
    finally:
        worker.end()


class InstantWorker:
    """Finishes every call at once, without a process, and counts the inputs that it was given."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.started: list[Path] = []
        self.ended = False

    def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
        self.started += paths
        future: Future[list[CheckResult]] = Future()
        if self.error:
            future.set_exception(self.error)
        else:
            future.set_result([CheckResult(path, ()) for path in paths])
        return future

    def lost(self, _error: BaseException) -> None:
        return None

    def end(self) -> None:
        self.ended = True


def test_results_are_returned_together_every_fifth_of_a_second_and_at_the_end(tmp_path: Path) -> None:
    files = copies(tmp_path, 8)
    worker, times = InstantWorker(), iter(n / 20 for n in range(1000))
    batches = list(check_with_workers(files, [worker], unknown, lambda: next(times)))
    assert sum(map(len, batches)) == len(files)
    assert 1 < len(batches) < len(files)
    assert worker.ended


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a fault of the program")])
def test_an_error_that_is_no_crash_reaches_the_caller_and_stops_the_workers(
    tmp_path: Path, error: BaseException
) -> None:
    worker = InstantWorker(error)
    with pytest.raises(type(error)):
        list(check_with_workers(copies(tmp_path, 2), [worker], unknown, time.monotonic))
    assert worker.ended


PRELOADING = """
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from support.faulty_work import has_preloaded
from counter_listener.batch.workers import start_preloading, worker_context
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    start_preloading(folder, ["colorsys"])
    with ProcessPoolExecutor(1, worker_context()) as pool:
        print(*pool.submit(has_preloaded, folder, "colorsys").result())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each worker loads a model of its own")
@pytest.mark.parametrize("intact", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_workers_share_the_model_if_it_can_be_loaded_and_the_named_modules(tmp_path: Path, *, intact: bool) -> None:
    folder = find_model("counter-cn")
    if not intact:
        folder = Path(shutil.copytree(folder, tmp_path / "damaged"))
        (folder / "am" / "final.mdl").write_bytes(b"damaged")
    script = tmp_path / "preloading.py"
    script.write_text(PRELOADING)
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent)))}
    child = subprocess.run(
        [sys.executable, script, folder], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert child.stdout.split() == [str(intact), "True"]
    if not intact:
        refused = program("check", *SHORT[:2], *SMALL_SET, "--model", folder, "--jobs", 2, "--store", "none")
        assert refused.returncode == 2
        assert "final.mdl" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_single_recording_needs_no_worker_and_two_have_one() -> None:
    assert [worker_count(jobs, SHORT[:1]) for jobs in (None, 1, 3)] == [0, 0, 0]
    assert worker_count(1, SHORT[:2]) == 1
    assert worker_count(8, SHORT) == 3


def test_no_more_inputs_are_started_than_results_may_wait_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counter_listener.batch.scheduler.MAX_WAITING_RESULTS", 2)
    files = copies(tmp_path, 9)
    first: Future[list[CheckResult]] = Future()

    class FirstIsSlow(InstantWorker):
        def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
            future = super().check(paths)
            return first if files[0] in paths else future

    slow, fast = FirstIsSlow(), FirstIsSlow()
    batches = check_with_workers(files, [slow, fast], unknown, time.monotonic)
    returned = dict[int, CheckResult]()
    while len(returned) < 3:
        returned |= next(batches)
    assert len(slow.started + fast.started) == 2 * 2, "the inputs that may wait, the first included"
    first.set_result([CheckResult(files[0], ())])
    for batch in batches:
        returned |= batch
    assert [returned[number].path for number in range(len(files))] == files


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(signal.SIGKILL, id="kill"),
        pytest.param(signal.SIGINT, id="interrupt", marks=pytest.mark.slow),  # test_check interrupts one every day
    ],
)
def test_invariant_4_an_interrupted_run_is_continued_by_running_it_again(tmp_path: Path, sent: signal.Signals) -> None:
    files = copies(tmp_path, 6)
    record = tmp_path / "events.db"
    command = [sys.executable, "-m", "counter_listener", "check", *map(str, files), *SMALL_SET, "--store", str(record)]
    with subprocess.Popen(
        [*command, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as child:
        wait_for_recordings(record, 2, child)
        workers = psutil.Process(child.pid).children(recursive=True)
        os.kill(child.pid, sent)
        child.wait(timeout=30)
    before = recorded(record)
    assert 2 <= len(before) < len(files)
    assert not psutil.wait_procs(workers, timeout=10)[1], "a worker outlived its parent"
    again = run("check", *files, *SMALL_SET, "--store", record, "--format", "jsonl")
    assert again.exit_code == 0
    assert f"{len(before)} were in it already" in again.stderr
    assert [path for path, _ in recorded(record)] == [str(file) for file in files]
    assert {event["source"] for event in events(again)} == {str(file) for file in files}
    assert len({count for _, count in recorded(record)}) == 1
    assert run("events", "verify", "--store", record).exit_code == 0


def test_a_recorded_result_is_shown_without_checking_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "events.db"
    words = (*SMALL_SET, "--store", record, "--format", "jsonl")
    first = run("check", SHORT[1], *words)

    def never(*_: object) -> None:
        raise AssertionError("it was checked again")

    monkeypatch.setattr("counter_listener.batch.scheduler.check_file", never)
    second = run("check", SHORT[1], *words)
    assert events(second) == events(first)
    with pytest.raises(AssertionError, match="checked again"):
        run("check", SHORT[2], *words)


def test_a_recording_is_judged_again_only_if_something_changed(tmp_path: Path) -> None:
    record, file = tmp_path / "events.db", transcript(tmp_path / "a.jsonl")
    later = [(start + 300, end + 300, text) for start, end, text in FULL_VISIT]
    transcript(file, [*FULL_VISIT, *later])
    command = ("check", file, "--store", record, "--format", "jsonl", "--counter", "3")
    run(*command)
    visits = len({row["visit"] for row in events(run(*command)) if row["visit"]})
    assert visits == 2
    history_before = events(run("events", "--history", "--store", record, "--format", "jsonl"))
    assert "1 of them were judged there" in run(*command, "--one-visit").stderr  # without --again nothing is added
    run(*command, "--again")  # nothing changed
    assert events(run("events", "--history", "--store", record, "--format", "jsonl")) == history_before
    judged_again = run(*command[:-2], "--one-visit", "--again")
    assert "stay as history" in judged_again.stderr
    visit = events(judged_again)[0]["visit"]
    assert ".2-1" in visit
    for words in (("--again",), ()):  # an interrupted run is continued like this
        repeated = run(*command[:-2], "--one-visit", *words)
        assert "Recorded 0" in repeated.stderr
        assert "stay as history" not in repeated.stderr
        assert events(repeated)[0]["visit"] == visit
    current = events(run("events", "--store", record, "--format", "jsonl"))
    assert {row["visit"] for row in current if row["visit"]} == {visit}
    assert {row["counter"] for row in current} == {"3"}
    history = events(run("events", "--history", "--store", record, "--format", "jsonl"))
    assert len({row["visit"] for row in history if row["visit"]}) == visits + 1
    totals = json.loads(run("report", "--store", record, "--format", "json").stdout)["tables"]["summary"]
    assert (totals[0]["id"], totals[0]["value"]) == ("visits", 1)  # history is not counted
    assert run("events", "verify", "--store", record).exit_code == 0


def test_a_recording_in_which_nothing_was_found_is_known_too(tmp_path: Path) -> None:
    record, file = tmp_path / "events.db", transcript(tmp_path / "a.jsonl", [(0.0, 1.0, "嗯")])
    for known in (0, 1):
        result = run("check", file, "--store", record)
        assert f"Recorded {1 - known}" in result.stderr
        assert ("were in it already" in result.stderr) == bool(known)

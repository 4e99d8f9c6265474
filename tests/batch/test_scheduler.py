"""Many recordings at once: the same events whoever heard them, and one that goes wrong costs no other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest
from support.command import FULL_VISIT, events, program, run, transcript
from support.odd_work import odd

from counter_listener.asr.model_files import find_model
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.batch.check import CheckOptions, CheckResult
from counter_listener.batch.scheduler import check_with_workers
from counter_listener.batch.workers import ProcessWorker
from counter_listener.cli.commands.check import places
from counter_listener.cli.terminal.progress import Pace
from counter_listener.matching.matcher import prepare_matcher
from counter_listener.phrases.phrase_file import find_phrase_set, read_phrase_set

FIXTURES = Path(__file__).parents[1] / "fixtures"
SHORT = [FIXTURES / f"{name}.wav" for name in ("no-farewell", "refusal-with-sorry", "complaint-unhandled")]


def task() -> CheckOptions:
    return CheckOptions(
        prepare_matcher(read_phrase_set(find_phrase_set("service-desk-en"))[0]), SpeechModel(find_model("counter-cn"))
    )


def copies(folder: Path, number: int) -> list[Path]:
    """Recordings that differ by some samples of silence."""
    sound = SHORT[1].read_bytes()
    files = [folder / f"{n:02}.wav" for n in range(number)]
    for n, file in enumerate(files):
        file.write_bytes(sound + bytes(2 * n + 2))
    return files


def recorded(store: Path) -> list[tuple[str, int]]:
    """Each recording with the number of its events."""
    query = "select path, (select count(*) from events where source = sha256) from recordings order by path"
    with sqlite3.connect(store, timeout=10) as database:
        return [(str(path), int(count)) for path, count in database.execute(query)]


def ready(store: Path) -> int:
    try:
        return len(recorded(store))
    except sqlite3.Error:
        return 0


def test_events_do_not_depend_on_how_many_work(tmp_path: Path) -> None:
    asked = [*SHORT, tmp_path / "missing.wav", transcript(tmp_path / "a.jsonl")]
    one, three = (
        program("check", *asked, "--format", "jsonl", "--jobs", jobs, "--store", tmp_path / f"{jobs}.db")
        for jobs in (1, 3)
    )
    assert one.stdout == three.stdout
    assert one.stdout.count('"visit_closed"') == len(SHORT) + 1
    assert (one.returncode, three.returncode) == (3, 3)
    assert recorded(tmp_path / "1.db") == recorded(tmp_path / "3.db")
    lines = [line for line in three.stderr.splitlines() if " of 5  " in line]
    assert len(lines) == len(asked)
    assert sum("could not be read" in line for line in lines) == 1


def test_a_recording_that_kills_or_holds_its_worker_costs_no_other(tmp_path: Path) -> None:
    names = ("first", "kills", "second", "kills-once", "hangs", "third")
    files = [transcript(tmp_path / f"{name}.jsonl") for name in names]
    hands = [ProcessWorker(task(), odd) for _ in range(2)]
    told: list[CheckResult] = []

    def done(results: Sequence[CheckResult]) -> Sequence[CheckResult]:
        told.extend(results)
        return results

    results = list(check_with_workers(files, hands, lambda _path: None, done, time.monotonic))
    assert [result.path.stem for result in results] == list(names)
    assert len(told) == len(names)
    errors = {result.path.stem: result.error for result in results if result.error}
    assert set(errors) == {"kills", "hangs"}
    assert "made the speech engine crash, twice" in str(errors["kills"])
    assert "more than 20 times as long as it should" in str(errors["hangs"])
    assert all(hand.process is None for hand in hands)


def test_of_transcripts_given_to_a_worker_together_only_the_one_that_kills_it_is_lost(tmp_path: Path) -> None:
    names = [*(f"{n:02}" for n in range(20)), "kills", *(f"{n:02}" for n in range(20, 40))]
    files = [transcript(tmp_path / f"{name}.jsonl") for name in names]
    sizes: list[int] = []

    class Counted(ProcessWorker):
        def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
            sizes.append(len(paths))
            return super().check(paths)

    results = list(
        check_with_workers(files, [Counted(task(), odd)], lambda _path: None, lambda results: results, time.monotonic)
    )
    assert [(result.path, bool(result.error)) for result in results] == [(file, file.stem == "kills") for file in files]
    assert max(sizes) > 1


def test_the_largest_recordings_are_begun_first_and_shown_in_their_turn(tmp_path: Path) -> None:
    files = copies(tmp_path, 5)
    files[2].write_bytes(files[2].read_bytes() + bytes(32_000))
    begun: list[Path] = []

    class Watched(ProcessWorker):
        def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
            begun.extend(paths)
            return super().check(paths)

    hands = [Watched(task()), Watched(task())]
    results = list(check_with_workers(files, hands, lambda _path: None, lambda results: results, time.monotonic))
    assert [result.path for result in results] == files
    assert begun[:3] == [files[0], files[2], files[4]]
    assert sorted(begun) == files


def test_an_only_worker_that_is_killed_costs_nothing_either(tmp_path: Path) -> None:
    files, store = [*SHORT, *copies(tmp_path, 2)], tmp_path / "events.db"
    command = [sys.executable, "-m", "counter_listener", "check", *map(str, files), "--store", str(store)]
    with subprocess.Popen([*command, "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not ready(store):
            time.sleep(0.01)
        started = psutil.Process(child.pid).children(recursive=True)
        (worker,) = [one for one in started if "resource_tracker" not in " ".join(one.cmdline()) and not one.children()]
        worker.kill()
        assert child.wait(60) == 0
    assert len(recorded(store)) == len(files)


def test_a_worker_that_dies_while_it_has_nothing_to_do_is_replaced(tmp_path: Path) -> None:
    hand = ProcessWorker(task())
    try:
        assert hand.check([transcript(tmp_path / "a.jsonl")]).result()[0].error is None
        assert hand.process
        hand.process.kill()
        hand.process.join()
        for _ in range(100):  # until its pool has noticed
            time.sleep(0.02)
            if hand.pool and hand.pool._broken:  # noqa: SLF001
                break
        assert hand.check([transcript(tmp_path / "b.jsonl")]).result()[0].error is None
    finally:
        hand.end()


SHARING = """
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from support.odd_work import shares
from counter_listener.warm import context, get_ready
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    get_ready(folder)
    with ProcessPoolExecutor(1, context()) as pool:
        print(pool.submit(shares, folder).result())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each worker loads a model of its own")
@pytest.mark.parametrize("sound", [True, False])
def test_workers_have_the_model_in_common_if_it_can_be_loaded(tmp_path: Path, *, sound: bool) -> None:
    folder = find_model("counter-cn")
    if not sound:
        folder = Path(shutil.copytree(folder, tmp_path / "damaged"))
        (folder / "am" / "final.mdl").write_bytes(b"damaged")
    script = tmp_path / "sharing.py"
    script.write_text(SHARING)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    told = subprocess.run(
        [sys.executable, script, folder], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.strip() == str(sound)
    if not sound:
        refused = program("check", *SHORT[:2], "--model", folder, "--jobs", 2, "--store", "none")
        assert refused.returncode == 2
        assert "final.mdl" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_single_recording_needs_no_worker_and_two_have_one() -> None:
    assert [places(jobs, SHORT[:1]) for jobs in (None, 1, 3)] == [0, 0, 0]
    assert places(1, SHORT[:2]) == 1
    assert places(8, SHORT) == 3


def test_no_more_is_begun_than_can_wait_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counter_listener.many.AHEAD", 2)
    files = [transcript(tmp_path / f"{n}.jsonl") for n in range(9)]
    begun: list[Path] = []

    def known(path: Path) -> CheckResult:
        begun.append(path)
        return CheckResult(path, ())

    results = check_with_workers(files, [ProcessWorker(task())], known, lambda results: results, time.monotonic)
    next(results)
    assert len(begun) <= 3
    assert [result.path for result in results] == files[1:]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
def test_invariant_4_a_run_cut_short_is_taken_up_where_it_was(tmp_path: Path, sent: signal.Signals) -> None:
    files = copies(tmp_path, 6)
    store = tmp_path / "events.db"
    command = [sys.executable, "-m", "counter_listener", "check", *map(str, files), "--store", str(store)]
    with subprocess.Popen(
        [*command, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as child:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and ready(store) < 2:
            time.sleep(0.01)
        workers = psutil.Process(child.pid).children(recursive=True)
        os.kill(child.pid, sent)
        child.wait(timeout=30)
    before = recorded(store)
    assert 2 <= len(before) < len(files)
    assert not psutil.wait_procs(workers, timeout=10)[1], "a worker outlived its parent"
    again = run("check", *files, "--store", store, "--format", "jsonl")
    assert again.exit_code == 0
    assert f"{len(before)} were in it already" in again.stderr
    assert [path for path, _ in recorded(store)] == [str(file) for file in files]
    assert {event["source"] for event in events(again)} == {str(file) for file in files}
    assert len({count for _, count in recorded(store)}) == 1
    assert run("events", "verify", "--store", store).exit_code == 0


def test_what_is_recorded_is_shown_without_being_heard_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "events.db"
    first = run("check", SHORT[0], "--store", store, "--format", "jsonl")

    def never(*_: object) -> None:
        raise AssertionError("it was checked again")

    monkeypatch.setattr("counter_listener.many.check_one", never)
    second = run("check", SHORT[0], "--store", store, "--format", "jsonl")
    assert events(second) == events(first)


def test_judged_anew_only_where_something_is_new(tmp_path: Path) -> None:
    store, file = tmp_path / "events.db", transcript(tmp_path / "a.jsonl")
    later = [(start + 300, end + 300, text) for start, end, text in FULL_VISIT]
    transcript(file, [*FULL_VISIT, *later])
    asked = ("check", file, "--store", store, "--format", "jsonl", "--counter", "3")
    run(*asked)
    assert "judged there in another way" in run(*asked, "--one-visit").stderr
    assert "1 judged anew" not in run(*asked, "--again").stderr
    anew = run(*asked[:-2], "--one-visit", "--again")
    assert "1 judged anew, whose old verdicts stay as history" in anew.stderr
    visit = events(anew)[0]["visit"]
    assert ".2-1" in visit
    for words in (("--again",), ()):  # an interrupted run is taken up like this
        told = run(*asked[:-2], "--one-visit", *words)
        assert "Recorded 0" in told.stderr
        assert "judged anew" not in told.stderr
        assert events(told)[0]["visit"] == visit
    current = events(run("events", "--store", store, "--format", "jsonl"))
    assert {row["visit"] for row in current if row["visit"]} == {visit}
    assert {row["counter"] for row in current} == {"3"}
    history = events(run("events", "--history", "--store", store, "--format", "jsonl"))
    assert len({row["visit"] for row in history if row["visit"]}) == 3
    totals = json.loads(run("report", "--store", store, "--format", "json").stdout)["tables"]["summary"]
    assert (totals[0]["id"], totals[0]["value"]) == ("visits", 1)  # history counts nowhere
    assert run("events", "verify", "--store", store).exit_code == 0


def test_a_recording_in_which_nothing_was_found_is_known_too(tmp_path: Path) -> None:
    store, file = tmp_path / "events.db", transcript(tmp_path / "a.jsonl", [(0.0, 1.0, "嗯")])
    for known in (0, 1):
        told = run("check", file, "--store", store)
        assert f"Recorded {1 - known}" in told.stderr
        assert ("were in it already" in told.stderr) == bool(known)


def ticking() -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += 10.0


def test_the_pace_counts_what_was_heard_and_not_what_was_known() -> None:
    clock = ticking()
    pace = Pace(3, lambda: next(clock), 0.0)
    next(clock)
    heard, known = (
        CheckResult(Path("a.wav"), (), seconds=600.0),
        CheckResult(Path("b.wav"), (), seconds=900.0, recalled=True),
    )
    assert pace.line(heard) == "1 of 3  a.wav  10:00, 0 visits  (60 x real time)"
    assert "in the record already  (30 x" in pace.line(known)
    assert pace.told() == "2/3 files, 1 known, 0.2 h, 20x"

"""`check`: what it prints, records and exits with."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.command import FULL_VISIT, RUDE_VISIT, events, program, run, transcript
from support.small_counter import SMALL, SMALL_FILE

from counter_listener.domain import bundled_folder

SMALL_SET = ("--phrases", str(SMALL_FILE))
"""It is ready in a third of the time of bank-counter."""
KEYS = {"source", "visit", "kind", "stage", "phrase", "verdict", "at", "score", "heard"}
KINDS = {"visit_opened", "phrase", "forbidden", "rule", "visit_closed", "gap", "error"}
RECORDING = bundled_folder("recordings") / "no-greeting.wav"
SHORT = Path(__file__).parents[1] / "fixtures" / "refusal-with-sorry.wav"


def rows(store: Path) -> int:
    with sqlite3.connect(store) as database:
        (count,) = database.execute("select count(*) from events").fetchone()
    return int(count)


def test_json_lines_hold_every_key_in_order_of_time(tmp_path: Path) -> None:
    result = run("check", transcript(tmp_path / "a.jsonl"), "--format", "jsonl", "--store", "none")
    shown = events(result)
    assert result.exit_code == 0
    assert all(set(event) >= KEYS and event["kind"] in KINDS for event in shown)
    assert [event["at"] for event in shown] == sorted(event["at"] for event in shown)
    assert shown[0]["kind"] == "visit_opened"
    closed = shown[-1]
    assert (closed["kind"], closed["score"], closed["grade"]) == ("visit_closed", 100.0, "优秀")
    assert closed["counts"]["heard"] == closed["counts"]["owed"]


def test_invariant_9_a_spreadsheet_cannot_be_tricked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = transcript(tmp_path / "a.jsonl").rename(tmp_path / "=HYPERLINK(1).jsonl")
    monkeypatch.chdir(tmp_path)
    result = run("check", hostile.name, "--format", "csv", "--store", "none", "--counter", "@cmd")
    table = list(csv.DictReader(io.StringIO(result.stdout)))
    assert set(table[0]) >= KEYS
    assert {row["source"] for row in table} == {"'=HYPERLINK(1).jsonl"}
    assert {row["counter"] for row in table} == {"'@cmd"}
    assert [row["kind"] for row in table][-1] == "visit_closed"


def test_the_table_ticks_and_crosses_every_step(tmp_path: Path) -> None:
    good = run("check", transcript(tmp_path / "a.jsonl"), "--store", "none").stdout
    for text in ("迎接客户", "满足需求", "送别客户", "✓ 问候语", "Score 100", "优秀", "1 of 1 visits pass", "0:02"):
        assert text in good
    assert "✗" not in good
    bad = run("check", transcript(tmp_path / "b.jsonl", RUDE_VISIT), "--store", "none").stdout
    for text in ("✗ 问候语", "forbidden", "不归我管", "rule broken", "Score 0", "Most often not heard"):
        assert text in bad


def test_invariant_9_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    hostile = transcript(tmp_path / "a.jsonl", [(0, 1, "您\x1b[31m好"), *FULL_VISIT]).rename(tmp_path / "\x1b[2J.jsonl")
    for form in ("table", "jsonl", "csv"):
        result = run("check", hostile, "--format", form, "--store", "none")
        assert "\x1b" not in result.output


def test_exit_code_1_is_for_visits_below_the_threshold_only(tmp_path: Path) -> None:
    good, bad = transcript(tmp_path / "a.jsonl"), transcript(tmp_path / "b.jsonl", RUDE_VISIT)
    assert run("check", good, bad, "--store", "none").exit_code == 0
    assert run("check", good, "--store", "none", "--fail-under", 90).exit_code == 0
    assert run("check", good, bad, "--store", "none", "--fail-under", 90).exit_code == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "nothing-of-the-kind"], "There is no model 'nothing-of-the-kind'"),
        (["--phrases", "bank-countr"], "did you mean 'bank-counter'?"),
        (["--phrases", "missing.toml"], "missing.toml does not exist"),
        (["--started", "yesterday"], "yesterday"),
        (["--fail-under", "101"], "fail-under"),
        (["--format", "xml"], "xml"),
        (["--fail-under", "nan"], "a number from 0 to 100"),
        (["--started", "9999-12-31 23:59:50"], "is not a time"),
        (["--started", ""], "is not a time"),
        (["--store", ""], "is not a record"),
        (["--store", ":memory:"], "is not a record"),
    ],
)
def test_exit_code_2_is_for_what_cannot_be_used(tmp_path: Path, options: list[str], message: str) -> None:
    stored = [] if "--store" in options else ["--store", "none"]
    result = run("check", transcript(tmp_path / "a.jsonl"), *stored, *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_phrase_set_whose_example_fails_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "branch.toml"
    file.write_text(SMALL + '\n[[example]]\nheard = "今天天气不错"\nexpect = ["hello"]\n', encoding="utf-8")
    result = run("check", transcript(tmp_path / "a.jsonl"), "--store", "none", "--phrases", file)
    assert result.exit_code == 2
    assert "the example '今天天气不错' fails: hello was not found" in result.stderr


def damaged(folder: Path) -> dict[str, Path]:
    """One file for each way in which an input can fail to be a recording."""
    whole = RECORDING.read_bytes()
    contents = {
        "empty.wav": b"",
        "text.wav": b"this is not audio",
        "cut-header.wav": whole[:30],
        "no-data.wav": whole[:40] + bytes(4),
        "zeros.wav": whole[:44] + bytes(len(whole) - 44),
        "broken.jsonl": b'{"start": 0, "end": ',
        "noise.mp3": os.urandom(3000),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "bare").mkdir()
    named = {name: folder / name for name in contents}
    return {**named, "missing": folder / "missing.wav", "long": folder / ("x" * 300), "bare": folder / "bare"}


def test_bad_inputs_get_one_sentence_each_and_the_others_are_still_checked(tmp_path: Path) -> None:
    bad = damaged(tmp_path)
    good = transcript(tmp_path / "good.jsonl")
    store = tmp_path / "events.db"
    result = run("check", *bad.values(), good, "--format", "jsonl", "--store", store, "--quiet")
    assert result.exit_code == 3
    shown = events(result)
    assert [event["source"] for event in shown if event["kind"] == "error"] == [str(path) for path in bad.values()]
    assert shown[-1]["source"] == str(good)
    lines = result.stderr.splitlines()
    assert len(lines) == len(bad)
    assert all(line.startswith("Error: ") and str(path) in line for line, path in zip(lines, bad.values(), strict=True))
    assert rows(store) == sum(event["kind"] != "error" for event in shown)


def test_a_pattern_without_a_file_and_a_folder_searched_recursively(tmp_path: Path) -> None:
    deep = tmp_path / "monday" / "counter 3"
    deep.mkdir(parents=True)
    transcript(deep / "a.jsonl")
    (deep / "notes.txt").write_text("not a recording")
    for path in (tmp_path, tmp_path / "*" / "*" / "*.jsonl", tmp_path / "**" / "*.jsonl"):
        shown = events(run("check", path, "--format", "jsonl", "--store", "none"))
        left_out = [event for event in shown if event["kind"] == "left_out"]
        assert {event["source"] for event in shown if event not in left_out} == {str(deep / "a.jsonl")}
        assert [event["files"] for event in left_out] == ([[str(deep / "notes.txt")]] if path == tmp_path else [])
    nothing = run("check", tmp_path / "*.mp3", "--store", "none")
    assert (nothing.exit_code, "no file matches this pattern" in nothing.stderr) == (3, True)


def test_invariant_4_the_same_recording_adds_nothing_whatever_its_name(tmp_path: Path) -> None:
    store, first = tmp_path / "events.db", transcript(tmp_path / "a.jsonl")
    run("check", first, "--store", store)
    recorded = rows(store)
    copy = Path(shutil.copy(first, tmp_path / "b.jsonl"))
    result = run("check", first, copy, "--store", store)
    assert result.exit_code == 0
    assert "Recorded 0" in result.stderr
    assert "2 were in it already" in result.stderr
    assert rows(store) == recorded > 0


def test_without_a_record_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    run("check", transcript(tmp_path / "a.jsonl"), "--store", "none")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.jsonl"]
    run("check", tmp_path / "a.jsonl")
    assert (tmp_path / "data" / "counter-listener" / "events.db").is_file()


def test_the_start_time_is_from_the_option_the_name_or_unknown(tmp_path: Path) -> None:
    def opened(file: Path, *words: str) -> tuple[str | None, str]:
        event = events(run("check", file, "--format", "jsonl", "--store", "none", *words))[0]
        return event["wall"], event["started_from"]

    plain = transcript(tmp_path / "a.jsonl")
    named = transcript(tmp_path / "2026-01-15_09-30-00.jsonl")
    assert opened(plain) == (None, "unknown")
    wall, how = opened(named)
    assert ((wall or "")[:19], how) == ("2026-01-15T09:30:00", "file name")
    wall, how = opened(named, "--started", "2026-02-01 08:00")
    assert ((wall or "")[:19], how) == ("2026-02-01T08:00:00", "given")


def test_one_visit_is_one_visit(tmp_path: Path) -> None:
    later = [(start + 200, end + 200, text) for start, end, text in FULL_VISIT]
    two = transcript(tmp_path / "a.jsonl", [*FULL_VISIT, *later])
    closed = [
        e for e in events(run("check", two, "--format", "jsonl", "--store", "none")) if e["kind"] == "visit_closed"
    ]
    assert len(closed) == 2
    once = events(run("check", two, "--format", "jsonl", "--store", "none", "--one-visit"))
    assert sum(event["kind"] == "visit_closed" for event in once) == 1


def test_a_file_that_is_not_a_record_ends_the_program_with_exit_code_4(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"this is not a database, but it is long enough to look like one" * 20)
    result = run("check", transcript(tmp_path / "a.jsonl"), "--store", tmp_path / "events.db")
    assert result.exit_code == 4
    assert len(result.stderr.splitlines()) == 1
    assert run("check", tmp_path / "a.jsonl", "--store", tmp_path).exit_code == 4
    assert run("check", tmp_path / "a.jsonl", "--store", "mysql://somewhere/events").exit_code == 4


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and a limit on file sizes")
def test_a_full_disk_and_a_read_only_one(tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.jsonl" for n in range(30)]
    files = [transcript(file, [*FULL_VISIT, (30 + n / 10, 31 + n / 10, "好的")]) for n, file in enumerate(files)]
    store = tmp_path / "events.db"
    assert run("check", files[0], *SMALL_SET, "--store", store, "--quiet").exit_code == 0
    limit = f"ulimit -f {store.stat().st_size // 1024 + 24}; exec "
    command = " ".join(
        [sys.executable, "-m", "counter_listener", "check", *map(str, files), *SMALL_SET, "--store", str(store)]
    )
    full = subprocess.run(
        ["bash", "-c", limit + command + " --jobs 1 --format jsonl"], capture_output=True, encoding="utf-8", check=False
    )
    assert full.returncode == 4
    assert full.stdout.count('"visit_closed"') == len(files)
    assert 0 < full.stderr.count("was checked but not recorded") < len(files) - 1
    assert "Traceback" not in full.stderr
    before = rows(store)
    assert run("events", "verify", "--store", store).exit_code == 0
    assert run("check", *files, *SMALL_SET, "--store", store, "--quiet", "--jobs", 1).exit_code == 0
    assert rows(store) > before
    read_only = run("check", files[0], *SMALL_SET, "--store", "/proc/events.db")
    assert read_only.exit_code == 4
    assert len(read_only.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", ["table", pytest.param("csv", marks=pytest.mark.slow)])
def test_output_that_cannot_be_written_is_reported_and_recording_continues(tmp_path: Path, form: str) -> None:
    files = [transcript(tmp_path / f"{n}.jsonl", [*FULL_VISIT, (30 + n, 31 + n, "好的")]) for n in range(5)]
    store = tmp_path / "events.db"
    command = [sys.executable, "-m", "counter_listener", "check", *map(str, files), *SMALL_SET, "--jobs", "1"]
    with Path("/dev/full").open("w") as full:
        listed = [*command, "--store", str(tmp_path / "first.db"), "--format", form, "--quiet"]
        failed = subprocess.run(listed, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (failed.returncode, len(failed.stderr.splitlines())) == (4, 1)
        assert recorded(tmp_path / "first.db") == len(files)
        help_ = [sys.executable, "-m", "counter_listener", "--help"]
        shown = subprocess.run(help_, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (shown.returncode, len(shown.stderr.splitlines())) == (4, 1)
    line = " ".join([*command, "--store", str(store), "--format", form]) + " | head -1"
    piped = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
    assert piped.returncode == 0
    assert "Traceback" not in piped.stderr
    assert recorded(store) == len(files)


def test_a_progress_bar_on_a_terminal_and_none_in_a_pipe() -> None:
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    command = [sys.executable, "-m", "counter_listener", "check", str(SHORT), *SMALL_SET, "--store", "none"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    ) as child:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:
                break
        assert child.wait() == 0
    os.close(ours)
    assert SHORT.name.encode() in shown
    assert "━".encode() in shown
    assert run("check", SHORT, *SMALL_SET, "--store", "none").stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_an_interrupt_keeps_what_was_recorded_and_says_so(tmp_path: Path) -> None:
    store = tmp_path / "events.db"
    first = transcript(tmp_path / "a.jsonl")
    long = [RECORDING.parent / "three-visits.wav"] * 1 + [
        Path(shutil.copy(RECORDING, tmp_path / f"{n}.wav")) for n in range(9)
    ]
    for n, copy in enumerate(long[1:]):
        copy.write_bytes(copy.read_bytes() + bytes(2 * n + 2))
    command = [
        sys.executable,
        "-m",
        "counter_listener",
        "check",
        str(first),
        *map(str, long),
        *SMALL_SET,
        "--store",
        str(store),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8") as child:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (store.exists() and recorded(store)):
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        _, notes = child.communicate(timeout=30)
    assert child.returncode == 130
    assert notes.splitlines()[-1].startswith("Interrupted; ")
    assert recorded(store) >= 1
    assert run("events", "verify", "--store", store).exit_code == 0


def recorded(store: Path) -> int:
    try:
        with sqlite3.connect(store) as database:
            (count,) = database.execute("select count(*) from recordings").fetchone()
    except sqlite3.Error:
        return 0
    return int(count)


def test_only_the_words_of_hits_are_written(tmp_path: Path) -> None:
    said = [
        "我要取两万块钱给我女儿",
        "我的号码是幺二三四五六七八九零幺二三四五六七八",
        "卡号六二二二零二零零一二三四",
        "家住长安街五号",
    ]
    lines = [*FULL_VISIT, *((30.0 + n, 30.9 + n, text) for n, text in enumerate(said))]
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "TMPDIR": str(home)}
    talk = transcript(tmp_path / "a.jsonl", lines)
    result = program("check", talk, SHORT, *SMALL_SET, "--counter", "3", env=environment)
    assert result.returncode == 0
    written = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert "您好欢迎光临".encode() in written
    sound = SHORT.read_bytes()[4000:8000]
    assert sound not in written
    for text in said:
        for fragment in (text[i : i + 4] for i in range(len(text) - 3)):
            assert fragment.encode() not in written
            assert fragment not in result.stdout + result.stderr

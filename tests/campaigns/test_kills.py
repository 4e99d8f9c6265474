"""Kills at random moments: of listeners, of `check` and of `purge`. Seeded; the long campaigns are marked slow."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter as Count
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from support.command import FULL_VISIT, RUDE_VISIT, transcript
from support.record_cases import DAY, NOW, recorded_as, run_child, visit_events
from support.small_counter import SMALL, SMALL_FILE

from counter_listener.domain import RecordError
from counter_listener.record import Row, open_record

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(scope="module")
def sooner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phrase set with visits that close after a few seconds without speech."""
    text = SMALL.replace("quiet = 20", "quiet = 2").replace("idle = 120", "idle = 3")
    assert "quiet = 2\n" in text
    assert "idle = 3\n" in text
    file = tmp_path_factory.mktemp("phrases") / "sooner.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("scene", "kills", "seed"),
    [
        ("visits", 3, 11),
        pytest.param("talk", 6, 12, marks=pytest.mark.slow),
        pytest.param("visits", 200, 13, marks=pytest.mark.campaign),
        pytest.param("talk", 300, 14, marks=pytest.mark.campaign),
    ],
)
def test_killed_listeners_lose_nothing_that_was_sent_and_accuse_nobody(
    tmp_path: Path, sooner: Path, scene: str, kills: int, seed: int
) -> None:
    """Each is killed at a random moment, also right after it has begun; the next one continues the visit."""
    path = tmp_path / "events.db"
    words = [sys.executable, *map(str, (SUPPORT / "live_child.py", path, sooner, scene, kills, seed))]
    shown = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, timeout=3000)
    assert shown.returncode == 0, shown.stderr
    sent = [event for line in shown.stdout.splitlines() for event in json.loads(line)]
    with open_record(path, create=False) as record:
        rows = list(record.read())
        assert record.verify().broken is None
    there = Count((row.kind, row.at, row.phrase) for row in rows)
    assert not Count((one["kind"], one["at"], one["phrase"]) for one in sent) - there
    assert len(sent) > kills
    judged = Count((row.visit, row.phrase) for row in rows if row.kind == "phrase" and '"scenario"' not in row.detail)
    assert not [one for one, times in judged.items() if times > 1]
    assert not [row for row in rows if row.verdict == "not_heard"]
    opened = {row.visit for row in rows if row.kind == "visit_opened"}
    assert opened == {row.visit for row in rows if row.kind == "visit_closed"}
    assert len(opened) > kills // 10


INPUTS = 30


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for number in range(INPUTS):
        lines = [*(RUDE_VISIT if number % 3 else FULL_VISIT), (40.0, 42.0 + number, "我们下次再说吧")]
        transcript(folder / f"{number:02}.jsonl", lines)
    return folder


def checking(inputs: Path, store: Path) -> subprocess.Popen[str]:
    """A running `check` that keeps transcripts and prints each result as it is recorded."""
    options = ("--store", store, "--phrases", SMALL_FILE, "--keep-transcripts", "--format", "jsonl", "--jobs", 1)
    words = map(str, ("check", inputs, *options))
    command = [sys.executable, "-u", "-m", "counter_listener", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")


def facts(store: Path) -> dict[str, list[tuple[object, ...]]]:
    """The events of each recording, without what depends on when and in which order they were recorded."""
    with open_record(store, create=False) as record:
        assert record.verify().broken is None
        found: dict[str, list[tuple[object, ...]]] = {row.sha256: [] for row in record.recordings()}
        for row in record.read():
            found[row.source].append((row.uid, row.at, row.kind, row.phrase, row.verdict, row.heard, row.detail))
    return found


@pytest.mark.slow  # test_scheduler kills one every day, and test_watch a watch
@pytest.mark.parametrize(("kills", "seed"), [(2, 21), pytest.param(60, 22, marks=pytest.mark.campaign)])
def test_a_killed_check_loses_nothing_that_it_has_shown_and_doubles_nothing(
    inputs: Path, tmp_path: Path, kills: int, seed: int
) -> None:
    rng, store = random.Random(seed), tmp_path / "events.db"  # noqa: S311
    shown: set[str] = set()
    for number in range(kills):
        if number % 10 == 9:  # from the beginning, or most kills would find everything recorded
            shutil.rmtree(f"{store}.transcripts", ignore_errors=True)
            store.unlink(missing_ok=True)
            shown.clear()
        with checking(inputs, store) as process:
            assert process.stdout is not None
            for _ in range(rng.choice((0, 1, 30, 90, 150))):
                with suppress(ValueError, KeyError):
                    shown.add(json.loads(process.stdout.readline())["source"])
            process.kill()
        if store.exists() and store.stat().st_size:
            with suppress(RecordError), open_record(store, create=False) as record:
                assert shown <= {row.path for row in record.recordings()}
    with checking(inputs, store) as process:
        process.communicate()
        assert process.returncode == 0
    with checking(inputs, tmp_path / "plain.db") as process:
        process.communicate()
    assert facts(store) == facts(tmp_path / "plain.db")
    folder = Path(f"{store}.transcripts")
    assert {each.stem for each in folder.glob("*.jsonl")} == facts(store).keys()


@pytest.fixture(scope="module")
def to_purge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed record of many recordings, half of which are to be purged."""
    path = tmp_path_factory.mktemp("purge") / "record.db"
    with open_record(path, key_file=path.with_name("key.pem")) as record, record.transaction():
        for number in range(60):
            recording, origin = recorded_as(number, NOW + (number % 4 - 2) * DAY)
            path_of = replace(recording, path=f"/trace-{number % 4}/{number}.wav")
            record.add_recording(path_of, visit_events(1), origin, NOW + 3 * DAY)
    return path


def rows_of(path: Path) -> list[Row]:
    with open_record(path, create=False) as record:
        assert record.verify().broken is None
        return [row for row in record.read() if row.kind != "purge"]


@pytest.mark.parametrize("share", [0.03, pytest.param(1.0, marks=pytest.mark.campaign)])
def test_a_purge_killed_at_any_statement_is_undone_or_finished_by_the_next(
    to_purge: Path, tmp_path: Path, share: float
) -> None:
    def copied(name: str) -> Path:
        shutil.copy(to_purge.with_name("key.pem"), tmp_path)
        return Path(shutil.copy(to_purge, tmp_path / name))

    code, output = run_child("die_at_statement", copied("plain.db"), 10**6)
    assert code == 0
    before, after = rows_of(to_purge), rows_of(tmp_path / "plain.db")
    assert len(after) == len(before) // 2
    statements = range(1, int(output) + 1)
    numbers = sorted(random.Random(23).sample(statements, max(2, round(share * len(statements)))))  # noqa: S311
    code, output = run_child("die_at_statements", copied("whole.db"), *numbers)
    assert (code, json.loads(output)) == (0, [-signal.SIGKILL] * len(numbers))
    for number in numbers:
        path = tmp_path / f"{number}.db"
        assert rows_of(path) in (before, after)
        with open_record(path, key_file=path.with_name("key.pem")) as record:
            record.purge(NOW, NOW + 2 * DAY)
        assert rows_of(path) == after
        content = b"".join(each.read_bytes() for each in tmp_path.glob(f"{number}.db*"))
        assert b"/trace-0/" not in content
        assert b"/trace-3/" in content

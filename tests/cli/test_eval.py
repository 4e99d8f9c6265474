"""`eval`: the scores of labelled recordings and transcripts, as a user sees them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.command import events, run, transcript
from support.small_counter import SMALL

from counter_listener.evaluation.baselines import BASELINES
from counter_listener.evaluation.evaluation import BASELINE_NAMES, OURS
from counter_listener.record import ReviewRequest, open_record, review

FIXTURES = Path(__file__).parents[1] / "fixtures"
VISIT = (
    (0.0, 2.0, "您好，欢迎光临"),
    (2.5, 5.0, "请问您办理什么业务"),
    (6.0, 8.0, "我要取两万块钱"),
    (25.0, 27.0, "请慢走"),
)
SAID = (("hello", 0.0, 2.0), ("ask-need", 2.5, 5.0), ("goodbye", 25.0, 27.0))
RUDE = ((0.0, 2.0, "我要取两万块钱"), (3.0, 5.0, "这事不归我管"))


def score(labels: Path, *options: object) -> Result:
    """Runs `eval` with the phrase set of the small counter."""
    phrases = labels.with_name("small.toml")
    phrases.write_text(SMALL, encoding="utf-8")
    return run("eval", labels, "--phrases", phrases, *options)


def label(file: str, seconds: float, said: Iterable[tuple[str, float, float]]) -> dict[str, Any]:
    return {"file": file, "seconds": seconds, "said": [{"id": i, "start": a, "end": b} for i, a, b in said]}


def written(folder: Path, *entries: dict[str, Any]) -> Path:
    file = folder / "labels.jsonl"
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in entries), encoding="utf-8")
    return file


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A full visit with all its phrases labelled, and a rude one with its offence labelled."""
    transcript(tmp_path / "full.jsonl", VISIT)
    transcript(tmp_path / "rude.jsonl", RUDE)
    return written(tmp_path, label("full.jsonl", 1800, SAID), label("rude.jsonl", 1800, [("not-mine", 3.0, 5.0)]))


def rows(result: Result) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(row["method"], row["id"]): row for row in events(result)}


def test_matcher_and_baselines_in_all_and_for_each_phrase(labels: Path) -> None:
    scores = rows(score(labels, "--format", "jsonl"))
    assert {method for method, _ in scores} == {OURS, *BASELINE_NAMES.values()}
    whole = scores[OURS, None]
    assert (whole["owed"], whole["hits"], whole["misses"], whole["false_alarms"]) == (4, 4, 0, 0)
    assert (whole["precision"], whole["recall"], whole["f1"], whole["threshold"]) == (1, 1, 1, None)
    assert whole["recall_95"] == [pytest.approx(0.5101, abs=1e-4), 1]
    assert scores[OURS, "hello"]["owed"] == 1
    for kind in BASELINES:
        baseline = scores[BASELINE_NAMES[kind], None]
        assert baseline["owed"] == 4
        assert 0 <= baseline["f1_95"][0] <= baseline["f1"] <= baseline["f1_95"][1] <= 1
        assert 50 <= baseline["threshold"] <= 100


def test_misses_and_false_alarms(tmp_path: Path) -> None:
    transcript(tmp_path / "full.jsonl", VISIT)
    late = [("thanks", 6.0, 8.0), ("goodbye", 14.0, 16.0)]
    scores = rows(score(written(tmp_path, label("full.jsonl", 1800, late)), "--format", "jsonl"))
    whole = scores[OURS, None]
    assert (whole["owed"], whole["hits"], whole["misses"]) == (2, 0, 2)
    assert whole["false_alarms"] >= len(SAID)
    assert whole["false_alarms_an_hour"] == 2 * whole["false_alarms"]
    assert (scores[OURS, "goodbye"]["misses"], scores[OURS, "goodbye"]["false_alarms"]) == (1, 1)
    assert whole["f1_95"] is None


def test_the_table_shows_what_the_lines_hold(labels: Path) -> None:
    shown = score(labels).stdout
    for word in (
        "in all",
        "exact text",
        "rapidfuzz, pinyin",
        "hello",
        "您好",
        "not-mine",
        "1.000 0.510-1.000",
    ):
        assert word in shown
    assert "2 files, 1:00:00 in all" in shown
    assert "which is an advantage" in shown


def test_recordings_are_recognised_by_the_model(tmp_path: Path) -> None:
    name = "refusal-without-sorry"
    expected = json.loads((FIXTURES / f"{name}.expected.json").read_text(encoding="utf-8"))
    known = {"hello", "ask-need", "goodbye"}
    said = [(each["id"], each["start"], each["end"]) for each in expected["visits"][0]["said"] if each["id"] in known]
    assert len(said) == len(known)
    labels = written(tmp_path, label(str(FIXTURES / f"{name}.wav"), expected["made"]["seconds"], said))
    whole = rows(score(labels, "--format", "jsonl"))[OURS, None]
    assert (whole["owed"], whole["hits"], whole["misses"]) == (3, 3, 0)


@pytest.mark.slow
def test_with_the_whole_set_skipping_silence_changes_nothing(tmp_path: Path) -> None:
    expected = json.loads((FIXTURES / "forbidden.expected.json").read_text(encoding="utf-8"))
    said = [(each["id"], each["start"], each["end"]) for visit in expected["visits"] for each in visit["said"]]
    labels = written(tmp_path, label(str(FIXTURES / "forbidden.wav"), expected["made"]["seconds"], said))
    scores = rows(run("eval", labels, "--format", "jsonl"))
    assert scores == rows(run("eval", labels, "--format", "jsonl", "--no-skip-silence"))
    whole = scores[OURS, None]
    assert whole["owed"] == len(said)
    assert whole["misses"] == 0
    assert whole["f1"] >= scores[BASELINE_NAMES["exact"], None]["f1"]


def test_exit_codes(labels: Path, tmp_path: Path) -> None:
    assert score(labels, "--min-f1", "1").exit_code == 0
    gone = tmp_path / "gone"
    gone.mkdir()
    transcript(gone / "full.jsonl", VISIT)
    half = written(gone, label("full.jsonl", 1800, [*SAID, ("thanks", 12.0, 13.0)]))
    assert score(half, "--min-f1", "0.9").exit_code == 1
    assert score(half, "--min-f1", "0.8").exit_code == 0
    assert score(half, "--min-f1", "1.5").exit_code == 2
    nan = score(half, "--min-f1", "nan")
    assert (nan.exit_code, "from 0 to 1" in nan.stderr) == (2, True)


def test_min_f1_without_an_f1_is_an_error(tmp_path: Path) -> None:
    transcript(tmp_path / "quiet.jsonl", [(0.0, 2.0, "今天天气真不错")])
    labels = written(tmp_path, label("quiet.jsonl", 60, []))
    assert rows(score(labels, "--format", "jsonl"))[OURS, None]["f1"] is None
    asked = score(labels, "--min-f1", "0.5")
    assert (asked.exit_code, "there is none" in asked.stderr) == (2, True)


def test_files_that_cannot_be_read_are_reported_and_the_others_scored(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("nothing", encoding="utf-8")
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    with labels.open("a", encoding="utf-8") as file:
        for name in ("bad.jsonl", "bad.wav"):
            file.write(json.dumps(label(name, 60, [])) + "\n")
    result = score(labels, "--format", "jsonl")
    assert result.exit_code == 3
    assert rows(result)[OURS, None]["hits"] == 4
    assert "bad.jsonl, line 1" in result.stderr
    assert "bad.wav" in result.stderr
    assert "Traceback" not in result.stderr
    nothing = score(written(tmp_path, label("bad.jsonl", 60, [])))
    assert (nothing.exit_code, nothing.stdout) == (3, "")


def test_bad_labels_are_one_sentence_and_exit_3(tmp_path: Path) -> None:
    transcript(tmp_path / "full.jsonl", VISIT)
    bad = written(tmp_path, label("full.jsonl", 60, [("helo", 0.0, 1.0)]))
    result = score(bad)
    assert result.exit_code == 3
    assert result.stderr.startswith("Error: ")
    assert "labels.jsonl, line 1" in result.stderr
    assert "did you mean 'hello'?" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_hostile_label_cannot_control_the_terminal(tmp_path: Path) -> None:
    result = score(written(tmp_path, label("\x1b[2J\u202e.wav", 60, [])))
    assert result.exit_code == 3
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr


def test_the_sweep_is_the_same_picture_each_time(labels: Path, tmp_path: Path) -> None:
    png, svg, again = (tmp_path / name for name in ("sweep.png", "sweep.svg", "again.SVG"))
    for file in (png, svg, again):
        assert score(labels, "--sweep", file).exit_code == 0
    assert png.read_bytes().startswith(b"\x89PNG")
    assert ET.fromstring(svg.read_bytes()).tag.endswith("svg")  # noqa: S314 - our own file
    assert svg.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("sweep.jpg", "must end in .png or .svg"), ("nowhere/sweep.png", "there is no folder"), ("", "must end in")],
)
def test_a_sweep_that_cannot_be_drawn_is_refused_before_the_work(
    labels: Path, tmp_path: Path, name: str, reason: str
) -> None:
    result = score(labels, "--sweep", tmp_path / name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr


def test_a_sweep_that_cannot_be_written_is_one_sentence(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "sweep.png").mkdir()
    result = score(labels, "--sweep", tmp_path / "sweep.png")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_without_matplotlib_one_sentence_names_the_remedy(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = score(labels, "--sweep", labels.with_name("sweep.png"))
    assert result.exit_code == 2
    assert "pip install 'counter-listener[eval]'" in result.stderr
    assert score(labels).exit_code == 0


def test_evaluating_without_a_sweep_imports_no_matplotlib(labels: Path) -> None:
    small = labels.with_name("small.toml")
    small.write_text(SMALL, encoding="utf-8")
    code = (
        "import sys; from counter_listener.cli import cli\n"
        f"try: cli(['eval', {str(labels)!r}, '--phrases', {str(small)!r}])\n"
        "except SystemExit as done: sys.exit(done.code or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_the_same_labels_give_the_same_intervals(labels: Path) -> None:
    first, second = (rows(score(labels, "--format", "jsonl")) for _ in range(2))
    assert first == second
    assert all(math.isfinite(row["false_alarms_an_hour"]) for row in first.values())


def test_reviews_of_a_record_are_labels(tmp_path: Path) -> None:
    store, phrases = tmp_path / "events.db", tmp_path / "small.toml"
    phrases.write_text(SMALL, encoding="utf-8")
    made = transcript(tmp_path / "visit.jsonl", VISIT, speaker="clerk")
    words = ("--phrases", phrases, "--store", store)
    assert run("check", made, *words, "--key", "none").exit_code == 0
    none = run("eval", "--reviews", *words)
    assert none.exit_code == 3
    assert "no recording of which every visit was reviewed to its end" in none.stderr
    with open_record(store) as record:
        visit = next(row.visit for row in record.read() if row.visit)
        last = max(row.seq for row in record.read())
        review(record, ReviewRequest(visit, "uphold", "anna", last), datetime.now(UTC), [])
    scored = run("eval", "--reviews", *words, "--format", "jsonl", "--quiet")
    assert scored.exit_code == 0, scored.stderr
    ours = json.loads(scored.stdout.splitlines()[0])
    assert (ours["owed"], ours["hits"], ours["false_alarms"]) == (3, 3, 0)


@pytest.mark.parametrize("words", [(), ("labels.jsonl", "--reviews")])
def test_labels_come_from_a_file_or_from_reviews(words: tuple[str, ...]) -> None:
    result = run("eval", *words)
    assert result.exit_code == 2
    assert "Name a file of labels, or add --reviews" in result.stderr

"""Measuring a model: what is counted right and wrong, and the command from labels to a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from counter_listener.asr.model_files import find_model
from counter_listener.cli.options import DEFAULT_MODEL
from counter_listener.domain.resources import bundled_folder
from counter_listener.domain.types import Word
from models.build.measure import main
from models.build.measuring.choices import longest, spelt
from models.build.measuring.sets import Truth
from models.build.measuring.texts import Errors, added, errors_by_kind, percentile, time_errors

FIXTURES = bundled_folder("recordings")


def truth(text: str, kind: str = "known", start: float = 0.0, pace: float = 0.25) -> Truth:
    """A line at an even pace."""
    times = tuple((start + pace * i, start + pace * (i + 1)) for i in range(len(text)))
    return Truth(text, kind, "f3", times)


def heard(*words: tuple[str, float, float]) -> list[Word]:
    return [Word(*word) for word in words]


def test_errors_are_counted_where_they_were_made() -> None:
    lines = [truth("请问您好", "known"), truth("今天下雨", "new", start=2.0)]
    words = heard(("请问", 0.0, 0.5), ("你", 0.5, 0.7), ("好", 0.7, 1.0), ("今天", 2.0, 2.5), ("下", 2.5, 2.7))
    assert errors_by_kind(lines, words, by_sound=False) == {"known": Errors(4, 1), "new": Errors(4, 1)}


def test_homophones_are_wrong_in_characters_and_right_by_sound() -> None:
    lines, words = [truth("再见")], heard(("在建", 0.0, 0.5))
    assert errors_by_kind(lines, words, by_sound=False)["known"].rate == 1.0
    assert errors_by_kind(lines, words, by_sound=True)["known"].rate == 0.0


def test_nothing_heard_is_all_lost_and_what_is_put_in_counts() -> None:
    assert errors_by_kind([truth("再见")], [], by_sound=False) == {"known": Errors(2, 2)}
    assert errors_by_kind([truth("再见")], heard(("再见", 0, 1), ("的", 1, 2)), by_sound=False) == {
        "known": Errors(2, 1)
    }


def test_errors_of_recordings_add_up() -> None:
    assert added([{"new": Errors(4, 1)}, {"new": Errors(6, 2), "known": Errors(1, 0)}]) == {
        "new": Errors(10, 3),
        "known": Errors(1, 0),
    }


def test_word_times_are_told_of_words_heard_right_alone() -> None:
    lines = [truth("请问您好")]
    words = heard(("请问", 0.02, 0.47), ("你", 0.5, 0.7), ("好", 0.71, 1.0))
    (first, last) = time_errors(lines, words)
    assert first == pytest.approx((0.02, -0.03))
    assert last == pytest.approx((-0.04, 0.0))


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([float(n) for n in range(100)], 0.95) == 95.0
    assert percentile([], 0.95) == 0.0


def test_a_grammar_spells_with_the_words_that_a_model_has() -> None:
    assert spelt("请出示身份证", {"请", "出", "示", "身份证", "身"}) == "请 出 示 身份证"
    assert spelt("复旦", {"复", "蛋"}) == "复 蛋"
    assert spelt("复旦", {"复"}) == ""


def test_of_words_in_a_row_the_answer_is_the_one_that_took_longest() -> None:
    heard = [("[unk]", 0.9), ("复", 0.2), ("旦", 0.3), ("语言", 0.4)]
    assert longest(heard, ["语言", "复 旦", "旦 复"]) == "复 旦"
    assert longest(heard, ["语音"]) == ""


def made_set(folder: Path, file: str, said: list[dict[str, object]]) -> None:
    folder.mkdir()
    line = {"file": str(FIXTURES / file), "seconds": 38.28, "said": said}
    lines = [{"text": "您好欢迎光临", "kind": "phrase", "voice": "f3", "characters": [[0.8 + i * 0.38, 1.18 + i * 0.38] for i in range(6)]}]  # fmt: skip  # noqa: E501
    (folder / "labels.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    (folder / "truth.jsonl").write_text(json.dumps({"file": line["file"], "lines": lines}) + "\n", encoding="utf-8")


def test_a_model_is_measured_from_labels_to_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads((FIXTURES / "full-marks.expected.json").read_text(encoding="utf-8"))["visits"][0]["said"]
    made_set(tmp_path / "voices", "full-marks.wav", [*told, {"id": "deaf", "start": 1.0, "end": 2.0}])
    model = str(find_model(DEFAULT_MODEL))
    out = tmp_path / "figures.json"
    asked = [model, "--audio", str(tmp_path), "--sets", str(tmp_path), "--only", "voices", "--out", str(out)]
    assert main(asked) == 0
    figures = json.loads(out.read_text(encoding="utf-8"))["voices"]
    assert (figures["owed"], figures["hits"]) == (11, 10)
    assert [miss["id"] for miss in figures["misses"]] == ["deaf"]
    assert figures["recall"] == pytest.approx(10 / 11)
    assert figures["word_times"]["words"] > 0
    table = capsys.readouterr().out
    assert table == out.with_suffix(".md").read_text(encoding="utf-8")
    assert "| test voices: recall / precision (11 owed) | 0.909" in table


def test_a_part_that_fails_does_not_cost_those_before_it(tmp_path: Path) -> None:
    made_set(tmp_path / "news", "full-marks.wav", [])
    out = tmp_path / "figures.json"
    asked = [str(find_model(DEFAULT_MODEL)), "--audio", str(tmp_path), "--sets", str(tmp_path)]
    assert main([*asked, "--only", "news", "joined", "--out", str(out)]) == 1
    assert json.loads(out.read_text(encoding="utf-8"))["news"]["false_alarms"] >= 10
    assert "false alarms an hour" in out.with_suffix(".md").read_text(encoding="utf-8")


def test_a_set_that_is_not_there_is_named_with_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(find_model(DEFAULT_MODEL))
    assert main([model, "--audio", str(tmp_path), "--sets", str(tmp_path), "--only", "joined"]) == 1
    assert "labels.jsonl" in capsys.readouterr().err

"""Measuring a model: what counts as correct and as wrong, and the command from labels to a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.bundled import model

from counter_listener.domain import PhraseSet, Word
from counter_listener.evaluation import Label, LabelledPhrase
from counter_listener.phrases import read_phrase_set
from models.build.measure import main
from models.build.measuring.grammar_mode import longest_wording, spell
from models.build.measuring.labelled_sets import LabelledRecording, TrueLine
from models.build.measuring.spelled import spellings, with_spelled
from models.build.measuring.text_errors import Errors, add_errors, errors_by_kind, percentile, time_errors

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def true_line(text: str, kind: str = "known", start: float = 0.0, pace: float = 0.25) -> TrueLine:
    """A line with `pace` seconds per character."""
    times = tuple((start + pace * index, start + pace * (index + 1)) for index in range(len(text)))
    return TrueLine(text, kind, "f3", times)


def recognised(*words: tuple[str, float, float]) -> list[Word]:
    return [Word(*word) for word in words]


def test_errors_are_counted_for_the_line_they_are_in() -> None:
    lines = [true_line("请问您好", "known"), true_line("今天下雨", "new", start=2.0)]
    words = recognised(("请问", 0.0, 0.5), ("你", 0.5, 0.7), ("好", 0.7, 1.0), ("今天", 2.0, 2.5), ("下", 2.5, 2.7))
    assert errors_by_kind(lines, words, by_sound=False) == {"known": Errors(4, 1), "new": Errors(4, 1)}


def test_homophones_are_wrong_in_characters_and_correct_by_sound() -> None:
    lines, words = [true_line("再见")], recognised(("在建", 0.0, 0.5))
    assert errors_by_kind(lines, words, by_sound=False)["known"].rate == 1.0
    assert errors_by_kind(lines, words, by_sound=True)["known"].rate == 0.0


def test_deletions_and_insertions_count_as_errors() -> None:
    lines = [true_line("再见")]
    assert errors_by_kind(lines, [], by_sound=False) == {"known": Errors(2, 2)}
    inserted = recognised(("再见", 0, 1), ("的", 1, 2))
    assert errors_by_kind(lines, inserted, by_sound=False) == {"known": Errors(2, 1)}


def test_the_errors_of_several_recordings_are_added_up() -> None:
    assert add_errors([{"new": Errors(4, 1)}, {"new": Errors(6, 2), "known": Errors(1, 0)}]) == {
        "new": Errors(10, 3),
        "known": Errors(1, 0),
    }


def small_set() -> PhraseSet:
    return read_phrase_set(Path(__file__).resolve().parents[1] / "support" / "small.toml")[0]


def labelled(lines: list[TrueLine], *phrases: LabelledPhrase) -> LabelledRecording:
    return LabelledRecording(Label(Path("visit.wav"), 10.0, phrases), tuple(lines))


def test_what_a_template_spells_in_other_speech_may_be_found_but_need_not_be() -> None:
    lines = [true_line("王先生您好"), true_line("谢谢您的", start=2.0), true_line("配合", start=3.0)]
    found = with_spelled(labelled(lines), spellings(small_set())).label.phrases
    assert {(phrase.id, phrase.start, phrase.end) for phrase in found} >= {("hello", 0.75, 1.25), ("thanks", 2.0, 3.5)}
    assert all(phrase.optional for phrase in found)


def test_a_phrase_that_is_labelled_stays_owed() -> None:
    owed = LabelledPhrase("hello", 0.0, 0.5)
    assert with_spelled(labelled([true_line("您好")], owed), spellings(small_set())).label.phrases == (owed,)


def test_a_word_in_letters_has_as_many_times_as_letters() -> None:
    found = with_spelled(labelled([true_line("ATM您好")]), spellings(small_set())).label.phrases
    assert {(phrase.start, phrase.end) for phrase in found} == {(start, 1.25) for start in (0.0, 0.25, 0.5, 0.75)}


def test_time_errors_are_measured_for_correct_words_only() -> None:
    words = recognised(("请问", 0.02, 0.47), ("你", 0.5, 0.7), ("好", 0.71, 1.0))
    (first, last) = time_errors([true_line("请问您好")], words)
    assert first == pytest.approx((0.02, -0.03))
    assert last == pytest.approx((-0.04, 0.0))


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([float(n) for n in range(100)], 0.95) == 95.0
    assert percentile([], 0.95) == 0.0


def test_a_grammar_is_spelled_with_words_of_the_vocabulary() -> None:
    assert spell("请出示身份证", {"请", "出", "示", "身份证", "身"}) == "请 出 示 身份证"
    assert spell("复旦", {"复", "蛋"}) == "复 蛋"
    assert spell("复旦", {"复"}) == ""


def test_the_answer_is_the_wording_with_the_longest_duration() -> None:
    words = [("[unk]", 0.9), ("复", 0.2), ("旦", 0.3), ("语言", 0.4)]
    assert longest_wording(words, ["语言", "复 旦", "旦 复"]) == "复 旦"
    assert longest_wording(words, ["语音"]) == ""


def write_set(folder: Path, said: list[dict[str, object]]) -> None:
    """Writes a set of one recording, full-marks.wav."""
    folder.mkdir()
    label = {"file": str(FIXTURES / "full-marks.wav"), "seconds": 38.28, "said": said}
    characters = [[0.8 + index * 0.38, 1.18 + index * 0.38] for index in range(6)]
    lines = [{"text": "您好欢迎光临", "kind": "phrase", "voice": "f3", "characters": characters}]
    (folder / "labels.jsonl").write_text(json.dumps(label) + "\n", encoding="utf-8")
    (folder / "truth.jsonl").write_text(json.dumps({"file": label["file"], "lines": lines}) + "\n", encoding="utf-8")


def test_a_set_is_measured_from_labels_to_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads((FIXTURES / "full-marks.expected.json").read_text(encoding="utf-8"))
    not_said = {"id": "deaf", "start": 1.0, "end": 2.0}
    write_set(tmp_path / "voices", [*expected["visits"][0]["said"], not_said])
    out = tmp_path / "figures.json"
    options = ["--audio", str(tmp_path), "--sets", str(tmp_path), "--only", "voices", "--out", str(out)]
    assert main([str(model().folder), *options]) == 0
    figures = json.loads(out.read_text(encoding="utf-8"))["voices"]
    assert (figures["owed"], figures["hits"]) == (11, 10)
    assert [miss["id"] for miss in figures["misses"]] == ["deaf"]
    assert figures["recall"] == pytest.approx(10 / 11)
    assert figures["word_times"]["words"] > 0
    table = capsys.readouterr().out
    assert table == out.with_suffix(".md").read_text(encoding="utf-8")
    assert "| test voices: recall / precision (11 owed) | 0.909" in table


@pytest.mark.slow
def test_a_part_that_fails_does_not_lose_the_parts_before_it(tmp_path: Path) -> None:
    write_set(tmp_path / "news", [])
    out = tmp_path / "figures.json"
    options = ["--audio", str(tmp_path), "--sets", str(tmp_path), "--only", "news", "joined", "--out", str(out)]
    assert main([str(model().folder), *options]) == 1
    assert json.loads(out.read_text(encoding="utf-8"))["news"]["false_alarms"] >= 10
    assert "false alarms per hour" in out.with_suffix(".md").read_text(encoding="utf-8")


def test_a_missing_set_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--audio", str(tmp_path), "--sets", str(tmp_path), "--only", "joined"]
    assert main([str(model().folder), *options]) == 1
    assert "labels.jsonl" in capsys.readouterr().err

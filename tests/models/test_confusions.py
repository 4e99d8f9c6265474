"""What libvosk writes for known words, counted by kind of error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.matching import fitted
from counter_listener.phrases import split_units
from models.build.confusions import Heard, measure, report
from models.build.errors import BuildError
from models.build.held_out import NATURAL_TEST_VOICES

PROJECT = Path(__file__).resolve().parents[2]
FIXTURES = PROJECT / "tests" / "fixtures"
MODEL = PROJECT / "models" / "counter-cn"


def heard(*pairs: tuple[str, str]) -> Heard:
    result = Heard()
    for said, written in pairs:
        result.count(split_units(said), split_units(written))
    return result


def test_each_syllable_is_counted_by_what_became_of_it() -> None:
    found = heard(("请您慢走再见", "请您慢走在件"), ("请出示您的证件", "请出四的证件啊"))
    assert found.said == 13
    assert found.kinds == {"same": 9, "homophone": 2, "similar": 1, "light_deleted": 1, "inserted": 1}
    assert found.pairs == {("shi", "si"): 1}
    assert found.rates["light_deleted"] == 1 / found.light


def test_what_was_not_understood_says_nothing_of_sounds() -> None:
    found = heard(("请您慢走", "今天天气"), ("您好", "您好"))
    assert (found.left_out, found.said, found.kinds["same"]) == (1, 2, 2)


@given(st.text("您好请慢走再见谢谢的了不一下", min_size=1), st.text("您好请慢走再见谢谢的了不一下四是"))
def test_every_syllable_said_is_counted_once(said: str, written: str) -> None:
    found = heard((said, written))
    kinds = found.kinds
    assert kinds.total() - kinds["inserted"] == found.said
    assert kinds.total() - kinds["deleted"] - kinds["light_deleted"] == found.written
    assert found.said in (0, len(said))


def manifest(folder: Path, *rows: tuple[str, str, str]) -> Path:
    lines = ["path\ttext\tspeaker\tlicence\tattribution"]
    lines += [f"{path}\t{text}\t{speaker}\tApache-2.0\tours" for path, text, speaker in rows]
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_held_out_voices_are_left_out_and_libvosk_is_asked_for_the_others(tmp_path: Path) -> None:
    wav = FIXTURES / "full-marks.wav"
    folder = manifest(tmp_path, (str(wav), "今天天气很好", NATURAL_TEST_VOICES[0]), (str(wav), "今天天气", "a"))
    with pytest.raises(BuildError, match="nothing in it was understood"):
        measure(MODEL, folder, jobs=1)


def test_the_report_stands_beside_the_rates_of_the_matcher() -> None:
    lines = "\n".join(report(heard(("出示证件", "出四证件")), fitted()["confusion"]["rates"]))
    assert "| similar | 0.250 | 0.040 |" in lines
    assert "1 of 1 wrong syllables are alike" in lines
    assert "shi>si:1" in lines

"""What no model may be trained on is refused, and so is a licence that does not allow it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from models.build.held_out import (
    LICENCES,
    STUDENTS_HELD_OUT,
    TEST_VARIANTS,
    Refused,
    check_licence,
    draw_students,
    left_out,
    refuse_recording,
    refuse_speaker,
    refuse_voice,
)

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


@pytest.mark.parametrize("spelt", ["{}", "cmn-latn-pinyin+{}", " {} "])
@pytest.mark.parametrize("variant", [*TEST_VARIANTS, "alicia", "ANDY"])
def test_a_voice_of_the_tests_is_refused_however_it_is_spelt(variant: str, spelt: str) -> None:
    with pytest.raises(Refused, match="speaks the tests"):
        refuse_voice(spelt.format(variant))


@pytest.mark.parametrize("variant", ["f1", "m1", "klatt", "Andrea", "steph", "cmn-latn-pinyin+f2"])
def test_any_other_voice_is_given_back(variant: str) -> None:
    assert refuse_voice(variant) == variant


def test_every_voice_of_the_canned_recordings_is_held_out() -> None:
    dialogues = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))
    heard = {voice for recording in dialogues["recording"] for voice in recording.get("voices", {}).values() if voice}
    assert heard | set(dialogues["voice"]) <= set(TEST_VARIANTS)


def test_each_measuring_model_is_refused_its_own_people_and_the_bundled_one_nobody() -> None:
    assert left_out("bundled") == frozenset()
    assert left_out("person", "news") == {"yue_tan", "S0252"}
    with pytest.raises(Refused, match="s0252 is left out"):
        refuse_speaker("s0252", left_out("news"))
    assert refuse_speaker("S0150", left_out("news")) == "S0150"
    assert refuse_speaker("yue_tan", left_out("bundled")) == "yue_tan"
    with pytest.raises(Refused, match="measures nothing"):
        left_out("persons")


def test_the_students_held_out_are_those_that_the_rule_draws() -> None:
    speakers = [f"dsp{number:02}" for number in range(2, 27)]
    assert draw_students(reversed(speakers)) == draw_students(speakers + speakers) == STUDENTS_HELD_OUT


@pytest.mark.parametrize("path", [FIXTURES / "full-marks.wav", "tests/fixtures/noise.wav", "esc10/5-151085-A.opus"])
def test_what_the_tests_hear_is_refused(path: Path | str) -> None:
    with pytest.raises(Refused, match="must not be trained on"):
        refuse_recording(path)


@pytest.mark.parametrize("path", ["esc10/1-100032-A.opus", "fixtures/a.wav", "yuetan/5-7.opus", "tests/other/a.wav"])
def test_other_recordings_are_given_back(path: str) -> None:
    assert refuse_recording(path) == str(Path(path))


@pytest.mark.parametrize(
    ("told", "name"),
    [
        *((licence, licence) for licence in LICENCES),
        ("CC BY-SA 3.0 (same file; OpenAIR, University of York)", "CC-BY-SA-3.0"),
        ("Public domain (told in a file beside it)", "Public domain"),
        ("mit", "MIT"),
    ],
)
def test_licences_that_allow_it_are_known_by_what_manifests_call_them(told: str, name: str) -> None:
    assert check_licence(told) == name


@pytest.mark.parametrize(
    "told", ["", "CC-BY-NC-4.0", "CC BY-ND 4.0", "CC-BY-SA", "GPL-3.0", "all rights reserved", "?"]
)
def test_any_other_licence_is_refused(told: str) -> None:
    with pytest.raises(Refused, match="not among those"):
        check_licence(told)

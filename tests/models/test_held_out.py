"""Held-out data is refused for training, and so are licences that do not permit it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from models.build.held_out import (
    LICENCES,
    NATURAL_TEST_VOICES,
    STUDENTS_HELD_OUT,
    TEST_VARIANTS,
    ExcludedDataError,
    check_licence,
    check_natural_voice,
    check_recording,
    check_speaker,
    check_voice,
    draw_students,
    held_out_speakers,
)

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


@pytest.mark.parametrize("spelling", ["{}", "cmn-latn-pinyin+{}", " {} "])
@pytest.mark.parametrize("variant", [*TEST_VARIANTS, "alicia", "ANDY"])
def test_a_voice_of_the_tests_is_refused_in_any_spelling(variant: str, spelling: str) -> None:
    with pytest.raises(ExcludedDataError, match="must not be trained on"):
        check_voice(spelling.format(variant))


@pytest.mark.parametrize("variant", ["f1", "m1", "klatt", "Andrea", "steph", "cmn-latn-pinyin+f2"])
def test_other_voices_are_accepted(variant: str) -> None:
    assert check_voice(variant) == variant


@pytest.mark.parametrize("spelling", ["{}", "{}+af_heart@0.35", "af_heart+{}@0.9", " {} + af_heart@0.5"])
@pytest.mark.parametrize("voice", [*NATURAL_TEST_VOICES, "ZF_Xiaoni"])
def test_a_natural_voice_of_the_tests_is_refused_alone_and_in_a_mixture(voice: str, spelling: str) -> None:
    speaker = spelling.format(voice)
    with pytest.raises(ExcludedDataError, match="must not be trained on"):
        check_natural_voice(speaker)
    with pytest.raises(ExcludedDataError, match="must not be trained on"):
        check_speaker(speaker, held_out_speakers("bundled"))


@pytest.mark.parametrize("speaker", ["zf_xiaobei", "af_heart", "zm_yunjian+am_adam@0.5", "yue_tan"])
def test_other_natural_voices_and_mixtures_are_accepted(speaker: str) -> None:
    assert check_natural_voice(speaker) == check_speaker(speaker, ()) == speaker


def test_all_voices_of_the_fixtures_are_held_out() -> None:
    dialogues = tomllib.loads((FIXTURES / "dialogues.toml").read_text(encoding="utf-8"))
    used = {voice for recording in dialogues["recording"] for voice in recording.get("voices", {}).values() if voice}
    assert used | set(dialogues["voice"]) <= {*TEST_VARIANTS, *NATURAL_TEST_VOICES}


def test_a_model_for_a_test_excludes_its_people_and_the_bundled_model_excludes_nobody() -> None:
    assert held_out_speakers("bundled") == frozenset()
    assert held_out_speakers("person", "news") == {"yue_tan", "S0252"}
    with pytest.raises(ExcludedDataError, match="s0252 is left out"):
        check_speaker("s0252", held_out_speakers("news"))
    assert check_speaker("S0150", held_out_speakers("news")) == "S0150"
    assert check_speaker("yue_tan", held_out_speakers("bundled")) == "yue_tan"
    with pytest.raises(ExcludedDataError, match="'persons' is not a test"):
        held_out_speakers("persons")


def test_the_held_out_students_are_those_that_the_seed_draws() -> None:
    speakers = [f"dsp{number:02}" for number in range(2, 27)]
    assert draw_students(reversed(speakers)) == draw_students(speakers + speakers) == STUDENTS_HELD_OUT


@pytest.mark.parametrize("path", [FIXTURES / "full-marks.wav", "tests/fixtures/noise.wav", "esc10/5-151085-A.opus"])
def test_recordings_of_the_tests_are_refused(path: Path | str) -> None:
    with pytest.raises(ExcludedDataError, match="must not be trained on"):
        check_recording(path)


@pytest.mark.parametrize("path", ["esc10/1-100032-A.opus", "fixtures/a.wav", "yuetan/5-7.opus", "tests/other/a.wav"])
def test_other_recordings_are_accepted(path: str) -> None:
    assert check_recording(path) == str(Path(path))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *((licence, licence) for licence in LICENCES),
        ("CC BY-SA 3.0 (same file; OpenAIR, University of York)", "CC-BY-SA-3.0"),
        ("Public domain (stated in a file of the collection)", "Public domain"),
        ("mit", "MIT"),
    ],
)
def test_permitted_licences_are_recognised_as_manifests_spell_them(text: str, name: str) -> None:
    assert check_licence(text) == name


@pytest.mark.parametrize(
    "text", ["", "CC-BY-NC-4.0", "CC BY-ND 4.0", "CC-BY-SA", "GPL-3.0", "all rights reserved", "?"]
)
def test_other_licences_are_refused(text: str) -> None:
    with pytest.raises(ExcludedDataError, match="not one of those"):
        check_licence(text)

"""Recordings that the recogniser hears, but does not understand: it says so and accuses nobody."""

from __future__ import annotations

import re
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import events, run

from counter_listener.domain import bundled_folder
from counter_listener.judging import understanding

RATE = 16_000
Spoil = Callable[["array[int]"], "array[int]"]


def spoiled(path: Path, name: str, rate: int = RATE, spoil: Spoil = lambda samples: samples) -> Path:
    """A bundled recording with another sample rate in its header, or with other samples."""
    with wave.open(str(bundled_folder("recordings") / f"{name}.wav")) as file:
        assert file.getframerate() == RATE
        samples = array("h", file.readframes(file.getnframes()))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(spoil(samples).tobytes())
    return path


def quiet(samples: array[int]) -> array[int]:
    """52 dB softer: speech at -73 dBFS."""
    return array("h", (round(sample / 400) for sample in samples))


def backwards(samples: array[int]) -> array[int]:
    return samples[::-1]


@pytest.mark.parametrize(
    ("name", "rate", "spoil", "reason"),
    [
        pytest.param(
            *("no-greeting", 8_000, lambda samples: samples, understanding.NOT_UNDERSTOOD), marks=pytest.mark.slow
        ),
        pytest.param(
            *("complaint-handled", 44_100, lambda samples: samples, understanding.NOT_UNDERSTOOD),
            marks=pytest.mark.slow,
        ),
        ("no-greeting", 32_000, lambda samples: samples, understanding.NOT_UNDERSTOOD),
        pytest.param(*("full-marks", RATE, backwards, understanding.NOT_UNDERSTOOD), marks=pytest.mark.slow),
        ("no-greeting", RATE, quiet, understanding.TOO_QUIET),
    ],
    ids=["8000-Hz", "44100-Hz", "32000-Hz", "backwards", "quiet"],
)
def test_what_was_not_understood_is_never_not_heard(
    tmp_path: Path, name: str, rate: int, spoil: Spoil, reason: str
) -> None:
    path = spoiled(tmp_path / "a.wav", name, rate, spoil)
    result = run("check", path, "--one-visit", "--format", "jsonl", "--store", "none")
    found = events(result)
    assert not {event["verdict"] for event in found} & {"not_heard", "forbidden", "broken"}
    closed = found[-1]
    assert (closed["outcome"], closed["score"], closed["lost_audio"]) == ("not_understood", None, True)
    assert closed["understood"] < understanding.LEAST_UNDERSTOOD or reason == understanding.TOO_QUIET
    assert [gap["reason"] for gap in found if gap["kind"] == "gap"][-1] == reason
    assert result.exit_code == 3
    assert re.search(rf"incomplete( at \d places)?: {reason}", result.stderr)


def test_it_is_told_in_tables_and_reports_and_judged_again_alike(tmp_path: Path) -> None:
    path, store = spoiled(tmp_path / "a.wav", "no-greeting", 32_000), tmp_path / "events.db"
    shown = run("check", path, "--one-visit", "--store", store, "--keep-transcripts").stdout
    assert "No score: the visit was not understood." in shown
    assert "Visits not understood: 1" in shown
    assert run("check", path, "--one-visit", "--store", store).exit_code == 3
    again = run("rejudge", "--phrases", "bank-counter", "--store", store).stdout
    assert "1 transcript judged; 0 with verdicts that would change" in again
    page = run("report", "--store", store).stdout
    assert "not understood" in page

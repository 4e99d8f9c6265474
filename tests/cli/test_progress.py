"""The progress of a batch: how fast recordings are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from counter_listener.batch import CheckResult
from counter_listener.cli.terminal import progress


def test_the_pace_counts_what_was_checked_and_not_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "monotonic_clock", iter((10.0, 20.0, 30.0)).__next__)
    pace = progress.Pace(3, 0.0)
    checked = CheckResult(Path("a.wav"), (), seconds=600.0)
    known = CheckResult(Path("b.wav"), (), seconds=900.0, recalled=True)
    assert pace.line(checked) == "1 of 3  a.wav  10:00, 0 visits  (60 x real time)"
    assert "in the record already  (30 x" in pace.line(known)
    assert pace.summary() == "2/3 files, 1 known, 0.2 h, 20x"

"""The model build from nothing to words, and what it holds to: held-out people, resumed steps, the same clips again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from counter_listener.batch import Ears, hear
from counter_listener.findings import Heard
from counter_listener.matcher import prepare
from counter_listener.matching import match
from counter_listener.models import verify
from counter_listener.phrases import find_phrase_set, read_phrase_set

TOP = Path(__file__).resolve().parent.parent
FIXTURES = TOP / "tests" / "fixtures"
MINUTES = 10


@pytest.mark.slow
def test_the_quick_build_makes_a_model_that_libvosk_hears_with(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="models/build/requirements.txt is not installed")
    if not shutil.which("fstconvert"):
        pytest.skip("OpenFst's programs are not installed (apt-get install libfst-tools)")
    model = tmp_path / "quick"
    command = [sys.executable, "-m", "models.build", "--to", str(model), "--quick"]
    subprocess.run(command, cwd=TOP, check=True, timeout=MINUTES * 60)
    steps = json.loads((tmp_path / "quick.work" / "steps.json").read_text(encoding="utf-8"))
    assert sum(steps["seconds"].values()) < MINUTES * 60
    verify(model)
    assert "CC BY-SA 4.0" in (model / "LICENSE").read_text(encoding="utf-8")

    subprocess.run(command, cwd=TOP, check=True, timeout=60)
    again = json.loads((tmp_path / "quick.work" / "steps.json").read_text(encoding="utf-8"))
    assert again == steps, "what is done was done again"

    assert {"goodbye", "ask-need"} & heard(model, FIXTURES / "full-marks.wav")


def heard(model: Path, recording: Path) -> set[str]:
    """Ids of the phrases that a model hears in a recording."""
    phrases, _ = read_phrase_set(find_phrase_set("bank-counter"))
    items = match(hear(recording, Ears(model)), prepare(phrases))
    return {hit.owner for item in items if isinstance(item, Heard) for hit in item.findings.phrases}

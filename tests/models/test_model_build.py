"""The model build from nothing to words, and what it holds to: held-out people, resumed steps, the same clips again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from counter_listener.asr.model_files import verify_model
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.domain.findings import MatchedUtterance
from counter_listener.matching.matcher import prepare_matcher
from counter_listener.matching.matching import match
from counter_listener.phrases.phrase_file import find_phrase_set, read_phrase_set
from counter_listener.pipeline import hear

TOP = Path(__file__).resolve().parents[2]
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
    verify_model(model)
    assert "CC BY-SA 4.0" in (model / "LICENSE").read_text(encoding="utf-8")

    subprocess.run(command, cwd=TOP, check=True, timeout=60)
    again = json.loads((tmp_path / "quick.work" / "steps.json").read_text(encoding="utf-8"))
    assert again == steps, "what is done was done again"

    assert {"goodbye", "ask-need"} & heard(model, FIXTURES / "full-marks.wav")


TRAINING = """
import sys
from pathlib import Path
from models.build import training
training.EVERY = 4
folder = Path(sys.argv[1])
training.train(
    [folder / "espeak.clips"],
    folder / "noise.clips",
    training.Plan(10, hidden=8),
    folder / sys.argv[2],
    None,
    lambda line: print(line, flush=True),
)
"""


def training(folder: Path, target: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(folder), target], cwd=TOP, text=True, stdout=subprocess.PIPE
    )


@pytest.mark.slow
def test_a_training_that_was_killed_goes_on_to_the_same_network(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="models/build/requirements.txt is not installed")
    from models.build.clips import Clip, save_clips

    draw = np.random.default_rng(1)
    spoken = [
        Clip(f"{number}", "espeak", "f1", frames.astype(np.float16), (), labels=np.arange(300, dtype=np.uint8) % 50)
        for number, frames in enumerate(draw.normal(9, 2, (4, 300, 40)))
    ]
    save_clips(spoken, tmp_path / "espeak.clips")
    save_clips([], tmp_path / "noise.clips")
    told, _ = training(tmp_path, "whole.pt").communicate(timeout=120)
    assert "goes on" not in told

    killed = training(tmp_path, "cut.pt")
    while not (tmp_path / "cut.checkpoint").exists():
        assert killed.poll() is None, "it was done before it could be killed"
        time.sleep(0.01)
    killed.kill()
    killed.communicate(timeout=60)  # the pipe is closed once the process that makes its batches has ended, too
    assert not (tmp_path / "cut.pt").exists()

    told, _ = training(tmp_path, "cut.pt").communicate(timeout=120)
    assert "goes on from step 4" in told or "goes on from step 8" in told
    assert not (tmp_path / "cut.checkpoint").exists()
    whole, cut = (torch.load(tmp_path / name, weights_only=False) for name in ("whole.pt", "cut.pt"))
    assert all(torch.equal(one, cut["weights"][name]) for name, one in whole["weights"].items())
    assert np.array_equal(whole["counts"], cut["counts"])


@pytest.mark.slow
def test_noise_is_added_to_features_as_it_is_to_sound() -> None:
    pytest.importorskip("scipy", reason="models/build/requirements.txt is not installed")
    from models.build.augmentation import added
    from models.build.features import log_mel

    draw = np.random.default_rng(1)
    with wave.open(str(FIXTURES / "full-marks.wav")) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32)
    hiss = draw.normal(0, 300, len(sound)).astype(np.float32)
    voice, noise = log_mel(sound), log_mel(hiss)
    smooth, alike = np.logaddexp(voice, noise), abs(voice - noise) < 1
    real = np.where(alike, log_mel(sound + hiss) - smooth, np.nan)
    ours = np.where(alike, added(voice, noise, draw) - smooth, np.nan)
    for bins in np.split(np.arange(40), 5):
        assert np.nanstd(ours[:, bins]) == pytest.approx(np.nanstd(real[:, bins]), rel=0.2)


def heard(model: Path, recording: Path) -> set[str]:
    """Ids of the phrases that a model hears in a recording."""
    phrases, _ = read_phrase_set(find_phrase_set("bank-counter"))
    items = match(hear(recording, SpeechModel(model)), prepare_matcher(phrases))
    return {hit.owner for item in items if isinstance(item, MatchedUtterance) for hit in item.findings.phrases}

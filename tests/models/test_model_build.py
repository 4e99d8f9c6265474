"""The model build as a whole, the resumption of an interrupted training, and the noise model of the augmentation."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.bundled import matcher

from counter_listener.asr import SpeechModel, verify_model
from counter_listener.domain import MatchedUtterance
from counter_listener.pipeline import file_source, find_phrases

PROJECT = Path(__file__).resolve().parents[2]
FIXTURES = PROJECT / "tests" / "fixtures"
MINUTES = 10
TRAINING = """
import sys
from pathlib import Path
from models.build import training
training.CHECKPOINT_INTERVAL = 4
folder = Path(sys.argv[1])
if __name__ == "__main__":
    training.train(
        [folder / "espeak.clips"],
        folder / "noise.clips",
        training.Plan(10, hidden=8),
        folder / sys.argv[2],
        None,
        lambda line: print(line, flush=True),
    )
"""


def found_phrases(model: Path, recording: Path) -> set[str]:
    """Ids of the phrases that the chain finds in a recording with a model."""
    items = find_phrases(file_source(recording, SpeechModel(model)), matcher())
    return {hit.owner for item in items if isinstance(item, MatchedUtterance) for hit in item.findings.phrases}


@pytest.mark.slow
def test_the_quick_build_makes_a_model_that_recognises_phrases(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="models/build/requirements.txt is not installed")
    if not shutil.which("fstconvert"):
        pytest.skip("OpenFst's programs are not installed (apt-get install libfst-tools)")
    model = tmp_path / "quick"
    command = [sys.executable, "-m", "models.build", "--to", str(model), "--quick"]
    subprocess.run(command, cwd=PROJECT, check=True, timeout=MINUTES * 60)
    steps = json.loads((tmp_path / "quick.work" / "steps.json").read_text(encoding="utf-8"))
    assert sum(steps["seconds"].values()) < MINUTES * 60
    verify_model(model)
    assert "CC BY-SA 4.0" in (model / "LICENSE").read_text(encoding="utf-8")

    subprocess.run(command, cwd=PROJECT, check=True, timeout=60)
    again = json.loads((tmp_path / "quick.work" / "steps.json").read_text(encoding="utf-8"))
    assert again == steps, "a step that was done was repeated"

    assert {"goodbye", "ask-need"} & found_phrases(model, FIXTURES / "full-marks.wav")


def test_a_widened_network_computes_the_same() -> None:
    torch = pytest.importorskip("torch", reason="models/build/requirements.txt is not installed")
    from models.build.net import Net, log_probabilities, widen

    torch.manual_seed(1)
    net = Net(24)
    for norm in net.norms:
        norm.running_var.fill_(3.0)
    features = np.random.default_rng(1).normal(9, 2, (90, 40)).astype(np.float32)
    wide = widen(net.eval(), 32).eval()
    assert wide.hidden == 32
    assert np.allclose(log_probabilities(net, features), log_probabilities(wide, features), atol=1e-5)
    assert all(layer.weight[24:].abs().sum() > 0 for layer in wide.layers), "the new channels read the old ones"


def start_training(folder: Path, target: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(folder), target], cwd=PROJECT, text=True, stdout=subprocess.PIPE
    )


@pytest.mark.slow
def test_a_killed_training_resumes_and_gives_the_same_network(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="models/build/requirements.txt is not installed")
    from models.build.clips import Clip, save_clips

    generator = np.random.default_rng(1)
    clips = [
        Clip(f"{number}", "espeak", "f1", frames.astype(np.float16), (), labels=np.arange(300, dtype=np.uint8) % 50)
        for number, frames in enumerate(generator.normal(9, 2, (4, 300, 40)))
    ]
    save_clips(clips, tmp_path / "espeak.clips")
    save_clips([], tmp_path / "noise.clips")
    output, _ = start_training(tmp_path, "uninterrupted.pt").communicate(timeout=300)
    assert "resumes" not in output

    killed = start_training(tmp_path, "resumed.pt")
    checkpoint = tmp_path / "resumed.checkpoint"
    while not checkpoint.exists() or torch.load(checkpoint, weights_only=False)["step"] == 0:
        assert killed.poll() is None, "the training ended before it could be killed"
        time.sleep(0.01)
    killed.kill()
    killed.communicate(timeout=60)  # returns when the other process of the training has ended too
    assert not (tmp_path / "resumed.pt").exists()

    output, _ = start_training(tmp_path, "resumed.pt").communicate(timeout=300)
    assert "resumes from step 4" in output or "resumes from step 8" in output
    assert not (tmp_path / "resumed.checkpoint").exists()
    uninterrupted, resumed = (
        torch.load(tmp_path / name, weights_only=False) for name in ("uninterrupted.pt", "resumed.pt")
    )
    for name, weights in uninterrupted["weights"].items():
        assert torch.equal(weights, resumed["weights"][name]), name
    assert np.array_equal(uninterrupted["counts"], resumed["counts"])


@pytest.mark.slow
def test_noise_added_to_features_is_distributed_like_noise_added_to_samples() -> None:
    pytest.importorskip("scipy", reason="models/build/requirements.txt is not installed")
    from models.build.augmentation import add_energies
    from models.build.features import log_mel

    generator = np.random.default_rng(1)
    with wave.open(str(FIXTURES / "full-marks.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32)
    hiss = generator.normal(0, 300, len(samples)).astype(np.float32)
    speech, noise = log_mel(samples), log_mel(hiss)
    sum_of_energies, similar = np.logaddexp(speech, noise), abs(speech - noise) < 1
    in_samples = np.where(similar, log_mel(samples + hiss) - sum_of_energies, np.nan)
    in_features = np.where(similar, add_energies(speech, noise, generator) - sum_of_energies, np.nan)
    for bins in np.split(np.arange(40), 5):
        assert np.nanstd(in_features[:, bins]) == pytest.approx(np.nanstd(in_samples[:, bins]), rel=0.2)


def test_the_build_makes_the_hours_of_speech_that_the_recordings_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="models/build/requirements.txt is not installed")
    soundfile = pytest.importorskip("soundfile", reason="models/build/requirements.txt is not installed")
    from models.build import steps
    from models.build.pipeline import QUICK
    from models.build.voices.making import Order

    orders: list[Order] = []
    monkeypatch.setattr(steps, "make_speech", lambda order, _: orders.append(order))
    folder = tmp_path / "audio" / "kokoro"
    folder.mkdir(parents=True)
    row = "a.wav\t您好\tzf_xiaobei\tApache-2.0\tsynthetic speech, Kokoro-82M\n"
    (folder / "manifest.tsv").write_text("path\ttext\tspeaker\tlicence\tattribution\n" + row, encoding="utf-8")
    soundfile.write(folder / "a.wav", np.zeros(16_000 * 36), 16_000)
    lines: list[str] = []
    for hours in (0.0, 0.01, 0.5):
        size: dict[str, Any] = dict(QUICK)
        build = steps.Build(tmp_path / "work", tmp_path / "m", tmp_path / "audio", frozenset(), **size, hours=hours)
        steps.make_voices(build, lines.append)
    assert [order.folder for order in orders] == [tmp_path / "work" / "kokoro"]
    assert orders[0].hours == pytest.approx(0.49)
    assert len(lines) == 2
    assert steps.source_folders(build, "kokoro") == [folder], "nothing was made yet"
    made = tmp_path / "work" / "kokoro"
    made.mkdir(parents=True)
    shutil.copy(folder / "manifest.tsv", made)
    assert steps.source_folders(build, "kokoro") == [folder, made]
    steps.write_licence(replace(build, target=tmp_path), lines.append)
    assert "Kokoro-82M. Apache-2.0." in (tmp_path / "LICENSE").read_text(encoding="utf-8")

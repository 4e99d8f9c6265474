"""What is said into the browser: the WAV that comes in, the process that recognises it, and what goes wrong."""

from __future__ import annotations

import io
import os
import signal
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from counter_listener.asr import find_model
from counter_listener.domain import AudioError, ModelError, PhraseSetError
from counter_listener.web.spoken import MOST_BYTES, Heard, SpokenError, recognise_samples, wav_samples
from counter_listener.web.worker import Worker

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


def wav(samples: bytes, channels: int = 1, rate: int = 16_000) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return made.getvalue()


def spoken(seconds: float = 8.0) -> bytes:
    """The first seconds of a recording."""
    with wave.open(str(FIXTURES / "full-marks.wav")) as file:
        samples: bytes = file.readframes(int(seconds * file.getframerate()))
        return samples


def fail() -> None:
    raise PhraseSetError("{path}: {fault}", path="a.toml", fault="broken")


def test_words_come_out_of_a_wav(worker: Worker) -> None:
    samples = wav_samples(wav(spoken()))
    found = Heard(worker.run(recognise_samples, find_model("counter-cn"), samples), len(samples) / 32_000)
    assert "您好" in found.as_json()["heard"].replace(" ", "")
    assert found.as_json()["seconds"] == 8.0
    assert worker.run(recognise_samples, find_model("counter-cn"), b"") == ()


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"\0" * 100, wav(b"\0" * 64, channels=2), wav(b"\0" * 64, rate=48_000)], ids=range(5)
)
def test_what_is_no_such_wav_is_refused(content: bytes) -> None:
    with pytest.raises(SpokenError):
        wav_samples(content)
    assert len(wav(spoken(10))) < MOST_BYTES


def test_a_crash_and_a_long_wait_end_in_a_sentence_and_the_next_request_is_served(worker: Worker) -> None:
    with pytest.raises(AudioError, match="crashed"):
        worker.run(os.abort)
    with pytest.raises(AudioError, match="longer than"):
        worker.run(time.sleep, 30, patience=0.2)
    with pytest.raises(PhraseSetError, match=r"a\.toml: broken"):
        worker.run(fail)
    with pytest.raises(ModelError):
        worker.run(recognise_samples, Path("nowhere"), spoken())
    first = worker.run(os.getpid)
    os.kill(first, signal.SIGKILL)
    assert worker.run(os.getpid) not in (first, os.getpid())

"""What is left out of the recogniser's work: nothing that changes, and no time is lost by it."""

from __future__ import annotations

import random
from array import array
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundled import matcher

from counter_listener.asr.model_files import find_model
from counter_listener.asr.recognizer import VoskRecognizer, load_model
from counter_listener.asr.silence import LEAD_SAMPLES, SILENT_SAMPLES, SilenceSkipper, signal_change
from counter_listener.audio.recording import read_recording
from counter_listener.domain.types import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE, Event, Word
from counter_listener.pipeline import listen

FIXTURES = Path(__file__).parents[1] / "fixtures"
SECONDS = BLOCK_SAMPLES / SAMPLE_RATE


@cache
def model() -> Any:
    return load_model(find_model("counter-cn"))


@cache
def speech() -> bytes:
    return b"".join(chunk for chunk in read_recording(FIXTURES / "no-farewell.wav") if isinstance(chunk, bytes))


@cache
def room(level: float, seconds: int) -> bytes:
    """The noise of a room: five seconds of it, over and over."""
    rng = random.Random(1)  # noqa: S311 - for noise
    some = array("h", (round(rng.gauss(0, level)) for _ in range(5 * SAMPLE_RATE))).tobytes()
    return (some * (seconds // 5 + 1))[: seconds * SAMPLE_RATE * SAMPLE_BYTES]


@dataclass
class Tap:
    """A recogniser that counts what it is fed on the way to the real one."""

    inner: VoskRecognizer = field(default_factory=lambda: VoskRecognizer(model()))
    fed: int = 0

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        self.fed += len(block)
        return self.inner.accept(block)

    def finish(self) -> tuple[Word, ...]:
        return self.inner.finish()


@pytest.mark.parametrize("level", [0.0, 60.0], ids=["zeros", "fan"])
def test_events_are_the_same_and_most_of_the_quiet_is_never_decoded(level: float) -> None:
    stream = (speech(), room(level, 24), speech())
    tap = Tap()
    spared = list(listen(stream, SilenceSkipper(tap), matcher()))
    assert spared == list(listen(stream, VoskRecognizer(model()), matcher()))
    assert sum(event.kind == "phrase" for event in spared) > 5
    left_out = sum(map(len, stream)) - tap.fed
    assert left_out > 9 * SAMPLE_RATE * SAMPLE_BYTES


def test_nothing_is_left_out_while_the_sound_changes() -> None:
    rng = random.Random(2)  # noqa: S311 - for noise
    blocks = [room(rng.choice((40.0, 70.0)), 1)[: BLOCK_SAMPLES * SAMPLE_BYTES] for _ in range(60)]
    tap = Tap()
    spared: list[Event] = list(listen(blocks, SilenceSkipper(tap), matcher()))
    assert tap.fed == sum(map(len, blocks))
    assert spared == []


@dataclass
class Deaf:
    """Ends an utterance every 25 blocks, with a word for each loud block; the time of a word is what was fed."""

    samples: int = 0
    since: int = 0
    heard: list[Word] = field(default_factory=list)
    lead: list[int] = field(default_factory=list)
    """Samples of quiet fed right before each loud block."""
    quiet: int = 0

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        at = self.samples / SAMPLE_RATE
        self.samples += len(block) // SAMPLE_BYTES
        self.since += 1
        if any(block):
            self.heard.append(Word("loud", at, self.samples / SAMPLE_RATE))
            self.lead.append(self.quiet)
        self.quiet = 0 if any(block) else self.quiet + len(block) // SAMPLE_BYTES
        return self.finish() if self.since >= 25 else None

    def finish(self) -> tuple[Word, ...]:
        words, self.heard, self.since = tuple(self.heard), [], 0
        return words


@settings(max_examples=60, deadline=None, derandomize=True)
@given(runs=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 140)), min_size=1, max_size=6))
def test_words_come_at_the_time_they_were_said_whatever_was_left_out(runs: list[tuple[int, int]]) -> None:
    loud, quiet = room(900.0, 1)[: BLOCK_SAMPLES * SAMPLE_BYTES], bytes(BLOCK_SAMPLES * SAMPLE_BYTES)
    blocks = [block for louds, quiets in runs for block in [loud] * louds + [quiet] * quiets]
    deaf = Deaf()
    sparing = SilenceSkipper(deaf)
    words = [word for block in blocks for word in sparing.accept(block) or ()]
    words += sparing.finish()
    said = [n * SECONDS for n, block in enumerate(blocks) if block is loud]
    assert [word.start for word in words] == pytest.approx(said)
    assert deaf.samples + sparing.skipped == len(blocks) * BLOCK_SAMPLES
    assert sparing.skipped % SILENT_SAMPLES == 0
    before = [quiets * BLOCK_SAMPLES for _, quiets in runs[:-1]]
    fed_before = [lead for lead in deaf.lead if lead]
    assert all(
        lead >= LEAD_SAMPLES
        for lead, quiets in zip(fed_before, [q for q in before if q], strict=True)
        if quiets > LEAD_SAMPLES
    )


def test_a_hum_and_an_offset_count_little_beside_a_voice() -> None:
    offset = array("h", [3000] * BLOCK_SAMPLES).tobytes()
    assert signal_change(offset) == 0
    assert signal_change(room(100.0, 1)[: BLOCK_SAMPLES * SAMPLE_BYTES]) == pytest.approx(141, rel=0.1)

"""Skipping steady sound: nothing that changes is skipped, and word times stay those of the stream."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundled import matcher, model

from counter_listener.asr import Recognizer, SilenceSkipper
from counter_listener.asr.silence import LEAD_SAMPLES, SILENT_SAMPLES, signal_change
from counter_listener.audio import read_recording
from counter_listener.domain import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE, Event, Word
from counter_listener.pipeline import AudioSource, judge_events

FIXTURES = Path(__file__).parents[1] / "fixtures"
SECONDS = BLOCK_SAMPLES / SAMPLE_RATE


@cache
def speech() -> bytes:
    """Three things that a clerk says, in 10 seconds."""
    whole = b"".join(chunk for chunk in read_recording(FIXTURES / "no-farewell.wav") if isinstance(chunk, bytes))
    return whole[: 10 * SAMPLE_RATE * SAMPLE_BYTES]


@cache
def room(level: float, seconds: int) -> bytes:
    """The noise of a room: five seconds of it, repeated."""
    rng = random.Random(1)  # noqa: S311 - for noise
    some = array("h", (round(rng.gauss(0, level)) for _ in range(5 * SAMPLE_RATE))).tobytes()
    return (some * (seconds // 5 + 1))[: seconds * SAMPLE_RATE * SAMPLE_BYTES]


@dataclass
class CountingRecognizer:
    """Counts the bytes that the real recogniser receives."""

    inner: Recognizer = field(default_factory=lambda: model().recognizer())
    received: int = 0

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        self.received += len(block)
        return self.inner.accept(block)

    def finish(self) -> tuple[Word, ...]:
        return self.inner.finish()


def events(chunks: Iterable[bytes], recognizer: Recognizer) -> list[Event]:
    return list(judge_events(AudioSource(chunks, recognizer), matcher()))


@pytest.mark.parametrize("level", [pytest.param(0.0, marks=pytest.mark.slow), 60.0], ids=["zeros", "fan"])
def test_events_are_the_same_and_most_of_the_quiet_is_never_decoded(level: float) -> None:
    stream = (speech(), room(level, 24), speech())
    counting = CountingRecognizer()
    found = events(stream, SilenceSkipper(counting))
    assert found == events(stream, model().recognizer())
    assert sum(event.kind == "phrase" for event in found) > 5
    skipped = sum(map(len, stream)) - counting.received
    assert skipped > 9 * SAMPLE_RATE * SAMPLE_BYTES


def test_nothing_is_skipped_while_the_sound_changes() -> None:
    rng = random.Random(2)  # noqa: S311 - for noise
    blocks = [room(rng.choice((40.0, 70.0)), 1)[: BLOCK_SAMPLES * SAMPLE_BYTES] for _ in range(60)]
    counting = CountingRecognizer()
    assert events(blocks, SilenceSkipper(counting)) == []
    assert counting.received == sum(map(len, blocks))


@dataclass
class LoudnessRecognizer:
    """Ends an utterance every 25 blocks, with a word for each loud block; word times count what was received."""

    samples: int = 0
    since: int = 0
    heard: list[Word] = field(default_factory=list)
    lead: list[int] = field(default_factory=list)
    """Samples of quiet received right before each loud block."""
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


@settings(max_examples=60, derandomize=True)
@given(runs=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 140)), min_size=1, max_size=6))
def test_word_times_are_those_of_the_stream_whatever_was_skipped(runs: list[tuple[int, int]]) -> None:
    loud, quiet = room(900.0, 1)[: BLOCK_SAMPLES * SAMPLE_BYTES], bytes(BLOCK_SAMPLES * SAMPLE_BYTES)
    blocks = [block for louds, quiets in runs for block in [loud] * louds + [quiet] * quiets]
    recognizer = LoudnessRecognizer()
    skipper = SilenceSkipper(recognizer)
    words = [word for block in blocks for word in skipper.accept(block) or ()]
    words += skipper.finish()
    expected = [n * SECONDS for n, block in enumerate(blocks) if block is loud]
    assert [word.start for word in words] == pytest.approx(expected)
    assert recognizer.samples + skipper.skipped == len(blocks) * BLOCK_SAMPLES
    assert skipper.skipped % SILENT_SAMPLES == 0
    before = [quiets * BLOCK_SAMPLES for _, quiets in runs[:-1]]
    leads = [lead for lead in recognizer.lead if lead]
    assert all(
        lead >= LEAD_SAMPLES
        for lead, quiets in zip(leads, [q for q in before if q], strict=True)
        if quiets > LEAD_SAMPLES
    )


def test_an_offset_does_not_count_and_noise_does() -> None:
    offset = array("h", [3000] * BLOCK_SAMPLES).tobytes()
    assert signal_change(offset) == 0
    assert signal_change(room(100.0, 1)[: BLOCK_SAMPLES * SAMPLE_BYTES]) == pytest.approx(141, rel=0.1)

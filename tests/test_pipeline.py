"""The whole chain on real audio with real libvosk: chunk sizes do not matter, and lost audio adds no accusation."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundled import matcher, model

from counter_listener.audio import read_recording
from counter_listener.domain import SAMPLE_BYTES, SAMPLE_RATE, Event, Gap, Utterance
from counter_listener.pipeline import AudioSource, judge_events, recognise, with_ticks

FIXTURES = Path(__file__).parent / "fixtures"
Stream = tuple[bytes | Gap, ...]


@cache
def stream(name: str) -> Stream:
    """The audio of a fixture in one chunk, or one chunk between two gaps."""
    joined: list[bytes | Gap] = [b""]
    for chunk in read_recording(FIXTURES / f"{name}.wav"):
        last = joined[-1]
        if isinstance(chunk, bytes) and isinstance(last, bytes):
            joined[-1] = last + chunk
        else:
            joined.append(chunk)
    return tuple(joined)


def source(chunks: Iterable[bytes | Gap]) -> AudioSource:
    return AudioSource(chunks, model().recognizer())


def heard(chunks: Iterable[bytes | Gap]) -> list[Event]:
    """The events of chunks of audio."""
    return list(judge_events(source(chunks), matcher()))


@cache
def whole(name: str) -> tuple[Event, ...]:
    """The events of a fixture."""
    return tuple(heard(stream(name)))


def cut(sound: Stream, sizes: Sequence[int]) -> Iterator[bytes | Gap]:
    """The same stream in chunks of these sizes in bytes, repeated."""
    size_of_next = cycle(sizes)
    for part in sound:
        if isinstance(part, Gap):
            yield part
            continue
        at = 0
        while at < len(part):
            size = next(size_of_next)
            yield part[at : at + size]
            at += size


def with_losses(sound: bytes, rng: random.Random) -> Iterator[bytes | Gap]:
    """The audio with one to three gaps of 0.2-6 s in place of what was there."""
    starts = sorted(rng.sample(range(len(sound) // SAMPLE_BYTES), rng.randint(1, 3)))
    at = 0
    for start, following in zip(starts, [*starts[1:], len(sound) // SAMPLE_BYTES], strict=True):
        lost = min(int(rng.uniform(0.2, 6.0) * SAMPLE_RATE), following - start)
        yield sound[at * SAMPLE_BYTES : start * SAMPLE_BYTES]
        yield Gap(start / SAMPLE_RATE, lost / SAMPLE_RATE, "the test took it out")
        at = start + lost
    yield sound[at * SAMPLE_BYTES :]


def phrases(events: Sequence[Event], *verdicts: str) -> set[str | None]:
    return {event.phrase for event in events if event.verdict in verdicts}


def sound_of(name: str) -> bytes:
    (sound,) = stream(name)
    assert isinstance(sound, bytes)
    return sound


@pytest.mark.parametrize(
    "name",
    [
        "refusal-without-sorry",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("truncated", "customer-courtesy")),
    ],
)
@settings(max_examples=2, derandomize=True)
@given(sizes=st.lists(st.integers(1, 40_000), min_size=1, max_size=20).filter(lambda sizes: sum(sizes) > 500))
def test_invariant_1_events_do_not_depend_on_how_the_audio_is_cut(name: str, sizes: list[int]) -> None:
    assert len(whole(name)) > 5
    assert heard(cut(stream(name), sizes)) == list(whole(name))


def test_invariant_1_a_second_run_gives_the_same_events() -> None:
    assert heard(stream("refusal-without-sorry")) == list(whole("refusal-without-sorry"))


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("refusal-without-sorry", 0),
        *(
            pytest.param(name, seed, marks=pytest.mark.slow)
            for seed in range(20)
            for name in ("full-marks", "request-without-please")
        ),
    ],
)
def test_invariant_2_lost_audio_never_accuses(name: str, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    events = heard(list(with_losses(sound_of(name), rng)))
    losses = [event for event in events if event.kind == "gap"]
    assert losses
    for verdict in ("not_heard", "forbidden", "broken"):
        assert phrases(events, verdict) <= phrases(whole(name), verdict)


def test_invariant_2_what_may_have_been_said_in_a_gap_is_unknown() -> None:
    sound = sound_of("no-farewell")
    lost = Gap(len(sound) / SAMPLE_BYTES / SAMPLE_RATE, 3.0, "the test took it out")
    assert phrases(whole("no-farewell"), "not_heard") == {"goodbye"}
    events = heard([sound, lost])
    assert phrases(events, "not_heard") == set()
    assert phrases(events, "unknown") == {"goodbye"}


def test_a_transcript_of_a_recording_has_the_verdicts_of_the_recording() -> None:
    name = "refusal-without-sorry"
    utterances = [item for item in recognise(source(stream(name))) if isinstance(item, Utterance)]
    events = list(judge_events(with_ticks(utterances), matcher()))
    assert events[:-1] == list(whole(name))[:-1]
    assert events[-1].detail == whole(name)[-1].detail


def test_events_come_in_order_of_time() -> None:
    for name in ("truncated", "no-farewell", "refusal-without-sorry"):
        times = [event.at for event in whole(name)]
        assert times == sorted(times)

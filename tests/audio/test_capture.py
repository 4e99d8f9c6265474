"""From the sound system's callback to audio and gaps, with a clock that the test sets."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter_listener.audio.capture import (
    FELL_BEHIND,
    MUTE_SECONDS,
    MUTED,
    OVERFLOW,
    QUEUE_SECONDS,
    STALLED,
    Capture,
    CaptureItem,
    CaptureQueue,
    mark_muted,
)
from counter_listener.domain import Gap, MicrophoneError

RATE = 16_000
BLOCK = 1_600
SECONDS = BLOCK / RATE
NOISE = bytes(range(1, 201)) * (2 * BLOCK // 200)
ZEROS = bytes(2 * BLOCK)


@dataclass
class Status:
    input_overflow: bool = False


@dataclass
class Device:
    """A device that delivers audio when the test says so, and the capture that reads it."""

    queue: CaptureQueue = field(default_factory=CaptureQueue)
    now: float = 1000.0
    running: bool = True
    over: bool = False

    def __post_init__(self) -> None:
        self.items = iter(Capture(self.queue, RATE, lambda: self.now, lambda: self.running, lambda: self.over))

    def deliver(self, seconds: float, *, overflow: bool = False) -> None:
        """Real time passes and the device delivers audio."""
        for _ in range(round(seconds / SECONDS)):
            self.now += SECONDS
            self.queue.callback(NOISE, BLOCK, None, Status(overflow))
            overflow = False

    def take(self) -> list[CaptureItem]:
        """Everything that waits in the queue."""
        taken = []
        while not self.queue.blocks.empty():
            taken.append(next(self.items))
        return taken


def gaps(items: list[CaptureItem]) -> list[tuple[float, str]]:
    return [(round(item.seconds, 3), item.reason) for item in items if isinstance(item, Gap)]


def seconds(items: list[CaptureItem]) -> float:
    return sum(len(item) for item in items if isinstance(item, bytes)) / 2 / RATE


def test_the_callback_only_copies_counts_and_puts() -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(CaptureQueue.callback)))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert calls == {"bytes", "self.blocks.put_nowait"}
    statements = {type(node).__name__ for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    assert statements == {"FunctionDef", "Expr", "AugAssign", "Assign", "If", "Return", "Try"}


def test_a_consumer_that_is_slow_for_ten_seconds_loses_nothing() -> None:
    device = Device()
    device.deliver(1)
    assert seconds(device.take()) == pytest.approx(1)
    device.deliver(10)
    taken = device.take()
    device.deliver(1)
    assert gaps(taken + device.take()) == []
    assert seconds(taken) == pytest.approx(10)


def test_a_full_queue_becomes_one_gap_of_what_was_dropped() -> None:
    device = Device()
    device.deliver(QUEUE_SECONDS + 12)
    before = device.take()
    device.deliver(2)
    after = device.take()
    assert seconds(before) == pytest.approx(QUEUE_SECONDS)
    assert gaps(before) == []
    assert gaps(after) == [(12.0, FELL_BEHIND)]
    assert isinstance(after[0], Gap)
    assert seconds(after) == pytest.approx(2)


def test_a_consumer_that_is_always_too_slow_hears_parts_and_reports_the_rest() -> None:
    device = Device()
    taken: list[CaptureItem] = []
    for _ in range(200):
        device.deliver(1)
        taken += [next(device.items) for _ in range(8)]  # 0.8 s of each second
    device.deliver(1)
    taken += device.take()
    device.deliver(0.2)
    taken += device.take()
    lost = gaps(taken)
    assert {reason for _, reason in lost} == {FELL_BEHIND}
    assert len(lost) <= 4
    assert seconds(taken) + sum(length for length, _ in lost) == pytest.approx(201.2, abs=0.3)


def test_a_device_that_stalls_becomes_a_gap_of_that_length() -> None:
    device = Device()
    device.deliver(3)
    taken = device.take()
    device.now += 2.5
    device.deliver(1)
    taken += device.take()
    [(length, reason)] = gaps(taken)
    assert reason == STALLED
    assert length == pytest.approx(2.5, abs=0.01)


def test_audio_that_the_system_dropped_becomes_a_gap() -> None:
    device = Device()
    device.deliver(3)
    taken = device.take()
    device.now += 0.4
    device.deliver(1, overflow=True)
    taken += device.take()
    [(length, reason)] = gaps(taken)
    assert reason == OVERFLOW
    assert length == pytest.approx(0.4 + 1 - SECONDS, abs=1.0)


def test_a_sound_card_whose_clock_is_slow_loses_nothing_in_a_day() -> None:
    device = Device()
    for _ in range(24 * 360):
        device.now += 10 * 0.0003
        device.queue.callback(NOISE * 100, BLOCK * 100, None, Status())
        device.now += 10.0
        item = next(device.items)
        assert isinstance(item, bytes)


@pytest.mark.parametrize(("running", "said"), [(False, "stopped"), (True, "no sound any more")])
def test_a_device_that_goes_is_noticed_within_five_seconds(*, running: bool, said: str) -> None:
    device = Device()
    device.deliver(1)
    device.take()
    device.running = running
    began = device.now

    def wait() -> None:
        for item in device.items:
            assert item is None
            device.now += 1

    with pytest.raises(MicrophoneError, match=said):
        wait()
    assert device.now - began <= 5


def test_it_stops_at_once_whatever_still_waits() -> None:
    device = Device()
    device.deliver(20)
    assert isinstance(next(device.items), bytes)
    device.over = True
    assert list(device.items) == []


def test_a_muted_minute_is_a_gap_reported_at_once_and_again_after_ten_minutes() -> None:
    stream = [NOISE, *[ZEROS] * round(700 / SECONDS), NOISE]
    items = list(mark_muted(stream))
    lost = gaps(items)
    assert [reason for _, reason in lost] == [MUTED] * 3
    assert [round(length) for length, _ in lost] == [55, 600, 40]
    assert seconds(items) + sum(length for length, _ in lost) == pytest.approx(700 + 2 * SECONDS)
    first = next(index for index, item in enumerate(items) if isinstance(item, Gap))
    assert first == round(60 / SECONDS)  # at once, not when it is over


def test_zeros_that_were_silence_are_held_back_and_then_passed_on() -> None:
    stream: list[CaptureItem] = [NOISE, *[ZEROS] * round(50 / SECONDS), NOISE]
    assert [item for item in mark_muted(stream) if item is not None] == stream


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from([NOISE, ZEROS, None, "gap"]), st.integers(1, 700)), max_size=8))
def test_no_second_is_lost_or_invented(runs: list[tuple[bytes | str | None, int]]) -> None:
    def stream() -> Iterator[CaptureItem]:
        for kind, count in runs:
            for _ in range(1 if kind == "gap" else count):
                yield Gap(0.0, 3.0, "lost") if kind == "gap" else kind  # type: ignore[misc]

    given_items, taken = list(stream()), list(mark_muted(stream()))

    def length(items: list[CaptureItem]) -> float:
        return seconds(items) + sum(item.seconds for item in items if isinstance(item, Gap))

    assert length(taken) == pytest.approx(length(given_items))
    assert [item for item in taken if item == NOISE] == [item for item in given_items if item == NOISE]
    assert not any(
        isinstance(a, Gap) and isinstance(b, Gap) and a.reason == b.reason == MUTED for a, b in pairwise(taken)
    )


def test_the_limits_are_those_of_the_documentation() -> None:
    assert (QUEUE_SECONDS, MUTE_SECONDS) == (30, 60.0)

"""From the sound system's callback to sound and gaps, with a clock that the test sets."""

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
    make_capture_queue,
    mark_muted,
)
from counter_listener.domain.errors import MicrophoneError
from counter_listener.domain.types import Gap

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
    """A device that gives sound when the test says so, and the listener that reads it."""

    tap: CaptureQueue = field(default_factory=lambda: make_capture_queue(RATE, BLOCK))
    now: float = 1000.0
    running: bool = True
    over: bool = False

    def __post_init__(self) -> None:
        self.items = iter(Capture(self.tap, RATE, lambda: self.now, lambda: self.running, lambda: self.over))

    def give(self, seconds: float, *, overflow: bool = False) -> None:
        """Real time passes and the device gives sound."""
        for _ in range(round(seconds / SECONDS)):
            self.now += SECONDS
            self.tap.callback(NOISE, BLOCK, None, Status(overflow))
            overflow = False

    def take(self) -> list[CaptureItem]:
        """Everything that waits, up to the first moment of nothing."""
        taken = []
        while not self.tap.waiting.empty():
            taken.append(next(self.items))
        return taken


def gaps(items: list[CaptureItem]) -> list[tuple[float, str]]:
    return [(round(item.seconds, 3), item.reason) for item in items if isinstance(item, Gap)]


def seconds(items: list[CaptureItem]) -> float:
    return sum(len(item) for item in items if isinstance(item, bytes)) / 2 / RATE


def test_the_callback_only_copies_counts_and_puts() -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(CaptureQueue.callback)))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert calls == {"bytes", "self.waiting.put_nowait"}
    statements = {type(node).__name__ for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    assert statements == {"FunctionDef", "Expr", "AugAssign", "Assign", "If", "Return", "Try"}


def test_a_consumer_that_is_slow_for_ten_seconds_loses_nothing() -> None:
    device = Device()
    device.give(1)
    assert seconds(device.take()) == pytest.approx(1)
    device.give(10)
    taken = device.take()
    device.give(1)
    assert gaps(taken + device.take()) == []
    assert seconds(taken) == pytest.approx(10)


def test_a_queue_that_fills_becomes_one_gap_of_what_found_no_room() -> None:
    device = Device()
    device.give(QUEUE_SECONDS + 12)
    before = device.take()
    device.give(2)
    after = device.take()
    assert seconds(before) == pytest.approx(QUEUE_SECONDS)
    assert gaps(before) == []
    assert gaps(after) == [(12.0, FELL_BEHIND)]
    assert isinstance(after[0], Gap)
    assert seconds(after) == pytest.approx(2)


def test_one_that_is_always_too_slow_hears_in_stretches_and_tells_the_rest() -> None:
    device = Device()
    taken: list[CaptureItem] = []
    for _ in range(200):
        device.give(1)
        taken += [next(device.items) for _ in range(8)]  # 0.8 s of each second
    device.give(1)
    taken += device.take()
    device.give(0.2)
    taken += device.take()
    lost = gaps(taken)
    assert {reason for _, reason in lost} == {FELL_BEHIND}
    assert len(lost) <= 4
    assert seconds(taken) + sum(length for length, _ in lost) == pytest.approx(201.2, abs=0.3)


def test_a_device_that_stalls_becomes_a_gap_of_that_length() -> None:
    device = Device()
    device.give(3)
    taken = device.take()
    device.now += 2.5
    device.give(1)
    taken += device.take()
    [(length, reason)] = gaps(taken)
    assert reason == STALLED
    assert length == pytest.approx(2.5, abs=0.01)


def test_sound_that_the_system_dropped_becomes_a_gap() -> None:
    device = Device()
    device.give(3)
    taken = device.take()
    device.now += 0.4
    device.give(1, overflow=True)
    taken += device.take()
    [(length, reason)] = gaps(taken)
    assert reason == OVERFLOW
    assert length == pytest.approx(0.4 + 1 - SECONDS, abs=1.0)


def test_a_sound_card_whose_clock_is_slow_loses_nothing_in_a_day() -> None:
    device = Device()
    for _ in range(24 * 360):
        device.now += 10 * 0.0003
        device.tap.callback(NOISE * 100, BLOCK * 100, None, Status())
        device.now += 10.0
        item = next(device.items)
        assert isinstance(item, bytes)


@pytest.mark.parametrize(("running", "said"), [(False, "stopped"), (True, "no sound any more")])
def test_a_device_that_goes_is_noticed_within_five_seconds(*, running: bool, said: str) -> None:
    device = Device()
    device.give(1)
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


def test_it_ends_when_told_to_whatever_still_waits() -> None:
    device = Device()
    device.give(20)
    assert isinstance(next(device.items), bytes)
    device.over = True
    assert list(device.items) == []


def test_a_muted_minute_is_a_gap_told_at_once_and_again_after_ten_minutes() -> None:
    stream = [NOISE, *[ZEROS] * round(700 / SECONDS), NOISE]
    items = list(mark_muted(stream))
    lost = gaps(items)
    assert [reason for _, reason in lost] == [MUTED] * 3
    assert [round(length) for length, _ in lost] == [55, 600, 40]
    assert seconds(items) + sum(length for length, _ in lost) == pytest.approx(700 + 2 * SECONDS)
    told = next(index for index, item in enumerate(items) if isinstance(item, Gap))
    assert told == round(60 / SECONDS)  # at once, not when it is over


def test_quiet_zeros_are_only_held_back_and_then_heard() -> None:
    stream: list[CaptureItem] = [NOISE, *[ZEROS] * round(50 / SECONDS), NOISE]
    assert [item for item in mark_muted(stream) if item is not None] == stream


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([NOISE, ZEROS, None, "gap"]), st.integers(1, 700)), max_size=8))
def test_no_second_is_lost_or_made_up(runs: list[tuple[bytes | str | None, int]]) -> None:
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


def test_the_limits_are_the_ones_that_are_documented() -> None:
    assert (QUEUE_SECONDS, MUTE_SECONDS) == (30, 60.0)

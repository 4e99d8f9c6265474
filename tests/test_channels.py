"""Two channels: only the clerk owes phrases, and what the customer says is no offence."""

from __future__ import annotations

import wave
from array import array
from dataclasses import replace
from pathlib import Path

import pytest
from support.command import events, run
from support.recordings import tracks
from support.small_counter import said

from counter_listener.audio import read_recording
from counter_listener.domain import Gap, StreamItem, Tick, Utterance
from counter_listener.pipeline import merge_channels

FIXTURES = Path(__file__).parent / "fixtures"
COMPLAINED = 10
"""Seconds into complaint-unhandled after which the customer has complained."""


def sound(name: str, seconds: int = 60) -> array[int]:
    """The beginning of a recording, or all of it."""
    samples = array("h")
    for chunk in read_recording(FIXTURES / f"{name}.wav"):
        samples.frombytes(chunk if isinstance(chunk, bytes) else b"")
    return samples[: seconds * 16_000]


def stereo(file: Path, left: array[int], right: array[int]) -> Path:
    length = max(len(left), len(right))
    mixed = array("h", bytes(4 * length))
    mixed[0 : 2 * len(left) : 2] = left
    mixed[1 : 2 * len(right) : 2] = right
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(mixed.tobytes())
    return file


def checked(file: Path, *options: str) -> list[dict[str, object]]:
    return events(run("check", file, "--format", "jsonl", "--store", "none", *options))


def test_the_speaker_decides_what_counts(tmp_path: Path) -> None:
    clerk, rude = sound("no-farewell", COMPLAINED), sound("complaint-unhandled", COMPLAINED)
    file = stereo(tmp_path / "a.wav", clerk, rude)
    found = checked(file, "--channels", "clerk,customer")
    speakers = {str(event["phrase"]): event["speaker"] for event in found if "speaker" in event}
    assert speakers["complaint"] == "customer"
    assert {role for phrase, role in speakers.items() if phrase != "complaint"} == {"clerk"}
    assert any(event["phrase"] == "complaint-sympathise" and event["verdict"] == "not_heard" for event in found)
    assert [event["at"] for event in found] == sorted(float(str(event["at"])) for event in found)
    swapped = checked(file, "--channels", "customer,clerk")
    assert "complaint" not in {event["phrase"] for event in swapped}


def test_the_clerk_alone_is_judged_as_on_one_channel(tmp_path: Path) -> None:
    clerk = sound("no-farewell", COMPLAINED)
    file = stereo(tmp_path / "a.wav", clerk, array("h", bytes(2 * len(clerk))))
    with wave.open(str(tmp_path / "mono.wav"), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(clerk.tobytes())
    mono = checked(tmp_path / "mono.wav")
    assert any(event["phrase"] == "hello" for event in mono)
    both = checked(file, "--channels", "clerk,customer")
    assert [(event["phrase"], event["verdict"], event["at"]) for event in both if event["verdict"] == "heard"] == [
        (event["phrase"], event["verdict"], event["at"]) for event in mono if event["verdict"] == "heard"
    ]


def test_a_silent_channel_of_the_clerk_is_an_error(tmp_path: Path) -> None:
    customer = sound("no-farewell")
    file = stereo(tmp_path / "a.wav", array("h", bytes(2 * len(customer))), customer)
    result = run("check", file, "--channels", "clerk,customer", "--store", "none")
    assert result.exit_code == 3
    assert "channel 1, is silent from end to end" in result.stderr


@pytest.mark.parametrize(
    ("roles", "code", "message"),
    [("clerk,customer", 3, "has channels: 1, and --channels names 2"), ("clerk", 2, "--channels takes")],
)
def test_roles_that_do_not_fit(roles: str, code: int, message: str) -> None:
    result = run("check", FIXTURES / "no-farewell.wav", "--channels", roles, "--store", "none")
    assert (result.exit_code, message in result.stderr) == (code, True)


@pytest.mark.parametrize("roles", ["clerk,customer", pytest.param("", marks=pytest.mark.slow)], ids=["apart", "mixed"])
def test_a_track_for_each_side_is_the_same_as_a_channel(tmp_path: Path, roles: str) -> None:
    clerk, rude = sound("no-farewell", COMPLAINED), sound("complaint-unhandled", COMPLAINED)
    file = stereo(tmp_path / "a.wav", clerk, rude)
    apart = tracks(tmp_path / "a.mka", [clerk.tobytes(), rude.tobytes()], "pcm_s16le")
    options = ("--channels", roles) if roles else ()
    found = told(checked(apart, *options))
    assert found == told(checked(file, *options))
    assert {event[1] for event in found} >= {"complaint", "hello"}


def told(found: list[dict[str, object]]) -> list[tuple[object, ...]]:
    """What matters of events, without the name of their recording."""
    return [(event["kind"], event["phrase"], event["verdict"], event["at"], event["heard"]) for event in found]


def test_tracks_that_do_not_fit_the_roles(tmp_path: Path) -> None:
    three = tracks(tmp_path / "a.mka", [sound("no-farewell").tobytes()] * 3, "pcm_s16le")
    result = run("check", three, "--channels", "clerk,customer", "--store", "none")
    assert (result.exit_code, "has sound tracks: 3, and --channels names 2" in result.stderr) == (3, True)
    clerk = tracks(tmp_path / "b.mka", [bytes(320_000), sound("no-farewell").tobytes()], "pcm_s16le")
    result = run("check", clerk, "--channels", "clerk,customer", "--store", "none")
    assert (result.exit_code, "track 1, is silent from end to end" in result.stderr) == (3, True)


def placed(length: float, *parts: tuple[float, float, float]) -> array[int]:
    """Silence of a length in seconds, with parts of a fixture: from second, to second, and where it goes."""
    source, made = sound("full-marks"), array("h", bytes(2 * int(16_000 * length)))
    for start, end, at in parts:
        piece = source[int(16_000 * start) : int(16_000 * end)]
        made[int(16_000 * at) : int(16_000 * at) + len(piece)] = piece
    return made


@pytest.mark.parametrize(
    ("at", "interruptions", "waits"),
    [(11.2, 1, 0), (13.6, 0, 0), pytest.param(76.0, 0, 1, marks=pytest.mark.slow)],
    ids=["over", "after", "late"],
)
def test_a_clerk_who_begins_over_the_customer_interrupts_and_one_who_waits_does_not(
    tmp_path: Path, at: float, interruptions: int, waits: int
) -> None:
    greeting, question = (0.8, 4.19, 1.0), (19.44, 21.61)
    customer = placed(16.0, (15.88, 18.95, 10.0))  # said from second 10.0 to 13.1
    file = stereo(tmp_path / "a.wav", placed(at + 3.0, greeting, (*question, at)), customer)
    manner = checked(file, "--channels", "clerk,customer", "--one-visit")[-1]["manner"]
    assert isinstance(manner, dict)
    assert (manner["interruptions"], manner["waits"]) == (interruptions, waits)
    if waits:
        assert manner["silence"] == pytest.approx(62.9, abs=0.4)
        assert manner["over"] == ["keep-company"]


def test_what_only_the_customer_lost_is_beside_the_clerk() -> None:
    both, one = Gap(3.0, 1.0, "lost"), Gap(6.0, 2.0, "lost")
    merged = list(merge_channels([[said("您好", 0.0), both, Tick(9.0, 9.0)], [both, one, Tick(9.0, 9.0)]]))
    assert [item for item in merged if isinstance(item, Gap)] == [both, replace(one, beside=True)]


def test_parallel_channels_are_one_stream_in_order_of_time() -> None:
    gap = Gap(3.0, 1.0, "lost")
    clerk: list[StreamItem] = [said("您好", 0.0), Tick(2.0, 2.0), gap, said("请慢走", 5.0), Tick(9.0, 9.0)]
    customer: list[StreamItem] = [said("我想取钱", 2.0), gap, said("谢谢", 4.5), Tick(10.0, 10.0)]
    merged = list(merge_channels([clerk, customer]))
    assert [item.start for item in merged if isinstance(item, Utterance | Gap)] == [0.0, 2.0, 3.0, 4.5, 5.0]
    assert merged[-1] == Tick(10.0, 10.0)

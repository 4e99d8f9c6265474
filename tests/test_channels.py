"""Two channels: what the clerk owes is the clerk's, and what the customer says accuses nobody."""

from __future__ import annotations

import wave
from array import array
from pathlib import Path

import pytest
from support.command import events, run

from counter_listener.audio.recording import read_recording
from counter_listener.domain.types import Gap, StreamItem, Tick, Utterance, Word
from counter_listener.pipeline import beside

FIXTURES = Path(__file__).parent / "fixtures"


def sound(name: str) -> array[int]:
    samples = array("h")
    for chunk in read_recording(FIXTURES / f"{name}.wav"):
        samples.frombytes(chunk if isinstance(chunk, bytes) else b"")
    return samples


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


def told(file: Path, *words: str) -> list[dict[str, object]]:
    return events(run("check", file, "--format", "jsonl", "--store", "none", *words))


def test_who_said_it_decides(tmp_path: Path) -> None:
    clerk, rude = sound("no-farewell"), sound("complaint-unhandled")
    file = stereo(tmp_path / "a.wav", clerk, rude)
    asked = told(file, "--channels", "clerk,customer")
    spoken = {str(event["phrase"]): event["speaker"] for event in asked if "speaker" in event}
    assert spoken["complaint"] == "customer"
    assert {role for phrase, role in spoken.items() if phrase != "complaint"} == {"clerk"}
    assert any(event["phrase"] == "complaint-sympathise" and event["verdict"] == "not_heard" for event in asked)
    assert [event["at"] for event in asked] == sorted(float(str(event["at"])) for event in asked)
    other = told(file, "--channels", "customer,clerk")
    assert "complaint" not in {event["phrase"] for event in other}


def test_the_clerk_alone_is_judged_as_on_one_channel(tmp_path: Path) -> None:
    clerk = sound("no-farewell")
    file = stereo(tmp_path / "a.wav", clerk, array("h", bytes(2 * len(clerk))))
    mono = told(FIXTURES / "no-farewell.wav")
    both = told(file, "--channels", "clerk,customer")
    assert [(event["phrase"], event["verdict"], event["at"]) for event in both if event["verdict"] == "heard"] == [
        (event["phrase"], event["verdict"], event["at"]) for event in mono if event["verdict"] == "heard"
    ]


def test_a_silent_clerk_is_an_error_and_no_accusation(tmp_path: Path) -> None:
    customer = sound("no-farewell")
    file = stereo(tmp_path / "a.wav", array("h", bytes(2 * len(customer))), customer)
    result = run("check", file, "--channels", "clerk,customer", "--store", "none")
    assert result.exit_code == 3
    assert "channel 1, is silent from end to end" in result.stderr


@pytest.mark.parametrize(
    ("roles", "code", "said"),
    [("clerk,customer", 3, "has channels: 1, and --channels names 2"), ("clerk", 2, "--channels takes")],
)
def test_roles_that_do_not_fit(roles: str, code: int, said: str) -> None:
    result = run("check", FIXTURES / "no-farewell.wav", "--channels", roles, "--store", "none")
    assert (result.exit_code, said in result.stderr) == (code, True)


def test_channels_side_by_side_are_one_stream_in_order_of_time() -> None:
    def said(start: float) -> Utterance:
        return Utterance(start, start + 1, (Word("好", start, start + 1),))

    gap = Gap(3.0, 1.0, "lost")
    one: list[StreamItem] = [said(0.0), Tick(2.0, 2.0), gap, said(5.0), Tick(9.0, 9.0)]
    other: list[StreamItem] = [said(2.0), gap, said(4.5), Tick(9.0, 9.0)]
    merged = list(beside([one, other]))
    assert [item.start for item in merged if isinstance(item, Utterance | Gap)] == [0.0, 2.0, 3.0, 4.5, 5.0]
    assert merged[-1] == Tick(9.0, 9.0)

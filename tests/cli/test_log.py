"""The log of commands that run for long: for people, and as JSON; no words of a visit stand in it."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.command import RUDE_VISIT
from support.small_counter import events, said, small

from counter_listener.cli.commands.listen import _log
from counter_listener.cli.listener_process import describe_standard
from counter_listener.cli.log import FIELDS, Log
from counter_listener.live import ScreenState


def test_a_line_is_one_json_object_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    Log("json")("checked", 'a "name"\nof two lines', path="p", why=None, visits=2)
    Log("json")("failed", "no", level="error")
    out, err = capsys.readouterr()
    (line,) = out.splitlines()
    found = json.loads(line)
    assert list(found) == [*FIELDS, "path", "visits"]
    assert (found["level"], found["event"], found["visits"]) == ("info", "checked", 2)
    assert found["time"].endswith("+00:00")
    assert json.loads(err)["level"] == "error"


def test_a_line_for_people_begins_with_the_time_and_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Log("text")("checked", "a\nb", path="p")
    Log("text", dated=False)("checked", "c", err=True)
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert out[4] == "-"
    assert err == "c\n"


def test_listen_logs_visits_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    state, supervisor = ScreenState(counter="3"), SimpleNamespace()
    heard = [said("您好", 1.0), said("这个不归我管", 5.0)]
    messages: list[dict[str, Any]] = [
        {"standard": describe_standard(small()), "device": "mic", "model": "m", "day": asdict(state.day)},
        {"begun": "live-1", "started": "2026-03-02T09:00:00+00:00"},
        {"guess": "我要取两万块钱", "ids": []},
        *({"event": asdict(event)} for event in events(heard)),
        {"trouble": "the disk is full"},
    ]
    with _log(state, cast("Any", supervisor), Log("json", dated=False)) as show:
        for message in messages:
            show(message)
    out, err = capsys.readouterr()
    (visit,) = [json.loads(line) for line in out.splitlines()]
    assert (visit["event"], visit["counter"], visit["visit"]) == ("visit", "3", 1)
    assert {"seconds", "outcome", "score", "forbidden", "broken", "not_heard", "unknown", "incomplete"} <= set(visit)
    assert next(json.loads(line)["event"] for line in err.splitlines()) == "listening"
    assert json.loads(err.splitlines()[-1])["level"] == "warning"
    assert "两万" not in out + err
    assert not [words for _, _, words in RUDE_VISIT if words in out + err]

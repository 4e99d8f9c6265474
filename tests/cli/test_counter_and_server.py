"""A counter that listens and its server: from the microphone to the server's record, and a phrase set the other way."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.branch import Branch, enrol, make_certificates
from support.command import run
from support.listening import FIXTURES, begun, closed, listening, stretched
from support.small_counter import SMALL
from support.virtual_microphone import MISSING, WHY_NOT, virtual_sound

from counter_listener.phrases import sets_folder
from counter_listener.record import counters, open_record
from counter_listener.web.versions import file_digest

NAME = "bank-counter"
LOOK, AGAIN = 15.0, 75.0
"""Seconds within which a listener sees another phrase set, and a sender sends again."""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)]


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + stretched(seconds)
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_what_is_heard_reaches_the_server_and_a_set_comes_into_force_at_its_hour(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "certificates")
    (tmp_path / "cert.pem").write_bytes((certificates / "cert.pem").read_bytes())
    branch, store = Branch(tmp_path), tmp_path / "counter" / "events.db"
    handed, taken = sets_folder(branch.store) / f"{NAME}.toml", sets_folder(store) / f"{NAME}.toml"
    store.parent.mkdir()
    handed.parent.mkdir()
    handed.write_text(SMALL.replace("quiet = 20", "quiet = 3"), encoding="utf-8")
    hour = (datetime.now().astimezone() + timedelta(seconds=stretched(60) + 60)).replace(second=0, microsecond=0)
    with branch.serving("--phrases-at", f"{hour:%H:%M}"), virtual_sound() as sound:
        enrol(branch, store, certificates)
        sound.plug_in("counter")
        words = ("--phrases", NAME, "--counter", "3", "--no-screen")
        with listening(store, sound.hearing("counter"), *words) as one:
            one.wait_for(begun, 180)
            wait_until(taken.with_name(f"{NAME}.next.json").exists, AGAIN)
            assert not taken.exists(), "it waits for its hour"
            wait_until(taken.exists, (hour - datetime.now().astimezone()).total_seconds() + AGAIN)
            assert datetime.now().astimezone() >= hour
            time.sleep(stretched(LOOK))
            assert sound.play("counter", FIXTURES / "full-marks.wav").wait(stretched(90)) == 0
            rows = one.wait_for(closed(1), 30)
            one.stop()
        assert {row.phrases_hash for row in rows if row.visit} == {file_digest(handed)}
        assert any(row.verdict == "heard" for row in rows)
        assert run("send", "--store", store).exit_code == 0
    with open_record(store, create=False) as counter, open_record(branch.store, create=False) as server:
        received = [row.uid for row in server.read() if row.stream != "people"]  # who added the counter
        assert received == [row.uid for row in counter.read()]
        assert server.verify().broken is None
        (found,) = server.query(counters)
    assert (found.name, found.chain, found.state["phrases_hash"]) == ("3", "ok", file_digest(handed))

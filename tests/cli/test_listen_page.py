"""`listen --page`: a real listener at a virtual microphone, seen by who has the address, from its start to its day."""

from __future__ import annotations

import http.client
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.command import run
from support.listening import FIXTURES, listening, stretched
from support.live_window import states
from support.small_counter import SMALL_FILE
from support.virtual_microphone import MISSING, WHY_NOT, virtual_sound

from counter_listener import web


@pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)
def test_the_page_shows_what_is_heard_does_what_a_key_does_and_ends_with_the_day(tmp_path: Path) -> None:
    options = ("--phrases", SMALL_FILE, "--counter", "3", "--no-screen", "--page", "--no-browser", "--lang", "en")
    with virtual_sound() as sound:
        sound.plug_in("page")
        with listening(tmp_path / "events.db", sound.hearing("page"), *options) as one:
            assert one.process.stderr is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/\S+/", one.process.stderr.readline())
            assert found
            seen = states(found[0], stretched(180))
            assert next(state for state in seen if state["state"] == "listening")["counter"] == "Counter 3"
            player = sound.play("page", FIXTURES / "full-marks.wav")
            said = next(state for state in seen if _marks(state).get("hello") == "heard")
            assert said["open"]
            player.kill()
            player.wait(10)
            _order(found[0], "space")
            closed = next(state for state in seen if not state["open"])
            assert "Today: 1 visit" in closed["day"][0]
            _, out, _ = one.stop()
            last = list(seen)[-1]
    assert last["state"] == "stopped"
    assert last["day"][0].startswith("Today: 1 visit")
    assert "Visit 1" in out


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "counter_listener.web.app", None)
    monkeypatch.delitem(vars(web), "create_app", raising=False)
    done = run("listen", "--page", "--store", "none", "--no-screen")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'counter-listener[web]'" in done.stderr


def _marks(state: dict[str, list[dict[str, list[dict[str, str]]]]]) -> dict[str, str]:
    return {each["id"]: each["mark"] for stage in state["stages"] for each in stage["phrases"]}


def _order(link: str, order: str) -> None:
    parts = urlsplit(link)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("POST", f"{parts.path}order", order)
    assert connection.getresponse().status == 204
    connection.close()

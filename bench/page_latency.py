"""From the end of a phrase in the air to its tick in a browser, and from the listener's message to it, in real time.

    python bench/page_latency.py              about nine minutes: every recording of latency.py once
    python bench/page_latency.py --only NAME  one of them

The chain is that of `listen --page`: a PulseAudio null sink, the listening process under its supervisor, the page's
server, and Chromium with the page open. A tick has the time of the frame in which the page shows it. Otherwise it is
measured as in latency.py.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "cli"))

from latency import FIXTURES, PAUSE, TICK_95, TICK_MEDIAN, VISITS, _line, _wav, short_visits
from support.pages_browser import chrome
from support.virtual_microphone import virtual_sound
from test_listen import room_noise

from counter_listener.audio import read_recording
from counter_listener.cli.options import monotonic_clock
from counter_listener.cli.terminal.page_state import page_state
from counter_listener.live import Config, ScreenState, Supervisor
from counter_listener.web import LivePage, serve_page

RECORD: Final = """
window.ticks = [];
new MutationObserver((changes) => {
  const items = changes.map((one) => one.target.dataset);
  const marks = items.filter((one) => one.id).map((one) => [one.id, one.mark]);
  requestAnimationFrame(() => {
    const now = (performance.timeOrigin + performance.now()) / 1000;
    for (const [id, mark] of marks) window.ticks.push([id, mark, now]);
  });
}).observe(document.getElementById("stages"), { subtree: true, attributes: true, attributeFilter: ["data-mark"] });
"""
Tick = tuple[str, str, float]
"""An id, its mark, and when it was set, in seconds of the wall clock."""


@dataclass
class Watch:
    """What the listener reported, and when the page was given it, by the wall clock."""

    state: ScreenState
    page: LivePage
    zero: float = 0.0
    """Second 0 of the stream."""
    changes: list[Tick] = field(default_factory=list)
    ends: list[tuple[str, float, float]] = field(default_factory=list)
    """Of each phrase heard: its id, when its last word ended in the air, and when its event came."""
    shown: dict[str, str] = field(default_factory=dict)

    def receive(self, message: dict[str, Any]) -> None:
        """Shows a message of the listener as `listen --page` does."""
        received = time.time()
        if "beat" in message and message["begun"]:
            self.zero = message["since"] - message["settled"] + received - monotonic_clock()
        self.state.apply(message)
        if "beat" in message:
            return
        self.page.publish(page_state(self.state))
        stages = self.state.standard.get("stages", ())
        for owner in (phrase["id"] for stage in stages for phrase in stage["phrases"]):
            mark = self.state.mark(owner)
            if mark != self.shown.get(owner, "open"):
                self.shown[owner] = mark
                self.changes.append((owner, mark, received))
        event = message.get("event", {})
        if event.get("kind") == "phrase" and event["verdict"] == "heard" and not event["detail"].get("scenario"):
            self.ends.append((event["phrase"], self.zero + event["detail"]["end"], received))


def delays(watch: Watch, ticks: list[Tick]) -> tuple[list[float], list[float]]:
    """Seconds from the listener's message to the page, and from the end of each phrase in the air to its tick."""
    shown = []
    for owner, mark, at in watch.changes:
        later = [when for each, seen, when in ticks if (each, seen) == (owner, mark) and when >= at - 0.01]
        shown += [min(later) - at] if later else []
    heard = []
    for owner, end, told in watch.ends:
        since = None
        for each, mark, when in ticks:
            if each == owner and when < told + 2.0:
                since = None if mark == "open" else when if since is None else since
        heard += [since - end] if since is not None else []
    return shown, heard


def main() -> None:
    """Prints one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=VISITS)
    asked = parser.parse_args()
    names = [name for name in VISITS if asked.only in (None, name)]
    with tempfile.TemporaryDirectory() as folder, virtual_sound() as sound:
        sound.plug_in("bench")
        os.environ.update(sound.hearing("bench"))
        watch = Watch(ScreenState(counter="1"), LivePage("zh", lambda _order: None))
        phrases, store = str(short_visits(Path(folder))), str(Path(folder) / "events.db")
        config = Config(device="pulse", counter="1", phrases=phrases, model="counter-cn", store=store)
        command = [sys.executable, "-m", "counter_listener.cli.listener_process"]
        supervisor = Supervisor(command, config.model_dump(), 4000.0, monotonic_clock, watch.receive)
        supervisor.on_tick = lambda: watch.page.publish(page_state(watch.state))
        with serve_page(watch.page, 0) as link, chrome() as driver:
            driver.get(link)
            threading.Thread(target=supervisor.run, daemon=True).start()
            while not supervisor.worked:
                time.sleep(0.1)
            driver.execute_script(RECORD)
            for name in names:
                parts = read_recording(FIXTURES / f"{name}.wav")
                spoken = b"".join(part for part in parts if isinstance(part, bytes))
                file = _wav(Path(folder) / f"{name}.wav", spoken + room_noise(PAUSE))
                subprocess.run(["paplay", "--device=bench", str(file)], env=sound.environment, check=True)
            time.sleep(3)
            ticks = [(str(each), str(mark), float(when)) for each, mark, when in driver.execute_script("return ticks")]
            supervisor.inbox.put(("order", "stop"))
            time.sleep(2)
    shown, heard = delays(watch, ticks)
    print(_line("tick on the page after the listener's message", shown, "none"))
    print(_line("tick on the page after the end of the phrase", heard, f"median {TICK_MEDIAN}, 95th {TICK_95}"))
    print(f"of {len(watch.changes)} changes the page showed {len(shown)}; of {len(watch.ends)} phrases {len(heard)}")


if __name__ == "__main__":
    main()

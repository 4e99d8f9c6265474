"""`listen` with a virtual microphone: visits are played into it, and the record, the log and the screen are checked."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
import wave
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pyte
import pytest
from support.command import program
from support.listening import FIXTURES, Listening, begun, closed, listening, stretched
from support.small_counter import SMALL_FILE
from support.virtual_microphone import MISSING, WHY_NOT, Sound, virtual_sound

from counter_listener.audio import read_recording
from counter_listener.domain import bundled_folder

if sys.platform != "win32":
    import fcntl
    import pty
    import termios

pytestmark = pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)

SLACK = 0.3
"""Seconds by which a time may differ."""
START = 180.0
"""Seconds that a listener may take to start while everything else is tested too."""
IDLE, QUIET = 3.0, 2.0
"""Seconds after which visits close in these tests. Usually minutes; pauses within visits are 1.3 s at most."""
KEYS = ("kind", "stage", "step", "phrase", "verdict", "score", "heard")
SMALL_SET = ("--phrases", str(SMALL_FILE))
"""It is ready in a third of the time of bank-counter, where what is found does not matter."""
VISITS = ("complaint-unhandled", "refusal-without-sorry")
"""Recordings that libvosk recognises alike wherever the blocks begin: in a live stream that cannot be chosen."""


@pytest.fixture(scope="module")
def phrases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phrase set of the bank counter, with visits that close sooner."""
    text = (bundled_folder("phrase_sets") / "bank-counter.toml").read_text(encoding="utf-8")
    text = text.replace(" quiet = 20,", f" quiet = {QUIET},").replace(" idle = 120,", f" idle = {IDLE},")
    assert f"quiet = {QUIET}" in text
    assert f"idle = {IDLE}" in text
    file = tmp_path_factory.mktemp("phrases") / "sooner.toml"
    file.write_text(text, encoding="utf-8")
    return file


def room_noise(seconds: float) -> bytes:
    """The noise of a quiet room: a null sink alone is as silent as a muted microphone."""
    rng = random.Random(7)  # noqa: S311 - for noise
    second = array("h", (rng.randint(-12, 12) for _ in range(16_000))).tobytes()
    return (second * (int(seconds) + 1))[: int(seconds * 16_000) * 2]


def with_room_noise(file: Path, before: float, after: float, target: Path) -> Path:
    """Writes a recording with some seconds of room noise before and after it."""
    middle = b"".join(part for part in read_recording(file) if isinstance(part, bytes))
    with wave.open(str(target), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(room_noise(before) + middle + room_noise(after))
    return target


def facts(row: dict[str, Any]) -> tuple[object, ...]:
    return tuple(row.get(key) for key in KEYS)


def as_checked(rows: list[Any]) -> list[dict[str, Any]]:
    """The rows of visits as `check --format jsonl` prints them."""
    columns = [
        {**{key: getattr(row, key) for key in (*KEYS, "at")}, **json.loads(row.detail)} for row in rows if row.visit
    ]
    return [row for row in columns if row["kind"] != "gap"]


def checked(recordings: list[Path], phrases: Path) -> dict[str, list[dict[str, Any]]]:
    """What `check` prints of the visits in recordings, by the names of their folders."""
    shown = program("check", *recordings, "--phrases", phrases, "--store", "none", "--format", "jsonl", "--quiet")
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    rows = [row for row in rows if row["visit"] and row["kind"] != "gap"]
    return {one.parent.name: [row for row in rows if row["source"] == str(one)] for one in recordings}


def played(phrases: Path, tmp_path: Path, visits: Sequence[str] = VISITS[-1:]) -> None:
    """Live audio gives the same events as `check` gives for the file, at each of several counters at once."""
    with ExitStack() as stack:
        sound = stack.enter_context(virtual_sound())
        running: dict[str, Listening] = {}
        for name in visits:
            folder = tmp_path / name
            folder.mkdir()
            with_room_noise(FIXTURES / f"{name}.wav", IDLE + 1.5, IDLE + 2.5, folder / "visit.wav")
            sound.plug_in(name)
            options = ("--phrases", phrases, "--counter", name, "--no-screen")
            running[name] = stack.enter_context(listening(folder / "events.db", sound.hearing(name), *options))
        for one in running.values():
            one.wait_for(begun, START)
        players = [sound.play(name, tmp_path / name / "visit.wav") for name in visits]
        expected = checked([tmp_path / name / "visit.wav" for name in visits], phrases)
        assert all(player.wait(stretched(90)) == 0 for player in players)
        for name, one in running.items():
            rows = as_checked(one.wait_for(closed(1), 20))
            assert [facts(row) for row in rows] == [facts(row) for row in expected[name]]
            offset = statistics.median(
                row["at"] - wanted["at"] for row, wanted in zip(rows, expected[name], strict=True)
            )
            for row, wanted in zip(rows, expected[name], strict=True):
                assert row["at"] - wanted["at"] == pytest.approx(offset, abs=SLACK), (name, row, wanted)
        for name, one in running.items():
            seconds, out, _ = one.stop()
            assert seconds < stretched(2)
            assert one.process.returncode == 0
            assert len(out.splitlines()) == 1
            assert name in out
    assert any(row["verdict"] == "broken" for row in expected["refusal-without-sorry"])


def counters(phrases: Path, tmp_path: Path) -> None:
    """Several counters of one computer are listened to at once."""
    played(phrases, tmp_path, VISITS)


def unplugged(_phrases: Path, tmp_path: Path) -> None:
    """A microphone is unplugged in the middle of a visit, and plugged in again."""
    with virtual_sound() as sound:
        _unplugged(sound, tmp_path)


def _unplugged(sound: Sound, tmp_path: Path) -> None:
    with_room_noise(FIXTURES / "no-greeting.wav", 1.0, 0.0, tmp_path / "visit.wav")
    module = sound.plug_in("loose")
    options = ("--counter", "loose", "--no-screen")
    with listening(tmp_path / "events.db", sound.hearing("loose"), *options) as one:
        one.wait_for(begun, START)
        second = program("listen", "--store", one.store, *options, env=sound.hearing("loose"))
        assert second.returncode == 73
        assert "already" in second.stderr
        player = sound.play("loose", tmp_path / "visit.wav")
        before = one.wait_for(lambda rows: any(row.phrase == "ask-need" for row in rows), 20)
        sound.unplug(module)
        player.kill()
        player.wait(10)
        one.wait_for(lambda rows: any("microphone stopped" in row.detail for row in rows), 10)
        sound.plug_in("loose")
        rows = one.wait_for(lambda rows: any("microphone was away" in row.detail for row in rows), 10)
        assert rows[: len(before)] == before
        away = next(row for row in rows if "microphone was away" in row.detail)
        assert json.loads(away.detail)["seconds"] > 0.3
        assert away.visit == before[-1].visit  # the visit goes on
        seconds, out, err = one.stop()
        rows = one.rows()
    assert seconds < stretched(2)
    verdicts = {row.phrase: row.verdict for row in rows if row.kind == "phrase"}
    assert verdicts["ask-need"] == "heard"
    assert verdicts["hello"] == verdicts["goodbye"] == "unknown"
    assert "not_heard" not in verdicts.values()
    assert [row.kind for row in rows].count("visit_closed") == 1
    assert len({row.stream for row in rows}) == 1
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert not any(row.heard and row.heard in out + err for row in rows)


def manager_at(path: Path) -> tuple[socket.socket, list[str]]:
    """A service manager such as systemd, and the notifications that it receives."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(path))
    notices: list[str] = []

    def hear() -> None:
        with suppress(OSError):
            while word := manager.recv(100):
                notices.append(word.decode())

    threading.Thread(target=hear, daemon=True).start()
    return manager, notices


def killed(_phrases: Path, tmp_path: Path) -> None:
    """The listener is killed, aborts as libvosk does, and hangs. Each time another one continues the visit."""
    with virtual_sound() as sound:
        sound.plug_in("hard")
        with_room_noise(FIXTURES / "no-greeting.wav", 0.5, 120.0, tmp_path / "visit.wav")
        manager, notices = manager_at(tmp_path / "notify")
        environment = {
            **sound.hearing("hard"),
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "2000000",
        }
        with (
            manager,
            listening(tmp_path / "events.db", environment, "--counter", "hard", "--no-screen", *SMALL_SET) as one,
        ):
            one.wait_for(begun, START)
            player = sound.play("hard", tmp_path / "visit.wav")
            one.wait_for(lambda rows: any(row.phrase == "ask-need" for row in rows), 30)
            for number, (how, said) in enumerate(
                ((signal.SIGKILL, "died"), (signal.SIGABRT, "died"), (signal.SIGSTOP, "hung"))
            ):
                before = one.rows()
                child = one.child()
                child.send_signal(how)
                rows = one.wait_for(partial(has_gaps, said, number + 1 if said == "died" else 1), 60)
                assert rows[: len(before)] == before
            player.kill()
            player.wait()
            seconds, _, err = one.stop()
            rows = one.rows()
            until = time.monotonic() + stretched(5)
            while notices[-1] != "STOPPING=1" and time.monotonic() < until:
                time.sleep(0.05)
        assert seconds < stretched(2)
        assert "READY=1" in notices
        assert notices[-1] == "STOPPING=1"
        assert notices.count("WATCHDOG=1") > 10  # all through three restarts
        assert "SIGKILL" in err
        assert "SIGABRT" in err
        assert len({row.stream for row in rows}) == 1
        assert [row.kind for row in rows].count("visit_closed") == 1
        verdicts = {row.phrase: row.verdict for row in rows if row.kind == "phrase"}
        assert verdicts["ask-need"] == "heard"
        assert set(verdicts.values()) == {"heard", "unknown"}


def on_screen(_phrases: Path, tmp_path: Path) -> None:
    """A terminal of 80 by 24: the space key opens and closes a visit, q quits, and the terminal is restored."""
    with virtual_sound() as sound:
        sound.plug_in("shown")
        player = sound.play("shown", with_room_noise(FIXTURES / "noise.wav", 0.0, 60.0, tmp_path / "noise.wav"))
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        before = termios.tcgetattr(theirs)
        command = [
            sys.executable,
            "-m",
            "counter_listener",
            "listen",
            "--device",
            "pulse",
            "--counter",
            "7",
            "--lang",
            "zh",
            *SMALL_SET,
        ]
        process = subprocess.Popen(
            [*command, "--store", str(tmp_path / "events.db")],
            env={**os.environ, **sound.hearing("shown"), "TERM": "xterm-256color", "XDG_DATA_HOME": str(tmp_path)},
            cwd=tmp_path,
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        terminal = pyte.Screen(80, 24)
        stream = pyte.ByteStream(terminal)

        def until(wanted: str, seconds: float = START) -> None:
            end = time.monotonic() + seconds
            while wanted not in "\n".join(terminal.display).replace(" ", ""):
                assert time.monotonic() < end, (wanted, terminal.display, process.poll())
                if select.select([ours], [], [], 0.2)[0]:
                    stream.feed(os.read(ours, 65_536))

        try:
            until("正在监听")
            until("暂无客户")
            os.write(ours, b" ")
            until("第1次服务")
            os.write(ours, b" ")
            until("上一位：")
            os.write(ours, b"q")
            began = time.monotonic()
            while process.poll() is None and time.monotonic() - began < 10:
                if select.select([ours], [], [], 0.1)[0]:
                    os.read(ours, 65_536)
            assert process.returncode == 0
            assert time.monotonic() - began < stretched(2.5)  # two seconds, and Python's own end
            assert termios.tcgetattr(theirs) == before
        finally:
            process.kill()
            process.communicate()
            player.kill()
            player.wait()


LEVELS = """
from counter_listener.audio import find_device, list_devices
from counter_listener.cli.commands.doctor import check_level
from counter_listener.live import Config

device = find_device("pulse", list_devices())
for channel in (1, 2, "mix"):
    finding = check_level(device, Config(channel=channel), 2.0)
    print(finding.state, finding.text)
"""


def two_channels(_phrases: Path, tmp_path: Path) -> None:
    """Each of the two channels of a device is measured alone; `devices` lists the device with its level."""
    with virtual_sound() as sound:
        sound.plug_in("pair", 2)
        with wave.open(str(tmp_path / "right.wav"), "wb") as out:
            out.setparams((2, 2, 16_000, 0, "NONE", ""))
            out.writeframes(array("h", (0, 8000, 0, -8000) * 8_000 * 120).tobytes())
        player = sound.play("pair", tmp_path / "right.wav")
        environment = {**os.environ, **sound.hearing("pair")}
        shown = subprocess.run(
            [sys.executable, "-c", LEVELS], env=environment, capture_output=True, encoding="utf-8", check=False
        )
        listed = program("devices", "--seconds", 2, env=environment)
        player.kill()
        player.wait()
    assert shown.returncode == 0, shown.stderr
    left, right, mixed = shown.stdout.splitlines()
    assert left.startswith("wrong nothing but zeros")
    assert right.startswith("ok peak -12 dB")
    assert mixed.startswith("ok peak -18 dB")
    (line,) = [line for line in listed.stdout.splitlines() if " pulse, ALSA" in line]
    assert line.endswith("-18 dB")


def has_gaps(said: str, count: int, rows: list[Any]) -> bool:
    return sum(f"the listener {said}" in row.detail for row in rows) >= count


@pytest.fixture(scope="module")
def scenes(
    request: pytest.FixtureRequest, phrases: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """Runs three at a time: real time passes once, and they wait for most of it."""
    names = {item.name.partition("[")[2][:-1] for item in request.session.items if item.path == request.path}
    acts = [act for act in (counters, played, killed, unplugged, on_screen, two_channels) if act.__name__ in names]
    with ThreadPoolExecutor(3) as pool:
        yield {act.__name__: pool.submit(act, phrases, tmp_path_factory.mktemp(act.__name__)) for act in acts}


ELSEWHERE = ("counters", "unplugged", "killed", "on_screen", "two_channels")
"""What is proved every day without a microphone too: test_kills, test_supervisor, test_screen, test_tracks."""


@pytest.mark.parametrize("name", ["played", *(pytest.param(name, marks=pytest.mark.slow) for name in ELSEWHERE)])
def test_on_the_real_path(name: str, scenes: dict[str, Future[None]]) -> None:
    scenes[name].result()

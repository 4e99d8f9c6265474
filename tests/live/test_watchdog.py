"""A service manager is told that the program goes on, as often as it asks."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn

from counter_listener.cli.commands.send import _Sender
from counter_listener.live import Watchdog
from counter_listener.web.serving import TICKS, _Server

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs a socket of systemd")


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # sdnotify
def test_it_is_told_as_often_as_it_asks_and_never_without_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)  # noqa: FBT003 - the name of the standard library
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        times = iter([0.0, 1.0, 29.0, 30.0, 31.0, 90.0])
        for asked, told in (("60000000", 3), ("", 0)):
            monkeypatch.setenv("WATCHDOG_USEC", asked)
            going_on = Watchdog(lambda: next(times, 1_000.0))
            assert len({going_on() for _ in range(6)}) == (6 if told else 1), "it is the clock"
            for _ in range(told):
                assert manager.recv(100) == b"WATCHDOG=1"
            with pytest.raises(BlockingIOError):
                manager.recv(100)


def test_the_loop_of_the_server_shows_it_every_second() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise NotImplementedError

    config = uvicorn.Config(app, log_config=None)
    config.load()
    seen: list[int] = []
    server = _Server(config, lambda: seen.append(1))

    async def run() -> None:
        for tick in range(3 * TICKS):
            await server.on_tick(tick)

    asyncio.run(run())
    assert len(seen) == 3


def test_a_sender_shows_it_with_each_batch_and_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counter_listener.cli.commands.send.STEP", 0.01)
    sender, seen = object.__new__(_Sender), list[float]()

    def going_on() -> float:
        seen.append(len(seen) * 0.01)
        return seen[-1]

    sender._going_on = cast("Watchdog", going_on)
    sender._wait(0.2, threading.Event())
    assert len(seen) in (21, 22)
    before = len(seen)
    assert (datetime.now(UTC) - sender._now()).total_seconds() < 60
    assert len(seen) == before + 1

"""A microphone without a sound card: a separate PulseAudio daemon, with null sinks into which files are played."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("pulseaudio", "paplay", "pactl")
MISSING = [name for name in NEEDED if not shutil.which(name)] + [
    name for name in ("portaudio", "asound") if not find_library(name)
]
WHY_NOT = f"no virtual microphone here: {', '.join(MISSING)} cannot be found; on Debian: .ci/run installs them"


@dataclass(frozen=True)
class Sound:
    """A running daemon."""

    environment: dict[str, str]

    def pactl(self, *words: str) -> str:
        return subprocess.run(
            ["pactl", *words], env=self.environment, capture_output=True, encoding="utf-8", check=True, timeout=10
        ).stdout.strip()

    def plug_in(self, sink: str, channels: int = 1) -> str:
        """A new sink; its monitor is the microphone of that name. Returns what unplug() needs."""
        return self.pactl("load-module", "module-null-sink", f"sink_name={sink}", "rate=16000", f"channels={channels}")

    def unplug(self, module: str) -> None:
        self.pactl("unload-module", module)

    def play(self, sink: str, file: Path) -> subprocess.Popen[bytes]:
        """Plays a file into a sink, in real time; the buffer is so large that a busy computer leaves no holes in it."""
        return subprocess.Popen(["paplay", f"--device={sink}", "--latency-msec=2000", str(file)], env=self.environment)

    def hearing(self, sink: str) -> dict[str, str]:
        """The environment in which the device `pulse` is this sink's monitor."""
        return {**self.environment, "PULSE_SOURCE": f"{sink}.monitor"}


@contextmanager
def virtual_sound() -> Iterator[Sound]:
    """Runs a daemon in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="sound-") as folder:
        socket = f"{folder}/pulse.sock"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PULSE")},
            "HOME": folder,
            "XDG_RUNTIME_DIR": folder,
            "XDG_CONFIG_HOME": folder,
            "PULSE_SERVER": f"unix:{socket}",
        }
        command = [
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--disable-shm=yes",
        ]
        command += [f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1"]
        daemon = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 20
            while not Path(socket).exists():
                assert daemon.poll() is None, "pulseaudio did not start"
                assert time.monotonic() < until, "pulseaudio did not start in 20 s"
                time.sleep(0.05)
            yield Sound(environment)
        finally:
            daemon.terminate()
            daemon.wait(10)

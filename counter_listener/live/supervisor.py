"""Keeps the listener going: starts it again when it dies, hangs or grows. Imports neither vosk nor sounddevice."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Final

from counter_listener.domain import N_, _

HANG_SECONDS: Final = 10.0
"""Without a block that went through the whole chain."""
START_SECONDS: Final = 180.0
"""Until the first sound: a large model takes a minute to load, and its check another."""
STOP_SECONDS: Final = 1.7
"""For closing the visit and writing it, when told to stop."""
TICK_SECONDS: Final = 0.2
"""How often to look at the clock while nothing is told."""
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 60.0
"""Seconds before another start: each time twice as many, up to this."""
LONGEST_DEVICE_DELAY: Final = 4.0
"""The same where only the microphone is away: it costs little to look, and it shall be heard soon after it is back."""
HEALTHY_SECONDS: Final = 60.0
"""After which a listener counts as well, and the next delay is the first again."""
HARD_LIMIT: Final = 2
"""Times the memory limit at which a visit is not waited for."""
NO_MICROPHONE: Final = 75
"""The listener's exit code where the microphone cannot be used (cli_live.py)."""

Message = dict[str, Any]
Inbox = queue.SimpleQueue[tuple[str, Any]]
"""What happens: ("line", (child's number, line)), ("end", child's number), ("order", "space" or "stop")."""

GREW: Final = N_("the listener used too much memory and was started anew")
HUNG: Final = N_("the listener hung and was started anew")
DIED: Final = N_("the listener died and was started anew")
GONE: Final = N_("the microphone was away")
UNSTOPPED: Final = N_("the listener did not stop when told to; its visit is closed at the next start")
SLOW: Final = N_("the listener did not start in time")


@dataclass
class Child:
    """One listener process."""

    number: int
    process: subprocess.Popen[bytes]
    started: float
    """By the clock."""
    beat: float | None = None
    """When a block went through the whole chain last, by the clock."""
    since_begun: float | None = None
    """When it heard its first sound, by the clock."""
    renewing: bool = False
    stopping: float | None = None
    """When it was told to stop, by the clock."""
    why: str = ""
    """Why it was killed, if it was."""
    failed: str = ""
    """The sentence with which it gave up."""
    noise: list[str] = field(default_factory=list)
    """The last line it wrote to stderr."""

    def send(self, line: str) -> None:
        """Gives an order; one that has gone cannot be told anything."""
        pipe = self.process.stdin
        with suppress(OSError, ValueError):
            if pipe:
                pipe.write(line.encode("utf-8") + b"\n")
                pipe.flush()

    def kill(self, why: str) -> None:
        """Ends it at once."""
        self.why = why
        self.process.kill()


@dataclass
class Supervisor:
    """Runs the listener until told to stop."""

    command: Sequence[str]
    """Starts a listener that speaks as cli_live.py does."""
    config: Mapping[str, Any]
    memory_limit: float
    """Megabytes."""
    clock: Callable[[], float]
    """Seconds; it never goes back."""
    tell: Callable[[Message], None]
    """Told every message of the listener, and {"restarting": why, "in": seconds} or {"stopped": True}."""
    tick: Callable[[], None] = lambda: None
    """Called after everything that happens, and at least every TICK_SECONDS."""
    inbox: Inbox = field(default_factory=queue.SimpleQueue)
    resume: Message | None = None
    """Where the stream stands, so that the next listener can go on with it."""
    starts: int = 0
    failures: int = 0
    """In a row."""
    stopping: bool = False
    worked: bool = False
    """Whether any listener has heard sound."""

    def run(self) -> str | None:
        """Runs until an order to stop; None where all was closed well, else the sentence that says what went wrong.

        A listener that gives up before any has ever worked is not started again.
        """
        while not self.stopping:
            child = self._start()
            self._watch(child)
            reason = self._reason(child)
            if self.stopping:
                self.tell({"stopped": True})
                return None if child.process.returncode == 0 else reason
            if not self.worked:
                return child.failed or reason
            self._wait(self._delay(child), child.failed or reason)
        self.tell({"stopped": True})
        return None

    @property
    def code(self) -> int:
        """The exit code of the last listener."""
        return self._code

    _code: int = 0

    def _start(self) -> Child:
        self.starts += 1
        process = subprocess.Popen(  # noqa: S603 - our own command
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        child = Child(self.starts, process, self.clock())
        child.send(json.dumps({"config": dict(self.config), "resume": self.resume}))
        for read, pipe in ((self._read, process.stdout), (_keep_last, process.stderr)):
            threading.Thread(target=read, args=(child, pipe), daemon=True).start()
        return child

    def _read(self, child: Child, pipe: IO[bytes]) -> None:
        for line in pipe:
            self.inbox.put(("line", (child.number, line)))
        self.inbox.put(("end", child.number))

    def _watch(self, child: Child) -> None:
        """Returns once the listener has ended."""
        while True:
            kind, what = self._next()
            if kind == "order":
                self._obey(child, what)
            elif kind == "line" and what[0] == child.number:
                self._heed(child, what[1])
            elif kind == "end" and what == child.number:
                break
            self._judge(child)
            self.tick()
        self._code = child.process.wait()
        for pipe in (child.process.stdin, child.process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()

    def _next(self) -> tuple[str, Any]:
        try:
            return self.inbox.get(timeout=TICK_SECONDS)
        except queue.Empty:
            return "nothing", None

    def _obey(self, child: Child, order: str) -> None:
        if order == "stop":
            self.stopping = True
            child.stopping = child.stopping or self.clock()
        child.send(order)

    def _heed(self, child: Child, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        if "begun" in message and "started" in message:
            self.worked, child.since_begun = True, self.clock()
            self.resume = {"stream": message["begun"], "at": 0.0, "since": self.clock(), "reason": DIED}
        if "beat" in message:
            self._beat(child, message)
        child.failed = message.get("failed", child.failed)
        self.tell(message)

    def _beat(self, child: Child, message: Message) -> None:
        child.beat = self.clock()
        if self.resume and message["begun"]:
            self.resume |= {"at": message["settled"], "since": message["since"]}
        used = message.get("megabytes", 0)
        if used > self.memory_limit * HARD_LIMIT:
            child.kill(GREW)
        elif used > self.memory_limit and not child.renewing:
            child.renewing = True
            child.send("renew")

    def _judge(self, child: Child) -> None:
        now = self.clock()
        if child.stopping is not None:
            if now - child.stopping > STOP_SECONDS:
                child.kill(UNSTOPPED)
        elif child.beat is None:
            if now - child.started > START_SECONDS:
                child.kill(SLOW)
        elif now - child.beat > HANG_SECONDS:
            child.kill(HUNG)

    def _reason(self, child: Child) -> str:
        """Why the listener ended: for the record in English, given for the screen in the reader's language."""
        code = child.process.returncode
        reason = child.why or (GONE if code == NO_MICROPHONE else GREW if code == 0 else DIED)
        if self.resume:
            self.resume["reason"] = reason
        if child.why or code in (0, NO_MICROPHONE):
            return _(reason)
        how = _signal_name(-code) if code < 0 else _("exit code {code}").format(code=code)
        return f"{_(reason)} ({how}{': ' + child.noise[-1] if child.noise else ''})"

    def _delay(self, child: Child) -> float:
        """Seconds until the next start."""
        code = child.process.returncode
        if code == 0:
            return 0.0
        well = child.since_begun is not None and self.clock() - child.since_begun > HEALTHY_SECONDS
        self.failures = 1 if well else self.failures + 1
        longest = LONGEST_DEVICE_DELAY if code == NO_MICROPHONE else LONGEST_DELAY
        return float(min(longest, FIRST_DELAY * 2 ** min(self.failures - 1, 16)))

    def _wait(self, seconds: float, reason: str) -> None:
        self.tell({"restarting": reason, "in": seconds})
        until = self.clock() + seconds
        while not self.stopping and self.clock() < until:
            kind, what = self._next()
            self.stopping = self.stopping or (kind, what) == ("order", "stop")
            self.tick()


def _keep_last(child: Child, pipe: IO[bytes]) -> None:
    """Reads what the listener prints beside its messages: the last line may tell why it died."""
    with pipe:
        for line in pipe:
            if text := line.decode("utf-8", "replace").strip():
                child.noise[:] = [text[:200]]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return _("signal {number}").format(number=number)

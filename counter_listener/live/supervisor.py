"""Keeps the listening process running: restarts it when it dies, hangs or grows, and reports to systemd.

Imports neither vosk nor sounddevice: the process that supervises stays small.
"""

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
from counter_listener.live.screen_state import Message

HANG_SECONDS: Final = 10.0
"""A listener from which no block came through the whole chain for so long hangs."""
START_SECONDS: Final = 180.0
"""Time limit for the first block: a large model takes a minute to load, and its check another."""
STOP_SECONDS: Final = 1.7
"""Time limit for closing the visit and writing it, after the order to stop."""
TICK_SECONDS: Final = 0.2
"""How often to look at the clock while nothing happens."""
PAUSE_SECONDS: Final = 3.0
"""Between two looks at the clock; after a longer time this process itself was not running."""
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 60.0
"""Seconds before a restart: each time twice as many, up to this."""
LONGEST_DEVICE_DELAY: Final = 4.0
"""The same where only the microphone is missing: to look costs little, and it must be heard soon after it is back."""
HEALTHY_SECONDS: Final = 60.0
"""After so long a listener counts as healthy, and the next delay is the first again."""
HARD_LIMIT: Final = 2
"""A listener with so many times the memory limit is killed even during a visit."""
NO_MICROPHONE: Final = 75
"""The listener's exit code if the microphone cannot be used for now (sysexits.h, EX_TEMPFAIL)."""

Inbox = queue.SimpleQueue[tuple[str, Any]]
"""What happens: ("line", (child's number, line)), ("end", child's number), ("order", one such as "stop")."""

GREW: Final = N_("the listener used too much memory and was started anew")
HUNG: Final = N_("the listener hung and was started anew")
DIED: Final = N_("the listener died and was started anew")
GONE: Final = N_("the microphone was away")
CHANGED: Final = N_("a new phrase set came into force")
UNSTOPPED: Final = N_("the listener did not stop when told to; its visit is closed at the next start")
SLOW: Final = N_("the listener did not start in time")


@dataclass
class Child:
    """One listening process. Times are by the clock."""

    number: int
    process: subprocess.Popen[bytes]
    started: float
    beat: float | None = None
    """When a block last came through the whole chain."""
    first_audio: float | None = None
    """When its first audio came."""
    renewing: bool = False
    renewed: str = ""
    """Why it was told to end between two visits, if not because of its memory."""
    stopping: float | None = None
    """When it was ordered to stop."""
    checked: float | None = None
    """When its limits were last checked."""
    killed: str = ""
    """Why it was killed, if it was."""
    failed: str = ""
    """The sentence with which it gave up."""
    last_line: str = ""
    """The last line that it wrote to stderr."""

    def send(self, line: str) -> None:
        """Gives an order; nothing happens if the process has ended."""
        pipe = self.process.stdin
        with suppress(OSError, ValueError):
            if pipe:
                pipe.write(line.encode("utf-8") + b"\n")
                pipe.flush()

    def excuse_pause(self, now: float) -> None:
        """While this process itself did not run (suspended computer, stopped terminal), the child did not hang."""
        pause = now - (self.started if self.checked is None else self.checked)
        self.checked = now
        if pause > PAUSE_SECONDS:
            self.started += pause
            self.beat = None if self.beat is None else self.beat + pause
            self.stopping = None if self.stopping is None else self.stopping + pause

    def kill(self, reason: str) -> None:
        """Ends it at once."""
        self.killed = reason
        self.process.kill()

    def read_errors(self, stderr: IO[bytes]) -> None:
        """Reads stderr to its end: the last line may say why the process died."""
        with stderr:
            for line in stderr:
                self.last_line = line.decode("utf-8", "replace").strip()[:200] or self.last_line


@dataclass
class Supervisor:
    """Runs the listening process until it is ordered to stop."""

    command: Sequence[str]
    """Starts a process that speaks the protocol of cli/listener_process.py."""
    config: Mapping[str, Any]
    memory_limit: float
    """Megabytes."""
    clock: Callable[[], float]
    """Seconds; it never goes back."""
    on_message: Callable[[Message], None]
    """Called with every message of the listener, and {"restarting": reason, "in": seconds} or {"stopped": True}."""
    on_tick: Callable[[], None] = lambda: None
    """Called after everything that happens, and at least every TICK_SECONDS."""
    inbox: Inbox = field(default_factory=queue.SimpleQueue)
    resume: Message | None = None
    """Where the stream stands, so that the next listener can continue it."""
    starts: int = 0
    failures: int = 0
    """In a row."""
    stopping: bool = False
    worked: bool = False
    """Whether any listener has received audio."""
    code: int = 0
    """The exit code of the last listener."""

    def run(self) -> str | None:
        """Supervises until ordered to stop; returns None, or a sentence if the listener could not be started or ended.

        A listener that never worked is not restarted.
        """
        while not self.stopping:
            child = self._start()
            self._watch(child)
            reason = self._reason(child)
            if self.stopping:
                self.on_message({"stopped": True})
                return None if self.code == 0 else reason
            if not self.worked:
                return child.failed or reason
            self._wait(self._delay(child), child.failed or reason)
        self.on_message({"stopped": True})
        return None

    def _start(self) -> Child:
        self.starts += 1
        process = subprocess.Popen(  # noqa: S603 - our own command
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        child = Child(self.starts, process, self.clock())
        child.send(json.dumps({"config": dict(self.config), "resume": self.resume}))
        threading.Thread(target=self._read_messages, args=(child.number, process.stdout), daemon=True).start()
        threading.Thread(target=child.read_errors, args=(process.stderr,), daemon=True).start()
        return child

    def _read_messages(self, number: int, stdout: IO[bytes]) -> None:
        for line in stdout:
            self.inbox.put(("line", (number, line)))
        self.inbox.put(("end", number))

    def _watch(self, child: Child) -> None:
        """Returns once the process has ended."""
        while True:
            kind, content = self._next()
            if kind == "order":
                if content == "stop":
                    self.stopping = True
                    child.stopping = child.stopping or self.clock()
                elif content == "renew":
                    child.renewed = CHANGED
                child.send(content)
            elif kind == "line" and content[0] == child.number:
                self._handle(child, content[1])
            elif kind == "end" and content == child.number:
                break
            self._check_limits(child)
            self.on_tick()
        self.code = child.process.wait()
        for pipe in (child.process.stdin, child.process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()

    def _next(self) -> tuple[str, Any]:
        try:
            return self.inbox.get(timeout=TICK_SECONDS)
        except queue.Empty:
            return "nothing", None

    def _handle(self, child: Child, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        self.resume = resume_point(self.resume, message, self.clock())
        if "begun" in message and "started" in message:
            self.worked, child.first_audio = True, self.clock()
        if "beat" in message:
            self._handle_beat(child, message)
        child.failed = message.get("failed", child.failed)
        self.on_message(message)

    def _handle_beat(self, child: Child, message: Message) -> None:
        child.beat = self.clock()
        used = message.get("megabytes", 0)
        if used > self.memory_limit * HARD_LIMIT:
            child.kill(GREW)
        elif used > self.memory_limit and not child.renewing:
            child.renewing = True
            child.send("renew")

    def _check_limits(self, child: Child) -> None:
        child.excuse_pause(self.clock())
        since, limit, reason = child.started, START_SECONDS, SLOW
        if child.stopping is not None:
            since, limit, reason = child.stopping, STOP_SECONDS, UNSTOPPED
        elif child.beat is not None:
            since, limit, reason = child.beat, HANG_SECONDS, HUNG
        if self.clock() - since > limit:
            child.kill(reason)

    def _reason(self, child: Child) -> str:
        """Why the listener ended: in English for the record, returned in the reader's language for the screen."""
        ended = {0: child.renewed or GREW, NO_MICROPHONE: GONE}
        reason = child.killed or ended.get(self.code, DIED)
        if self.resume:
            self.resume["reason"] = reason
        if child.killed or self.code in (0, NO_MICROPHONE):
            return _(reason)
        how = _signal_name(-self.code) if self.code < 0 else _("exit code {code}").format(code=self.code)
        return f"{_(reason)} ({how}{': ' + child.last_line if child.last_line else ''})"

    def _delay(self, child: Child) -> float:
        """Seconds until the next start."""
        if self.code == 0:
            return 0.0
        healthy = child.first_audio is not None and self.clock() - child.first_audio > HEALTHY_SECONDS
        self.failures = 1 if healthy else self.failures + 1
        longest = LONGEST_DEVICE_DELAY if self.code == NO_MICROPHONE else LONGEST_DELAY
        return float(min(longest, FIRST_DELAY * 2 ** min(self.failures - 1, 16)))

    def _wait(self, seconds: float, reason: str) -> None:
        self.on_message({"restarting": reason, "in": seconds})
        until = self.clock() + seconds
        while not self.stopping and self.clock() < until:
            self.stopping = self._next() == ("order", "stop")
            self.on_tick()


def resume_point(resume: Message | None, message: Message, now: float) -> Message | None:
    """Where the next listener continues, after one more message; `now` is by the clock.

    A listener that continues a stream says so before its first gap is written. Until it has settled something, the next
    one continues where this one did.
    """
    if "begun" in message and "started" in message:
        if resume and resume["stream"] == message["begun"]:
            return resume
        return {"stream": message["begun"], "at": 0.0, "since": now, "reason": DIED}
    if "beat" in message and resume and message["begun"]:
        return resume | {"at": message["settled"], "since": message["since"]}
    return resume


def _signal_name(number: int) -> str:
    known = {each.value: each.name for each in signal.Signals}
    return known.get(number) or _("signal {number}").format(number=number)

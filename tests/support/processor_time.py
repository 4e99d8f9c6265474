"""With `--processor-time`: how many seconds of processor time each test file takes, and how many pass.

What the processes of a test took counts once they were waited for.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

SHOWN = 60
"""Files that are listed."""
BESIDE = "imports, collection"
KEY = "processor_time"


class Spent(NamedTuple):
    """Seconds."""

    processor: float = 0.0
    passed: float = 0.0

    def plus(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(self.processor + other.processor, self.passed + other.passed)


FILES: defaultdict[str, Spent] = defaultdict(Spent)


def now() -> Spent:
    """What this process has taken so far, and its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Spent(sum(one.ru_utime + one.ru_stime for one in used), time.monotonic())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measures a test with what is set up for it and taken down after it."""
    began = now()
    result = yield
    ended = now()
    spent = Spent(ended.processor - began.processor, ended.passed - began.passed)
    FILES[item.location[0]] = FILES[item.location[0]].plus(spent)
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands the figures of a worker to the process that started it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None or not session.config.getoption("numprocesses", None):
        FILES[BESIDE] = Spent(now().processor - sum(one.processor for one in FILES.values()))
    if output is not None:
        output[KEY] = {name: tuple(spent) for name, spent in FILES.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Adds the figures of a worker."""
    for name, spent in getattr(node, "workeroutput", {}).get(KEY, {}).items():
        FILES[name] = FILES[name].plus(Spent(*spent))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Lists the files, the dearest first."""
    terminalreporter.section("seconds of processor time, seconds that passed")
    listed = sorted(FILES.items(), key=lambda one: -one[1].processor)
    whole = Spent(sum(one.processor for one in FILES.values()), sum(one.passed for one in FILES.values()))
    for name, spent in [*listed[:SHOWN], ("all", whole)]:
        terminalreporter.line(f"{spent.processor:8.1f} {spent.passed:8.1f}  {name}")

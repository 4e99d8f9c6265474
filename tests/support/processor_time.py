"""A plugin, `pytest -p support.processor_time`: how much processor time each test file takes, and how long it takes.

What the processes of a test took counts once they were waited for.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import pytest

SHOWN = 40
"""Files that are listed."""


class Spent(NamedTuple):
    """Seconds."""

    processor: float = 0.0
    passed: float = 0.0


FILES: defaultdict[str, Spent] = defaultdict(Spent)


def now() -> Spent:
    """What this process has taken so far, and its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Spent(sum(one.ru_utime + one.ru_stime for one in used), time.monotonic())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measures a test with what is set up for it and taken down after it."""
    began, before = now(), FILES[item.location[0]]
    result = yield
    ended = now()
    FILES[item.location[0]] = Spent(
        before.processor + ended.processor - began.processor, before.passed + ended.passed - began.passed
    )
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Lists the files, the dearest first."""
    terminalreporter.section("seconds of processor time, seconds that passed")
    for name, spent in sorted(FILES.items(), key=lambda one: -one[1].processor)[:SHOWN]:
        terminalreporter.line(f"{spent.processor:8.1f} {spent.passed:8.1f}  {name}")
    total = now().processor
    terminalreporter.line(f"{total:8.1f} {sum(one.passed for one in FILES.values()):8.1f}  all, with what was imported")

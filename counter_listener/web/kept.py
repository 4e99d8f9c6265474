"""What took long to find out is kept for a minute, so that many readers do not each have it found out again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")
FRESH: Final = timedelta(minutes=1)
MOST: Final = 32
"""Values that are kept."""


class Kept(Generic[Value]):
    """Values by what was asked. The same is found out by one thread at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: OrderedDict[Hashable, tuple[datetime, Value]] = OrderedDict()
        self._finding: dict[Hashable, Lock] = {}

    def get(self, asked: Hashable, now: datetime, find: Callable[[], Value]) -> Value:
        """The value for what is asked, as it is or was at most a minute ago."""
        with self._lock:
            mine = self._finding.setdefault(asked, Lock())
        with mine:
            known = self._values.get(asked)
            if known is not None and abs(now - known[0]) < FRESH:
                return known[1]
            value = find()
            with self._lock:
                self._values[asked] = (now, value)
                self._finding.pop(asked, None)
                while len(self._values) > MOST:
                    self._values.popitem(last=False)
        return value

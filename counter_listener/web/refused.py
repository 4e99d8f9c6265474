"""How many tokens were refused, by address: who sends one after another is told to wait. Kept in memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

WINDOW: Final = timedelta(minutes=15)
"""Tokens that were refused count for this long."""
MOST_REFUSED: Final = 20
"""Refused tokens of one address within WINDOW; whoever sends more is told to wait."""
MOST_ADDRESSES: Final = 10_000


class Refused:
    """The tokens that were refused, by the address that sent them. A token that is right is never kept waiting."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._times: OrderedDict[str, deque[datetime]] = OrderedDict()

    def add(self, address: str, now: datetime) -> bool:
        """Counts one more; whether there are too many of this address."""
        with self._lock:
            times = self._times.setdefault(address, deque(maxlen=MOST_REFUSED + 1))
            self._times.move_to_end(address)
            while len(self._times) > MOST_ADDRESSES:
                self._times.popitem(last=False)
            times.append(now)
            while now - times[0] > WINDOW:
                times.popleft()
            return len(times) > MOST_REFUSED

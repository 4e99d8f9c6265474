"""Confidence intervals of shares. Pure."""

from __future__ import annotations

from math import sqrt
from typing import Final

Z_95: Final = 1.959964
"""Of the normal distribution, for 95 %."""

Interval = tuple[float, float]
"""Lower and upper bound."""


def wilson_interval(part: int, whole: int, z: float = Z_95) -> Interval:
    """The 95 % score interval of a share, 0-1; all of it where there is nothing to count.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927): it stays
    within 0-1 and is not empty at 0 of n or n of n, where the usual one is.
    """
    if not whole:
        return (0.0, 1.0)
    share, spread = part / whole, z * z / whole
    middle = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * sqrt(share * (1 - share) / whole + spread / whole / 4)
    low = 0.0 if part == 0 else middle - reach
    return (low, 1.0 if part == whole else middle + reach)

"""Confidence intervals."""

from math import sqrt
from typing import Final

Z_95: Final = 1.959964
"""The quantile of the standard normal distribution for a 95 % interval."""

Interval = tuple[float, float]
"""Lower and upper bound."""


def wilson_interval(part: int, whole: int, z: float = Z_95) -> Interval:
    """The score interval of the share part / whole, within 0-1; 95 % by default, and (0, 1) if `whole` is 0.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927). Unlike the
    normal approximation it stays within 0-1 and is not empty at 0 of n or n of n.
    """
    if not whole:
        return (0.0, 1.0)
    share, spread = part / whole, z * z / whole
    middle = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * sqrt(share * (1 - share) / whole + spread / whole / 4)
    return (0.0 if part == 0 else middle - reach, 1.0 if part == whole else middle + reach)

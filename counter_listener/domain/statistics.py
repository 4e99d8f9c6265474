"""Confidence intervals, weighted shares, and the agreement of two people."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

Z_95: Final = 1.959964
"""The quantile of the standard normal distribution for a 95 % interval."""

Interval = tuple[float, float]
"""Lower and upper bound."""


def wilson_interval(part: float, whole: float, z: float = Z_95) -> Interval:
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


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share in all, estimated from a sample of unequal chances."""

    value: float
    """0-1."""
    interval: Interval
    """95 %."""
    n: int
    """Cases in the sample."""
    part: int
    """Of those, with what is estimated."""


def weighted_share(cases: Sequence[tuple[float, bool]]) -> Estimate | None:
    """The share of what is true among all, from cases with their chances of being drawn (over 0, up to 1).

    Each case stands for 1 / chance others (J. Hajek, 1971). The interval is Wilson's with the effective number of cases
    (L. Kish, Survey Sampling, 1965): unequal weights say less than as many equal ones. None without cases.
    """
    weights = [1 / chance for chance, _ in cases]
    whole = sum(weights)
    if not whole:
        return None
    share = sum(weight for weight, (_, true) in zip(weights, cases, strict=True) if true) / whole
    effective = whole**2 / sum(weight**2 for weight in weights)
    return Estimate(share, wilson_interval(share * effective, effective), len(cases), sum(true for _, true in cases))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people who judged the same agree."""

    n: int
    """What both judged."""
    agreed: int
    kappa: float | None
    """Cohen's kappa: 1 is full agreement, 0 what chance alone would give; None where both always said the same one."""
    interval: Interval | None
    """95 %; None without kappa."""


def cohen_kappa(pairs: Iterable[tuple[Hashable, Hashable]]) -> Agreement:
    """The agreement of two people from what each said of the same things.

    The interval is from the asymptotic variance of J. L. Fleiss, J. Cohen and B. S. Everitt, Large sample standard
    errors of kappa and weighted kappa, Psychological Bulletin 72 (1969), within -1 to 1.
    """
    cells = Counter(pairs)
    n = cells.total()
    agreed = sum(count for (one, other), count in cells.items() if one == other)
    first, second = Counter[Hashable](), Counter[Hashable]()
    for (one, other), count in cells.items():
        first[one] += count
        second[other] += count
    chance = sum(first[each] * second[each] for each in first) / n**2 if n else 1.0
    if chance >= 1:
        return Agreement(n, agreed, None, None)
    kappa = (agreed / n - chance) / (1 - chance)
    moments = [0.0, 0.0]
    for (one, other), count in cells.items():
        slope = (one == other) - (1 - kappa) * (second[one] + first[other]) / n
        moments[0] += count / n * slope
        moments[1] += count / n * slope**2
    spread = Z_95 * sqrt(max(0.0, moments[1] - moments[0] ** 2) / n) / (1 - chance)
    return Agreement(n, agreed, kappa, (max(-1.0, kappa - spread), min(1.0, kappa + spread)))

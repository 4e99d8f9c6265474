"""The filter of visits as the query of an address, so that what somebody sees can be sent to somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast, get_args

from counter_listener.domain import OUTCOMES, VERDICTS
from counter_listener.record import Order, VisitFilter

LONGEST: Final = 200
"""Letters of a field that are read."""
PASSED: Final = ("failed", "passed", "unscored")
YES_NO: Final = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class VisitQuery:
    """What the address asks for. What makes no sense is left out, and told."""

    filter: VisitFilter
    order: Order = "time"
    ascending: bool = False
    page: int = 1
    unread: tuple[str, ...] = field(default=())
    """Names of fields that could not be read."""


def read_query(given: Mapping[str, str]) -> VisitQuery:
    """The query in the fields of an address."""
    reader = _Reader({name: value.strip()[:LONGEST] for name, value in given.items()})
    wanted = VisitFilter(
        since=reader.day("since"),
        until=reader.day("until", timedelta(days=1)),
        counters=(reader.text("counter"),) if reader.text("counter") else (),
        branch=reader.text("branch") or None,
        region=reader.text("region") or None,
        passed=reader.choice("result", PASSED),
        verdict=reader.choice("verdict", tuple(VERDICTS)),
        phrase=reader.text("phrase") or None,
        outcome=reader.choice("outcome", (*OUTCOMES, "service")),
        least=reader.number("least"),
        most=reader.number("most"),
        reviewed=YES_NO.get(reader.choice("reviewed", tuple(YES_NO)) or ""),
        file=reader.text("file"),
        search=reader.text("q"),
    )
    order = reader.choice("sort", get_args(Order)) or "time"
    page = max(1, int(reader.number("page") or 1))
    ascending = reader.choice("way", ("up", "down")) == "up"
    return VisitQuery(wanted, cast("Order", order), ascending, page, tuple(reader.unread))


@dataclass(slots=True)
class _Reader:
    given: Mapping[str, str]
    unread: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        return "".join(letter for letter in self.given.get(name, "") if letter.isprintable())

    def choice(self, name: str, known: tuple[str, ...]) -> Any:  # noqa: ANN401 - one of the known
        value = self.given.get(name) or None
        if value is not None and value not in known:
            self.unread.append(name)
            return None
        return value

    def number(self, name: str) -> float | None:
        if not (text := self.given.get(name)):
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not abs(value) < 1e9:  # noqa: PLR2004 - more than any page or score
            self.unread.append(name)
            return None
        return value

    def day(self, name: str, more: timedelta = timedelta()) -> datetime | None:
        """The beginning of a day in the zone of this machine."""
        if not (text := self.given.get(name)):
            return None
        try:
            return datetime.combine(date.fromisoformat(text) + more, time()).astimezone()
        except (ValueError, OverflowError):
            self.unread.append(name)
            return None

"""Up to when rows may be removed, and what must not be: what a purge is given and what it tells. Pure, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KEPT_BY_SERVER: Final = "server:"
"""What the names of holds begin with that a server handed out."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What happened before a time may go; ISO 8601 in UTC. None: nothing may."""

    everywhere: str | None
    """For every counter that has no limit of its own, and for what belongs to no counter."""
    groups: Mapping[str | None, tuple[str, ...]] = field(default_factory=dict)
    """Other limits, each with its counters."""

    @property
    def latest(self) -> str:
        """The latest of them; empty if there is none."""
        return max((each for each in (self.everywhere, *self.groups) if each), default="")

    def of(self, counter: str | None) -> str | None:
        """The limit of a counter."""
        found = (limit for limit, counters in self.groups.items() if counter in counters)
        return next(found, self.everywhere)


NEVER: Final = Limits(None)
"""Nothing may go."""


@dataclass(frozen=True, slots=True)
class HoldScope:
    """What a hold keeps, with its branch or region as counters."""

    id: str
    counters: tuple[str, ...] | None = None
    """None is every counter, and what belongs to none."""
    visit: str | None = None
    """The only visit that it keeps; None for all of its counters."""
    since: str | None = None
    """What ended at this time or later; None from the beginning."""
    until: str | None = None
    """What began before this time; None without an end."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a purge left because of holds."""

    visits: int = 0
    """Each counted once."""
    holds: Mapping[str, int] = field(default_factory=dict)
    """The names of the holds, and how many visits each kept; one may be under several."""


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge removed, or would remove."""

    rows: int
    """Recordings included."""
    visits: Mapping[str | None, int] = field(default_factory=dict)
    """By counter."""
    held: Held = field(default_factory=Held)
    clips: int = 0
    """Clips beside the record that went along."""

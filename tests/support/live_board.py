"""States of the screen as messages of a listener make them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from counter_listener.cli.listener_process import describe_standard
from counter_listener.domain import Event
from counter_listener.live.screen_state import ScreenState
from support.bundled import matcher

NOON = datetime(2026, 1, 15, 4, tzinfo=UTC)


def begun(name: str = "bank-counter") -> ScreenState:
    """A counter at which listening has begun."""
    board = ScreenState(counter="3")
    board.apply({"standard": describe_standard(matcher(name)), "device": "USB", "model": "m", "day": None})
    board.apply({"begun": "live-1", "started": NOON.isoformat()})
    board.apply(beat(1.0))
    return board


def beat(at: float, level: float = -20.0) -> dict[str, Any]:
    return {"beat": at, "settled": at, "since": 0.0, "level": level, "open": True, "begun": True}


def event(kind: str, at: float, **more: Any) -> dict[str, Any]:
    return {"event": asdict(Event(kind, at, **{"visit": 1, **more}))}  # type: ignore[arg-type]


def heard(owner: str, at: float, title: str, **detail: Any) -> dict[str, Any]:
    return event(
        "phrase", at, phrase=owner, verdict="heard", heard="x", detail={"title": title, "required": True, **detail}
    )


def closed(at: float, score: float, **more: Any) -> dict[str, Any]:
    """A visit that has closed."""
    counts = {"owed": 4, "heard": 3, "forbidden": 0, "broken": 0}
    detail = {"grade": "良好", "passed": True, "counts": counts, "lost_audio": False, "opened": 2.0}
    return event("visit_closed", at, score=score, detail=detail, **more)

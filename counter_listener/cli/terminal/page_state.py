"""What the page beside the clerk shows: the state of the terminal's screen as JSON, in the reader's language.

The only serialiser of that state. Nothing is in it that the terminal does not show.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from counter_listener.cli.terminal.day import closed_parts, day_line, day_summary
from counter_listener.cli.terminal.screen import (
    LOST_HERE,
    SHOWN_GAPS,
    advice_shown,
    counter_name,
    gap_text,
    hint_text,
    shown_phrases,
    visit_title,
)
from counter_listener.domain import _, printable, written
from counter_listener.live import Message, ScreenState


def page_state(state: ScreenState) -> str:
    """The state as a line of JSON."""
    shown = {
        "counter": counter_name(state),
        "state": state.state,
        "told": _(state.state),
        "level": state.level,
        "open": state.visit is not None,
        "visit": visit_title(state),
        "stages": list(_stages(state)),
        "hint": hint_text(state),
        "better": advice_shown(state),
        "words": printable(written(state.recent_words())),
        "wrong": list(_wrong(state)),
        "marked": printable(state.marked) if state.can_undo() else "",
        "last": [list(part) for part in closed_parts(state.last)] if state.last else [],
        "earlier": ["".join(text for text, _style in closed_parts(visit)) for visit in reversed(state.closed[:-1])],
        "day": [*day_summary(state.day)] if state.state == "stopped" and state.day.visits else [day_line(state.day)],
    }
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _stages(state: ScreenState) -> Iterator[dict[str, Any]]:
    for stage in state.shown_stages():
        yield {"title": printable(stage["title"]), "phrases": _marked(state, shown_phrases(state, stage))}
    if words := state.standard.get("words"):
        yield {"title": _("Courtesy"), "phrases": _marked(state, words), "words": True}


def _marked(state: ScreenState, shown: Iterable[Message]) -> list[dict[str, str]]:
    return [{"id": each["id"], "title": printable(each["title"]), "mark": state.mark(each["id"])} for each in shown]


def _wrong(state: ScreenState) -> Iterator[str]:
    """What is not as it should be: a trouble, sound that was lost."""
    if state.trouble:
        yield printable(_(state.trouble))
    if state.visit and state.visit.lost:
        yield _(LOST_HERE)
    yield from (gap_text(state, gap) for gap in state.losses[-SHOWN_GAPS:])

"""When a phrase was due in a visit: between what belongs before it and what belongs after it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from counter_listener.domain import Event, Phrase, PhraseSet, Scenario


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the recording, in seconds."""

    start: float
    end: float


def due_window(
    phrases: PhraseSet | None, events: Iterable[Event], missed: Event, opened: float, closed: float
) -> Window:
    """The stretch in which a phrase was due that was not heard; the whole visit where nothing tells more.

    A stage is due after the last phrase of the stages before it, and before the first of those after it. `events` are
    those of the visit, `opened` and `closed` the seconds at which it began and ended.
    """
    heard = [event for event in events if event.kind == "phrase" and event.verdict == "heard"]
    entry, scenario = _entry(phrases, missed.phrase)
    begun = [event.at for event in heard if scenario and event.phrase == scenario.id]
    start, end = (begun[0] if begun else opened), closed
    ranks = {stage.id: rank for rank, (stage, _) in enumerate(phrases.stages())} if phrases else {}
    own = ranks.get(missed.stage or "")
    if own is not None and scenario is None and phrases is not None:
        plain = {stage.id: ranks[stage.id] for stage in phrases.stage}
        before = [_end(event) for event in heard if plain.get(event.stage or "", own) < own]
        after = [event.at for event in heard if plain.get(event.stage or "", own) > own]
        start = max([start, *before])
        end = min([end, *(at for at in after if at > start)])
    if entry is not None and entry.within is not None:
        end = min(end, max(start, (begun[0] if begun else opened) + entry.within))
    return Window(round(start, 2), round(max(start, end), 2))


def _entry(phrases: PhraseSet | None, id_: str | None) -> tuple[Phrase | None, Scenario | None]:
    """A phrase, and the scenario that it belongs to, if any."""
    for stage, scenario in phrases.stages() if phrases else ():
        for phrase in stage.phrase:
            if phrase.id == id_:
                return phrase, scenario
    return None, None


def _end(event: Event) -> float:
    end = event.detail.get("end")
    return float(end) if isinstance(end, int | float) else event.at

"""The fields of the longer forms. Annotations are no texts here: FastAPI reads those of a class where it is made."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

Text = Annotated[str, Form()]
Whole = Annotated[int, Form()]
Number = Annotated[float, Form()]


@dataclass(frozen=True)
class Words:
    """A person's word on a verdict or a visit."""

    decision: Text = ""
    """`uphold`, `note`, `missed`, or the verdict that shall hold."""
    event: Text = ""
    observe: Text = ""
    after: Whole = 0
    reason: Text = ""
    note: Text = ""
    at: Text = ""
    scored: Text = ""


@dataclass(frozen=True)
class QueueWords(Words):
    """The same in the queue."""

    visit: Text = ""
    source: Text = ""
    counter: Text = ""
    verdict: Text = ""


@dataclass(frozen=True)
class Decided:
    """What somebody decides on an appeal."""

    visit: Text = ""
    appeal: Text = ""
    outcome: Text = ""
    """`upheld`, or the verdict that shall hold."""
    after: Whole = 0
    note: Text = ""


@dataclass(frozen=True)
class PlanForm:
    """A new sample."""

    name: Text = ""
    since: Text = ""
    until: Text = ""
    """The last day of it."""
    counter: Text = ""
    per_week: Whole = 5
    offences: Text = ""
    unknown: Text = ""
    passes: Number = 5.0
    """Percent."""
    twice: Number = 10.0
    """Percent."""
    seed: Whole = 0
    reviewer: Annotated[list[str] | None, Form()] = None


@dataclass(frozen=True)
class RuleForm:
    """How long something is kept."""

    scope: Text = ""
    """The level, a colon, and the name."""
    visits: Text = ""
    """Days; empty is as the wider place."""
    transcripts: Text = ""


@dataclass(frozen=True)
class HoldForm:
    """A hold that is set or changed."""

    hold: Text = ""
    """The one that is changed."""
    scope: Text = ""
    visit: Text = ""
    """The id of a visit; it goes before `scope`."""
    since: Text = ""
    until: Text = ""
    """The last day."""
    reason: Text = ""

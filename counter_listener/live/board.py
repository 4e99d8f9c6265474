"""What the screen shows, built from the listener's messages alone; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

Message = dict[str, Any]
State = Literal["starting", "listening", "restarting", "stopped"]
Mark = Literal["heard", "guessed", "open"]

LINGER: Final = 6.0
"""Seconds for which the last words stay on the screen."""
TROUBLE_LINGERS: Final = 30.0
"""The same for trouble, once sound is heard again."""
SOFT_GAPS: Final = frozenset({"listening began", "listening was stopped", "the listener made room for a new one"})
"""Gaps in which no sound was lost that was meant to be heard."""


@dataclass(frozen=True, slots=True)
class Offence:
    """Something that was better not said, or a courtesy that was missing."""

    title: str
    at: float
    """Seconds into the stream."""
    sure: bool


@dataclass(frozen=True, slots=True)
class ShownGap:
    """A gap, for the screen."""

    at: float
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Hint:
    """Something due that was not heard yet. Never part of the record."""

    title: str
    say: str
    """A wording that would do; may be empty."""


@dataclass
class OpenVisit:
    """The visit that goes on."""

    number: int
    opened: float
    """Seconds into the stream."""
    heard: dict[str, float] = field(default_factory=dict)
    """Seconds into the stream, by id of the phrase or courtesy word."""
    titles: dict[str, str] = field(default_factory=dict)
    scenarios: dict[str, float] = field(default_factory=dict)
    offences: list[Offence] = field(default_factory=list)
    lost: bool = False


@dataclass(frozen=True, slots=True)
class ClosedVisit:
    """A visit that is over."""

    number: int
    opened: float
    """Seconds into the stream."""
    score: float | None
    grade: str
    passed: bool | None
    counts: dict[str, int]
    missed: tuple[str, ...]
    """Titles of what was owed and not heard."""
    unknown: tuple[str, ...]
    lost: bool
    at: float


@dataclass
class Day:
    """What the visits of today came to."""

    visits: int = 0
    passed: int = 0
    scored: int = 0
    points: float = 0.0
    offences: int = 0

    def add(self, score: float | None, *, passed: bool | None, offences: int) -> None:
        """Counts a closed visit in."""
        self.visits += 1
        self.offences += offences
        if score is not None:
            self.scored += 1
            self.points += score
            self.passed += bool(passed)


@dataclass
class ScreenState:
    """Everything that is known of the counter at this moment."""

    counter: str = ""
    state: State = "starting"
    trouble: str = ""
    """What is wrong, in a sentence; empty when all is well."""
    trouble_at: float = 0.0
    """Seconds into the stream."""
    standard: Message = field(default_factory=dict)
    device: str = ""
    level: float = -96.0
    """Decibels below full scale."""
    at: float = 0.0
    """Seconds into the stream."""
    started: datetime | None = None
    """Wall time of second 0 of the stream."""
    guess: str = ""
    guessed: frozenset[str] = frozenset()
    words: str = ""
    """What was just said."""
    words_at: float = float("-inf")
    visit: OpenVisit | None = None
    last: ClosedVisit | None = None
    losses: list[ShownGap] = field(default_factory=list)
    lost: float = 0.0
    """Seconds lost since the start."""
    restarts: int = 0
    day: Day = field(default_factory=Day)
    _missed: list[str] = field(default_factory=list)
    _unknown: list[str] = field(default_factory=list)

    def take(self, message: Message) -> ClosedVisit | ShownGap | None:
        """Takes a message in; gives the visit or the gap that it told of, if it did."""
        if "beat" in message:
            self.at, self.level = message["beat"], message["level"]
            if message["begun"] and self.state != "stopped":
                self._well()
        elif "guess" in message:
            self._guess(message["guess"], message["ids"])
        elif "event" in message:
            return self._event(message["event"])
        elif "standard" in message:
            self.standard, self.device = message["standard"], message["device"]
            self.day = Day(**message["day"]) if message.get("day") else self.day
        elif "started" in message:
            self.started = datetime.fromisoformat(message["started"]) if message["started"] else None
            self._well()
        elif "trouble" in message:
            self.trouble, self.trouble_at = message["trouble"], self.at
        elif "restarting" in message:
            self.state, self.trouble, self.level = "restarting", message["restarting"], -96.0
            self.restarts += 1
            self._guess("", [])
        elif "stopped" in message:
            self.state = "stopped"
        return None

    def hints(self) -> Iterator[Hint]:
        """What is due in the open visit and neither heard nor being said."""
        if self.visit is None or self.state != "listening":
            return
        for stage in self.shown_stages():
            since = self.visit.scenarios.get(stage["scenario"], self.visit.opened)
            for phrase in stage["phrases"]:
                due = phrase["required"] and phrase["within"] is not None and self.at - since > phrase["within"]
                if due and self.mark(phrase["id"]) == "open":
                    yield Hint(phrase["title"], phrase["say"])

    def shown_stages(self) -> Iterator[Message]:
        """The stages that are owed now."""
        begun = self.visit.scenarios if self.visit else {}
        for stage in self.standard.get("stages", ()):
            if stage["scenario"] is None or stage["scenario"] in begun:
                yield stage

    def mark(self, owner: str) -> Mark:
        """Whether a phrase or courtesy word was heard, is just being said, or neither."""
        if self.visit and owner in self.visit.heard:
            return "heard"
        return "guessed" if owner in self.guessed else "open"

    def just_said(self) -> str:
        """The words of a moment ago."""
        return self.guess or (self.words if self.at - self.words_at < LINGER else "")

    def wall(self, at: float) -> str:
        """Local time of day of a moment of the stream, where it is known."""
        return f"{(self.started + timedelta(seconds=at)).astimezone():%H:%M:%S}" if self.started else ""

    def _well(self) -> None:
        if self.state in ("starting", "restarting"):
            self.state, self.trouble = "listening", ""
        if self.at - self.trouble_at > TROUBLE_LINGERS:
            self.trouble = ""

    def _guess(self, text: str, ids: list[str]) -> None:
        if self.guess and not text:
            self.words, self.words_at = self.guess, self.at
        self.guess, self.guessed = text, frozenset(ids)

    def _event(self, event: Message) -> ClosedVisit | ShownGap | None:
        kind, visit = event["kind"], self.visit
        if kind == "visit_opened":
            self.visit = OpenVisit(event["visit"], event["at"])
            self._missed, self._unknown = [], []
        elif kind == "visit_closed":
            return self._closed(event)
        elif kind == "gap":
            return self._loss(event)
        elif visit is None:
            return None
        elif kind == "phrase" and event["verdict"] == "heard":
            self._heard(visit, event)
        elif kind == "phrase" and event["detail"].get("required"):
            (self._missed if event["verdict"] == "not_heard" else self._unknown).append(str(event["detail"]["title"]))
        elif kind in ("forbidden", "rule") and event["verdict"] != "heard":
            sure = event["verdict"] != "unknown"
            visit.offences.append(Offence(str(event["detail"]["title"]), event["at"], sure))
        return None

    def _heard(self, visit: OpenVisit, event: Message) -> None:
        owner = event["phrase"]
        if event["detail"].get("scenario"):
            visit.scenarios[owner] = event["at"]
            return
        visit.heard[owner] = event["at"]
        visit.titles[owner] = str(event["detail"]["title"])

    def _closed(self, event: Message) -> ClosedVisit:
        detail = event["detail"]
        missed, unknown = tuple(self._missed), tuple(self._unknown)
        self.last = ClosedVisit(
            event["visit"],
            detail["opened"],
            event["score"],
            detail["grade"] or "",
            detail["passed"],
            detail["counts"],
            missed,
            unknown,
            detail["lost_audio"],
            event["at"],
        )
        self.day.add(event["score"], passed=detail["passed"], offences=detail["counts"]["forbidden"])
        self.visit = None
        return self.last

    def _loss(self, event: Message) -> ShownGap | None:
        loss = ShownGap(event["at"], event["detail"]["seconds"], str(event["detail"]["reason"]))
        if loss.reason in SOFT_GAPS:
            return None
        self.losses = [*self.losses, loss][-20:]
        self.lost += loss.seconds
        if self.visit:
            self.visit.lost = True
        return loss

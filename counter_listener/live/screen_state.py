"""What the screen shows, built from the messages of the listening process alone; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from counter_listener.domain import N_
from counter_listener.live.hints import OPENED, Hint, HintRule, Moments, hint_at

Message = dict[str, Any]
"""What the listening process reports, one JSON object a line; docs/developer.md lists the messages."""
State = Literal["starting", "listening", "restarting", "stopped"]
Mark = Literal["heard", "guessed", "open"]
WhenAdvised = Literal["during", "after", "never"]

WORDS_SECONDS: Final = 6.0
"""How long the last words stay on the screen."""
TROUBLE_SECONDS: Final = 30.0
"""How long a trouble stays on the screen once audio arrives again."""
ADVICE_SECONDS: Final = 20.0
"""How long a better wording stays on the screen."""
PARTIAL_LAG: Final = 1.0
"""Seconds from the beginning of an utterance to its first partial result, at most."""
SHOWN_GAPS: Final = 20
SHOWN_VISITS: Final = 12
STARTED: Final = N_("listening began")
STOPPED: Final = N_("listening was stopped")
RENEWED: Final = N_("the listener made room for a new one")
PLANNED_GAPS: Final = frozenset({STARTED, STOPPED, RENEWED})
"""Reasons of gaps in which no audio was lost that should have been heard."""


@dataclass(frozen=True, slots=True)
class Offence:
    """A forbidden phrase, or a broken rule."""

    title: str
    sure: bool
    """False if a customer may have said it."""
    better: str = ""
    """What to say instead; may be empty."""
    at: float = 0.0
    """Seconds into the stream."""


@dataclass(frozen=True, slots=True)
class ShownGap:
    """A gap, for the screen."""

    at: float
    """Seconds into the stream."""
    seconds: float
    reason: str


@dataclass
class OpenVisit:
    """The visit under way. Times are seconds into the stream."""

    number: int
    opened: float
    heard: dict[str, float] = field(default_factory=dict)
    """When, by the id of the phrase or courtesy word."""
    scenarios: dict[str, float] = field(default_factory=dict)
    """When, by the id of the scenario."""
    offences: list[Offence] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    """Titles of required phrases that were not heard."""
    unknown: list[str] = field(default_factory=list)
    """Titles of required phrases of which it is unknown whether they were said."""
    lost: bool = False
    """Whether audio was lost."""
    by_hand: bool = False
    """Whether a person opened it."""


@dataclass(frozen=True, slots=True)
class ClosedVisit:
    """A visit that is over. Times are seconds into the stream."""

    number: int
    opened: float
    at: float
    """When it closed."""
    score: float | None
    grade: str
    passed: bool | None
    counts: dict[str, int]
    missed: tuple[str, ...]
    unknown: tuple[str, ...]
    lost: bool
    outcome: str = "complete"
    """As in domain.Outcome."""
    better: tuple[str, ...] = ()
    """What to say instead of each offence."""


@dataclass
class Day:
    """Totals of today's visits, without those that were no service."""

    visits: int = 0
    passed: int = 0
    scored: int = 0
    points: float = 0.0
    offences: int = 0
    missed: dict[str, int] = field(default_factory=dict)
    """How often each required phrase was not heard, by title."""

    def add(self, score: float | None, *, passed: bool | None, offences: int, missed: Iterable[str] = ()) -> None:
        """Counts a closed visit, with the titles of what was not heard in it."""
        for title in missed:
            self.missed[title] = self.missed.get(title, 0) + 1
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
    when_advised: WhenAdvised = "during"
    """When a better wording is shown for an offence."""
    state: State = "starting"
    trouble: str = ""
    """What is wrong, in a sentence; empty when all is well."""
    trouble_at: float = 0.0
    """Seconds into the stream."""
    standard: Message = field(default_factory=dict)
    """The phrase set, as describe_standard() of the listening process has it."""
    rules: tuple[HintRule, ...] = ()
    """When its phrases are hinted at."""
    level: float = -96.0
    """Decibels below full scale."""
    at: float = 0.0
    """Seconds into the stream."""
    waited: float = 0.0
    """Seconds since then in which nothing could be taken in: a muted microphone must not stop a clock."""
    started: datetime | None = None
    """Wall time of second 0 of the stream."""
    guess: str = ""
    """Partial result of the recogniser."""
    guessed: frozenset[str] = frozenset()
    """Ids of what is found in it."""
    guessed_doubtful: frozenset[str] = frozenset()
    """Those that a customer may have said."""
    said: dict[str, float] = field(default_factory=dict)
    """When each id was found in a partial result last, in seconds into the stream."""
    doubtful: dict[str, float] = field(default_factory=dict)
    """When each was found last that a customer may have said, likewise."""
    speech_at: float = float("-inf")
    """When anybody spoke last."""
    began_at: float = 0.0
    """When the utterance under way began, likewise."""
    signs: dict[str, float] = field(default_factory=dict)
    """What shows that somebody is served, by id: when the utterance began that held it first since the visit opened."""
    words: str = ""
    """The last words, once they are final."""
    words_at: float = float("-inf")
    marked: str = ""
    """Title of the verdict that was marked as wrong last; empty if the mark was taken back."""
    marked_until: float = float("-inf")
    """Until when the mark can be taken back, in seconds into the stream."""
    keeping: str = ""
    """Of which verdicts clips of the sound are kept, as in domain.ClipKeep; empty while none are."""
    visit: OpenVisit | None = None
    last: ClosedVisit | None = None
    closed: list[ClosedVisit] = field(default_factory=list)
    """The newest SHOWN_VISITS."""
    losses: list[ShownGap] = field(default_factory=list)
    """The newest SHOWN_GAPS."""
    day: Day = field(default_factory=Day)

    def apply(self, message: Message) -> ClosedVisit | ShownGap | None:
        """Applies a message; returns the closed visit or the gap that it reports, if any."""
        if "beat" in message:
            self.at, self.level = message["beat"], message["level"]
            self.waited = message.get("waited", 0.0)
            if message["begun"] and self.state != "stopped":
                self._audio_arrived()
        elif "guess" in message:
            self._set_guess(message["guess"], message["ids"], message.get("doubtful", ()), message.get("signs", ()))
        elif "event" in message:
            return self._apply_event(message["event"])
        elif "standard" in message:
            self.standard = message["standard"]
            self.rules = tuple(HintRule(**rule) for rule in self.standard.get("hints", ()))
            self.day = Day(**message["day"]) if message.get("day") else self.day
        else:
            self._apply_state(message)
        return None

    def _apply_state(self, message: Message) -> None:
        """Applies a message about the listener itself, or about a mark."""
        if "started" in message:
            self.started = datetime.fromisoformat(message["started"]) if message["started"] else None
            self._audio_arrived()
        elif "marked" in message:
            self.marked, self.marked_until = message["marked"], self.at + message.get("for", 0.0)
        elif "keeping" in message:
            self.keeping = message["keeping"]
        elif "trouble" in message:
            self.trouble, self.trouble_at = message["trouble"], self.at
        elif "restarting" in message:
            self.state, self.trouble, self.level = "restarting", message["restarting"], -96.0
            self._set_guess("", [])
        elif "stopped" in message:
            self.state, self.keeping = "stopped", ""

    def hint(self) -> Hint | None:
        """The one phrase that is due in the open visit and neither heard nor in the partial result; none before there
        is a sign that somebody is served.
        """
        visit = self.visit
        if visit is None or self.state != "listening":
            return None
        said = {owner: max(at, self.said.get(owner, at)) for owner, at in (visit.heard | visit.scenarios).items()}
        asides = self.standard.get("asides", ())
        said |= {owner: self.said[owner] for owner in self.guessed if owner not in asides}
        for word in self.standard.get("words", ()):  # a courtesy word is no part of the service
            said.pop(word["id"], None)
        signs = dict.fromkeys(said, visit.opened) | self.signs
        service = self.standard.get("service", {})
        if visit.by_hand or not service.get("errands"):
            signs[OPENED] = visit.opened
        if not signs:
            return None
        points = sum(service["points"].get(name, 0.0) for name in signs) if service else 0.0
        served = visit.by_hand or points >= service.get("least", 0.0)
        doubtful = {owner: at for owner, at in self.doubtful.items() if at >= visit.opened}
        beside = (self.said[owner] for owner in asides if owner in self.said)
        aside = max((at for at in beside if at >= visit.opened), default=float("-inf"))
        began = min(signs.values())
        began = began if began - visit.opened > PARTIAL_LAG else visit.opened
        return hint_at(self.rules, Moments(began, said, doubtful, self.speech_at, served, aside), self.at)

    def can_undo(self) -> bool:
        """Whether the last mark can still be taken back here."""
        return bool(self.marked) and self.at < self.marked_until

    def advice(self) -> str:
        """What to say instead of the last offence of the open visit, for ADVICE_SECONDS; empty for most of the time."""
        sure = [each for each in self.visit.offences if each.sure] if self.visit else []
        return sure[-1].better if sure and self.at - sure[-1].at < ADVICE_SECONDS else ""

    def shown_stages(self) -> Iterator[Message]:
        """The stages that apply now: those of every visit, and those of the scenarios of this one."""
        scenarios = self.visit.scenarios if self.visit else {}
        for stage in self.standard.get("stages", ()):
            if stage["scenario"] is None or stage["scenario"] in scenarios:
                yield stage

    def mark(self, owner: str) -> Mark:
        """Whether a phrase or courtesy word was heard, is in the partial result, or neither."""
        if self.visit and owner in self.visit.heard:
            return "heard"
        return "guessed" if owner in self.guessed else "open"

    def recent_words(self) -> str:
        """The partial result, or the words of the last WORDS_SECONDS."""
        return self.guess or (self.words if self.at - self.words_at < WORDS_SECONDS else "")

    def time_of_day(self, at: float) -> str:
        """Local time of a moment of the stream; empty where it is unknown."""
        return f"{(self.started + timedelta(seconds=at)).astimezone():%H:%M:%S}" if self.started else ""

    def _audio_arrived(self) -> None:
        if self.state in ("starting", "restarting"):
            self.state, self.trouble = "listening", ""
        if self.at - self.trouble_at > TROUBLE_SECONDS:
            self.trouble = ""

    def _set_guess(
        self, text: str, ids: Iterable[str], doubtful: Iterable[str] = (), signs: Iterable[str] = ()
    ) -> None:
        if self.guess and not text:
            self.words, self.words_at = self.guess, self.at
        if text and not self.guess:
            self.began_at = self.at
        self.signs = {**dict.fromkeys(signs, self.began_at), **self.signs}
        if self.guess or text:
            self.speech_at = self.at
        found = frozenset(ids)
        self.said |= dict.fromkeys(found - self.guessed, self.at)
        self.doubtful |= dict.fromkeys(frozenset(doubtful) - self.guessed_doubtful, self.at)
        self.guess, self.guessed, self.guessed_doubtful = text, found, frozenset(doubtful)

    def _apply_event(self, event: Message) -> ClosedVisit | ShownGap | None:
        kind, verdict, visit = event["kind"], event["verdict"], self.visit
        if kind == "visit_opened":
            self.visit = OpenVisit(event["visit"], event["at"], by_hand=bool(event["detail"].get("by_hand")))
            self.signs = {name: at for name, at in self.signs.items() if at >= event["at"] - PARTIAL_LAG}
        elif kind == "gap":
            return self._add_gap(event)
        elif kind == "visit_closed":
            return self._close_visit(event, visit or OpenVisit(event["visit"], event["detail"]["opened"]))
        elif visit is None:
            return None
        elif kind == "phrase" and verdict == "heard":
            scenario = event["detail"].get("scenario")
            (visit.scenarios if scenario else visit.heard)[event["phrase"]] = event["at"]
        elif kind == "phrase" and event["detail"].get("required"):
            (visit.missed if verdict == "not_heard" else visit.unknown).append(str(event["detail"]["title"]))
        elif kind in ("forbidden", "rule") and verdict != "heard":
            better = self.standard.get("better", {}).get(event["phrase"], "")
            visit.offences.append(Offence(str(event["detail"]["title"]), verdict != "unknown", better, event["at"]))
        return None

    def _close_visit(self, event: Message, visit: OpenVisit) -> ClosedVisit:
        detail = event["detail"]
        self.last = ClosedVisit(
            event["visit"],
            detail["opened"],
            event["at"],
            event["score"],
            detail["grade"] or "",
            detail["passed"],
            detail["counts"],
            tuple(visit.missed),
            tuple(visit.unknown),
            detail["lost_audio"],
            str(detail.get("outcome", "complete")),
            tuple(dict.fromkeys(each.better for each in visit.offences if each.sure and each.better)),
        )
        if self.last.outcome != "no_service":
            self.day.add(
                event["score"], passed=detail["passed"], offences=detail["counts"]["forbidden"], missed=visit.missed
            )
        self.closed = [*self.closed, self.last][-SHOWN_VISITS:]
        self.visit = None
        return self.last

    def _add_gap(self, event: Message) -> ShownGap | None:
        gap = ShownGap(event["at"], event["detail"]["seconds"], str(event["detail"]["reason"]))
        if gap.reason in PLANNED_GAPS:
            return None
        self.speech_at = max(self.speech_at, gap.at + gap.seconds)  # lost sound is not quiet
        self.losses = [*self.losses, gap][-SHOWN_GAPS:]
        if self.visit:
            self.visit.lost = True
        return gap

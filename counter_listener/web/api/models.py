"""What the answers and the requests of the API hold. Annotations are no texts here: pydantic reads them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from counter_listener.domain import Outcome, ReviewAction, Verdict
from counter_listener.record import Order

Shown = ConfigDict(from_attributes=True)
Asked = ConfigDict(extra="forbid")
Score = Annotated[float | None, Field(description="0-100; null if nothing could be judged.")]
MOST_ON_PAGE = 1_000
LARGEST = 2**63 - 1


class Problem(BaseModel):
    """What is wrong."""

    error: str = Field(description="One sentence, with what to do about it.")


class VisitsAsked(BaseModel):
    """Which visits are wanted; all fields of the filter of the page, with the same meaning."""

    model_config = Asked
    since: date | None = Field(None, description="From this day on, in the time zone of the server.")
    until: date | None = Field(None, description="Up to this day, and with it.")
    counter: str | None = None
    branch: str | None = None
    region: str | None = None
    result: Literal["failed", "passed", "unscored"] | None = None
    verdict: Verdict | None = Field(None, description="With something that has this verdict of the machine.")
    phrase: str | None = Field(None, description="Id of a phrase, an offence or a rule that was not `heard`.")
    outcome: Outcome | Literal["service"] | None = Field(None, description="`service` is all but `no_service`.")
    least: float | None = Field(None, ge=0, le=100, description="Least score.")
    most: float | None = Field(None, ge=0, le=100, description="Greatest score.")
    reviewed: Literal["yes", "no"] | None = None
    file: str | None = Field(None, description="A part of the path of the recording.")
    q: str | None = Field(None, description="A part of the path or of the counter, or the beginning of the id.")
    sort: Order = "time"
    way: Literal["up", "down"] = "down"
    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(100, ge=1, le=MOST_ON_PAGE, description="Visits on a page.")


class RowsAsked(BaseModel):
    """Which rows are wanted, in the order in which they were written."""

    model_config = Asked
    after: int = Field(0, ge=0, le=LARGEST, description="Only rows behind this number: `last` of the page before.")
    size: int = Field(500, ge=1, le=MOST_ON_PAGE, description="Rows on a page.")
    counter: str | None = None


class PeriodAsked(BaseModel):
    """What figures cover."""

    model_config = Asked
    days: Literal["1", "7", "30", "90", "all"] | None = Field(None, description="So many days, up to today.")
    since: date | None = Field(None, description="From this day on, in the time zone of the server.")
    until: date | None = Field(None, description="Up to this day, and with it.")
    counter: str | None = None
    branch: str | None = None
    region: str | None = None


class Fault(BaseModel):
    """A phrase, offence or rule that was not `heard`."""

    verdict: str = Field(description="Of the machine.")
    phrase: str
    title: str


class VisitOut(BaseModel):
    """A closed visit."""

    model_config = Shown
    visit: str = Field(description="Its id.")
    counter: str | None
    opened: datetime | None = Field(description="When it was opened; null if the start of the recording is unknown.")
    seconds: float | None = Field(description="From its opening to the end of the last speech.")
    outcome: str | None = Field(description="complete, incomplete, not_understood or no_service.")
    score: Score
    passed: bool | None
    grade: str | None
    reviewed: bool = Field(description="Whether somebody has given a word that decides something.")
    score_after: Score = Field(description="After the reviews; null without reviews.")
    passed_after: bool | None
    heard: int | None = Field(description="Owed phrases; the next two also.")
    not_heard: int | None
    unknown: int | None
    forbidden: int | None = Field(description="Offences.")
    broken: int | None = Field(description="Rules.")
    doubtful: int | None = Field(description="Offences and broken rules that are uncertain.")
    lost_audio: bool
    faults: list[Fault]
    phrases: str = Field(description="Name of the phrase set that judged it.")
    source: str = Field(description="SHA-256 of the recording, or `live`.")
    recording: str | None = Field(description="Path of the recording when it was checked.")


class VisitsOut(BaseModel):
    """A page of visits."""

    visits: list[VisitOut]
    total: int = Field(description="How many there are in all.")
    page: int
    pages: int


class EventOut(BaseModel):
    """A row of the machine, as in docs/events.md."""

    model_config = Shown
    seq: int = Field(description="Number of the row.")
    uid: str
    stream: str
    visit: str | None
    counter: str | None
    wall: str | None = Field(description="When it happened, ISO 8601 in UTC; null if unknown.")
    at: float = Field(description="Seconds into the stream.")
    kind: str
    stage: str | None
    step: str | None
    phrase: str | None
    verdict: str | None
    score: float | None
    heard: str | None = Field(description="The words of the hit, nothing else that was said.")
    detail: dict[str, Any] = Field(description="The fields of this kind.")
    source: str
    phrases: str
    phrases_hash: str
    model: str
    recorded: str = Field(description="When the row was written, ISO 8601 in UTC.")
    chain: str
    replaced: bool = Field(description="Whether its recording was judged again, so that it is history.")
    verdict_now: str | None = Field(None, description="After the reviews; only with a visit.")


class EventsOut(BaseModel):
    """A part of the events."""

    events: list[EventOut]
    last: int = Field(description="The `after` for the next part, now or when there are more.")
    more: bool


class ReviewOut(BaseModel):
    """What a person said of a visit, or of one verdict in it; as in docs/events.md."""

    model_config = Shown
    seq: int
    uid: str
    visit: str
    event: str | None = Field(description="Uid of the event; null for the visit, and for what was observed.")
    action: ReviewAction
    was: Verdict | None
    verdict: Verdict | None = Field(description="After it.")
    phrase: str | None
    at: float
    reason: str | None
    note: str
    by: str = Field(description="Account.")
    scored: bool
    blind: bool = Field(description="A second opinion by somebody who did not see the first.")
    recorded: str


class ReviewsOut(BaseModel):
    """A part of the reviews."""

    reviews: list[ReviewOut]
    last: int = Field(description="The `after` for the next part, now or when there are more.")
    more: bool


class VisitDetailOut(BaseModel):
    """A visit with everything about it that the account may know."""

    visit: str
    summary: VisitOut | None = Field(description="As in the list; null if its verdicts are history.")
    last: int = Field(description="Number of its newest row: the `after` of a review of what is seen here.")
    events: list[EventOut]
    reviews: list[ReviewOut]


class ReviewIn(BaseModel):
    """A review, by the account of the token."""

    model_config = Asked
    action: ReviewAction = Field(description="uphold, overturn, note, or observe what the machine has no event of.")
    after: int = Field(ge=0, le=LARGEST, description="`last` of the visit as it was seen.")
    event: str | None = Field(None, max_length=200, description="Uid of the event; none for the whole visit.")
    verdict: Verdict | None = Field(None, description="To overturn or observe: the verdict that holds.")
    phrase: str | None = Field(None, max_length=200, description="To observe: an id of the phrase set.")
    at: float = Field(0.0, ge=0, le=1e9, allow_inf_nan=False, description="To observe: seconds into the stream.")
    reason: str | None = Field(None, max_length=200, description="To overturn; the list is in docs/events.md.")
    note: str = ""
    scored: bool | None = Field(None, description="False: it only teaches.")


class ShareOut(BaseModel):
    """A share with its 95 % interval."""

    value: float | None = Field(description="0-1; null without cases.")
    low: float | None
    high: float | None
    n: int = Field(description="Number of cases.")


class TotalsOut(BaseModel):
    """Totals of visits, without those that were no service."""

    visits: int
    scored: int = Field(description="Visits with a score.")
    passed: int
    pass_share: ShareOut
    mean: float | None = Field(description="Mean score.")
    heard: int = Field(description="Owed phrases; the next two also.")
    not_heard: int
    unknown: int
    heard_share: ShareOut
    forbidden: int = Field(description="Offences.")
    offending: int = Field(description="Visits with one.")
    broken: int
    doubtful: int
    lost_audio: int = Field(description="Visits that lost audio.")
    not_understood: int = Field(description="Visits of which too little was understood.")


class CounterTotals(TotalsOut):
    """Totals of a counter."""

    counter: str | None


class DayTotals(TotalsOut):
    """Totals of a day in the time zone of the server."""

    day: date


class FaultCount(Fault):
    """How often something was not `heard`."""

    visits: int


class FiguresOut(BaseModel):
    """The figures of the overview."""

    totals: TotalsOut
    before: TotalsOut | None = Field(description="Of the period of the same length directly before.")
    by_counter: list[CounterTotals]
    by_day: list[DayTotals]
    faults: list[FaultCount]
    outcomes: dict[str, int] = Field(description="Visits by outcome, no_service included.")
    reviewed: int


class EstimateOut(BaseModel):
    """A share of all visits, estimated from samples."""

    value: float
    low: float
    high: float
    n: int


class PhraseTrust(BaseModel):
    """How often reviewers upheld a verdict of the machine on one phrase, offence or rule."""

    phrases: str = Field(description="Name of the phrase set.")
    kind: str
    phrase: str
    title: str
    verdict: Verdict
    upheld: ShareOut = Field(description="Of those reviewed, whoever chose them.")
    sampled: EstimateOut | None


class AgreementOut(BaseModel):
    """Of two reviewers who did not see each other."""

    model_config = Shown
    n: int
    agreed: int
    kappa: float | None = Field(description="Cohen's.")


class MachineOut(BaseModel):
    """How right the machine is, by what people said of its verdicts."""

    reviewed: int = Field(description="Visits with a review.")
    changed: int
    overturned: ShareOut
    overturned_sampled: EstimateOut | None
    missed: int = Field(description="Offences and broken rules that reviewers heard and the machine did not.")
    visits_missed: EstimateOut | None = Field(description="Visits in which the machine missed one.")
    sampled: int
    finished: int
    agreement: AgreementOut | None
    phrases: list[PhraseTrust]

"""Results as people read them: a table for each visit, and a summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from counter_listener.batch import CheckResult, RecorderCounts, Tally
from counter_listener.domain import N_, SEVERITIES, Event, PhraseSet, Stage, _, format_duration, ngettext, printable

MARKS: Final = {
    "heard": ("✓", "green"),
    "not_heard": ("✗", "red"),
    "unknown": ("?", "yellow"),
    "forbidden": ("✗", "red"),
    "broken": ("✗", "red"),
}
EXTRA: Final = ("+", "green")
NOTHING: Final = ("·", "dim")
CLOSED: Final = {
    "farewell": N_("a farewell and then quiet"),
    "new_greeting": N_("the next greeting"),
    "idle": N_("a long silence"),
    "gap": N_("a long loss of audio"),
    "hand": N_("hand"),
    "end": N_("the end of the recording"),
}


STARTED: Final = {
    "given": N_("as given"),
    "file name": N_("by its file name"),
    "file time stamp": N_("by its time stamp"),
    "record": N_("by the record"),
}


def result_text(result: CheckResult, phrases: PhraseSet) -> str:
    """One recording as text: its visits, each with its stages and steps, offences, rules and score."""
    return printed(lambda console: _show_result(console, result, phrases))


def _show_result(console: Console, result: CheckResult, phrases: PhraseSet) -> None:
    console.print(Rule(style="cyan"))
    console.print(_head(result))
    if result.error:
        console.print(Text(f"✗ {_('could not be read')}", style="red"))
        return
    for event in result.events:
        if event.kind == "gap":
            console.print(Text(_gap_line(event), style="yellow"))
    visits = _by_visit(result.events)
    if not visits:
        console.print(Text(_("No visit was heard."), style="dim"))
    for number, events in visits.items():
        console.print(_visit_view(number, events, phrases))


def _head(result: CheckResult) -> Text:
    began = result.started
    when = _("began at a time unknown")
    if began and began.at:
        told = _("began {time:%Y-%m-%d %H:%M:%S}, {how}")
        when = told.format(time=began.at.astimezone(), how=_(STARTED.get(began.how, began.how)))
    facts = (
        ""
        if result.error
        else "  " + _("{length} long, {when}").format(length=format_duration(result.seconds), when=when)
    )
    return Text.assemble((printable(str(result.path)), "bold"), (facts, "dim"))


def _by_visit(events: Iterable[Event]) -> dict[int, list[Event]]:
    visits: dict[int, list[Event]] = {}
    for event in events:
        if event.visit is not None:
            visits.setdefault(event.visit, []).append(event)
    return visits


def _visit_view(number: int, events: Sequence[Event], phrases: PhraseSet) -> RenderableType:
    closed = next(event for event in events if event.kind == "visit_closed")
    began_at = next(event.at for event in events if event.kind == "visit_opened")
    ended = _("from {time}, ended by {reason}").format(
        time=format_duration(began_at), reason=_(CLOSED[str(closed.detail["reason"])])
    )
    parts: list[RenderableType] = [
        Text.assemble((_("Visit {number}").format(number=number), "bold"), "  ", ended),
        _steps_table(events, closed, phrases),
        *word_lines(events, phrases),
        *doubt_lines(events),
        *_offence_lines(events),
        *_rule_lines(events, phrases),
        _score_line(closed, phrases),
    ]
    return Padding(Group(*parts), (0, 0, 1, 1))


def _steps_table(events: Sequence[Event], closed: Event, phrases: PhraseSet) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column(_("stage"), no_wrap=True)
    table.add_column(_("step"), no_wrap=True)
    table.add_column(_("phrase"), overflow="fold", ratio=1)
    table.add_column(_("at"), justify="right", no_wrap=True)
    table.add_column(_("words heard"), overflow="fold", ratio=1)
    scenarios = closed.detail["scenarios"]
    for stage, scenario in phrases.stages():
        if scenario is None or scenario.id in (scenarios if isinstance(scenarios, list) else ()):
            for cells in _stage_rows(stage, events, phrases):
                table.add_row(*cells)
    return table


def _stage_rows(stage: Stage, events: Sequence[Event], phrases: PhraseSet) -> Iterator[tuple[Text, ...]]:
    told = [event for event in events if event.kind == "phrase" and event.stage == stage.id]
    steps: list[tuple[str | None, str]] = [(step.id, step.title) for step in phrases.step if step.stage == stage.id]
    if not steps or any(event.step is None for event in told):
        steps.append((None, ""))
    for index, (step, title) in enumerate(steps):
        inside = [event for event in told if event.step == step]
        name = Text(printable(stage.title) if index == 0 else "")
        label = Text.assemble(step_mark(inside), f" {title}")
        if not inside:
            yield name, label, Text(_seen_line(stage, step, phrases), style="dim"), Text(""), Text("")
        for row, event in enumerate(sorted(inside, key=spoken_at)):
            yield (name if row == 0 else Text(""), label if row == 0 else Text(""), *_phrase_cells(event))


def step_mark(events: Sequence[Event]) -> tuple[str, str]:
    """Of a step: a cross if something owed was not heard, a question mark if that is unknown, a tick if it was."""
    owed = [event.verdict for event in events if event.detail.get("required")]
    verdicts = owed or [event.verdict for event in events]
    worst = next((verdict for verdict in ("not_heard", "unknown", "heard") if verdict in verdicts), None)
    return MARKS[worst] if worst else NOTHING


def _seen_line(stage: Stage, step: str | None, phrases: PhraseSet) -> str:
    """Of a step in which nothing was heard: whether it is one to be seen."""
    seen = any(one.stage == stage.id and one.step == step for one in phrases.observe)
    return _("for the supervisor's eye") if seen else _("nothing owed, nothing heard")


def _phrase_cells(event: Event) -> tuple[Text, Text, Text]:
    verdict = event.verdict or "unknown"
    mark, style = EXTRA if verdict == "heard" and not event.detail.get("required") else MARKS[verdict]
    title = Text.assemble((mark, style), " ", printable(str(event.detail.get("title", event.phrase))))
    if "late" in event.detail:
        title.append(_(" (late)"), style="yellow")
    return title, Text(format_duration(spoken_at(event)) if event.heard else ""), Text(event.heard or "")


def spoken_at(event: Event) -> float:
    """Seconds into the recording at which the words of an event were said."""
    said = event.detail.get("said_at", event.at)
    return said if isinstance(said, float) else event.at


def word_lines(events: Sequence[Event], phrases: PhraseSet) -> Iterator[Text]:
    """The courtesy words, each with its mark, in one line."""
    told = {event.phrase: event.verdict for event in events if event.detail.get("courtesy_word")}
    line = Text()
    for word in phrases.word:
        verdict = told.get(word.id)
        mark, style = MARKS[verdict] if verdict else NOTHING
        line.append(mark, style).append(f" {printable(word.name)}  ")
    if phrases.word:
        yield line


def doubt_lines(events: Sequence[Event]) -> Iterator[Text]:
    """Why phrases are unknown, one line a reason."""
    titles: dict[object, list[str]] = {}
    for event in events:
        if event.kind == "phrase" and event.verdict == "unknown":
            titles.setdefault(event.detail.get("reason"), []).append(str(event.detail["title"]))
    for reason, named in titles.items():
        yield Text.assemble(
            ("? ", "yellow"), printable("、".join(dict.fromkeys(named))), (f"{_(': ')}{_(str(reason))}", "dim")
        )


def _offence_lines(events: Sequence[Event]) -> Iterator[Text]:
    for event in events:
        if event.kind == "forbidden":
            mark, style = MARKS[event.verdict or "unknown"]
            text = _("forbidden ({kind}, {severity}): “{words}”").format(
                kind=event.detail.get("class"), severity=_(SEVERITIES[str(event.detail["severity"])]), words=event.heard
            )
            yield _accusation(event, mark, style, text)


def _rule_lines(events: Sequence[Event], phrases: PhraseSet) -> Iterator[Text]:
    for rule in phrases.rule:
        told = [event for event in events if event.kind == "rule" and event.phrase == rule.id]
        kept = sum(event.verdict == "heard" for event in told)
        if kept:
            yield Text.assemble(
                ("✓", "green"), " " + _("rule kept {count}×: {title}").format(count=kept, title=printable(rule.title))
            )
        for event in told:
            if event.verdict != "heard":
                mark, style = MARKS[event.verdict or "unknown"]
                text = _("rule broken: {title}, at “{words}”").format(title=rule.title, words=event.heard)
                yield _accusation(event, mark, style, text)


def _accusation(event: Event, mark: str, style: str, text: str) -> Text:
    reason = event.detail.get("reason")
    doubt = ("  " + _("uncertain: {reason}").format(reason=_(str(reason))), "dim") if reason else ("", "")
    return Text.assemble((mark, style), f" {format_duration(event.at)} ", printable(text), doubt)


def _score_line(closed: Event, phrases: PhraseSet) -> Text:
    counts = closed.detail["counts"]
    unknown = counts["unknown"] if isinstance(counts, dict) else 0
    if closed.score is None:
        return Text(_("Score: cannot be told; nothing that was owed could be judged."), style="yellow")
    style = "bold green" if closed.detail["passed"] else "bold red"
    grade = f"  {closed.detail['grade']}" if closed.detail["grade"] else ""
    partly = _("; {count} owed could not be judged").format(count=unknown) if unknown else ""
    mark = _("(pass mark {mark:g}{partly})").format(mark=phrases.score.pass_mark, partly=partly)
    return Text.assemble(_("Score "), (f"{closed.score:g}{grade}", style), "  ", mark)


def _gap_line(event: Event) -> str:
    seconds = event.detail["seconds"]
    reason = _(str(event.detail["reason"]))
    if isinstance(seconds, float) and seconds:
        text = _("audio lost at {time} for {seconds:g} s: {reason}")
        return "? " + text.format(time=format_duration(event.at), seconds=seconds, reason=reason)
    return "? " + _("audio lost at {time}: {reason}").format(time=format_duration(event.at), reason=reason)


def summary_text(tally: Tally, phrases: PhraseSet) -> str:
    """What all recordings together came to, as text."""
    return printed(lambda console: _show_summary(console, tally, phrases))


def recorded_text(counts: RecorderCounts, location: str) -> str:
    """What was recorded, in one line."""
    parts = [_("Recorded {count} in {place}").format(count=counts.recorded, place=location)]
    if counts.judged_again:
        parts.append(_("{count} judged anew, whose old verdicts stay as history").format(count=counts.judged_again))
    if counts.known:
        parts.append(_("{count} were in it already and added nothing").format(count=counts.known))
    if counts.known_differently:
        text = _("{count} of them were judged there in another way (--again replaces that)")
        parts.append(text.format(count=counts.known_differently))
    return _("; ").join(parts) + _(".")


def printed(show: Callable[[Console], None], least_width: int = 0) -> str:
    """What is shown on a console as colourful as this terminal and as wide, or as `least_width` characters."""
    console = Console(highlight=False)
    console.width = max(console.width, least_width)
    with console.capture() as text:
        show(console)
    return text.get()


def _show_summary(console: Console, tally: Tally, phrases: PhraseSet) -> None:
    console.print(Rule(Text(_("Summary"), style="bold"), align="left", style="cyan"))
    visits = ngettext("{count} visit", "{count} visits", tally.visits).format(count=tally.visits)
    console.print(
        _("{count} checked, {length} in all; {visits}").format(
            count=tally.checked, length=format_duration(tally.seconds), visits=visits
        )
    )
    if tally.scored:
        mean = tally.points / tally.scored
        text = _("{passed} of {count} visits pass; mean score {mean:.1f}")
        console.print(text.format(passed=tally.passed, count=tally.scored, mean=mean))
    if tally.missed:
        each = _("{title} ({count}×)")
        named = ((printable(title), count) for title, count in tally.missed.most_common(3))
        worst = _(", ").join(each.format(title=title, count=count) for title, count in named)
        console.print(Text(_("Most often not heard: {titles}").format(titles=worst)))
    text = _("Forbidden: {forbidden}; rules broken: {broken}")
    console.print(text.format(forbidden=tally.verdicts["forbidden"], broken=tally.verdicts["broken"]))
    if phrases.observe:
        seen = "、".join(one.title for one in phrases.observe)
        text = _("For the supervisor's eye, never judged here: {titles}")
        console.print(Text(text.format(titles=seen), style="dim"))
    if tally.failed:
        text = ngettext("{count} input could not be read.", "{count} inputs could not be read.", tally.failed)
        console.print(Text(text.format(count=tally.failed), style="red"))

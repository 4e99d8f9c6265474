"""Results of `check` as people read them: a table for each visit, and a summary."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from counter_listener.batch import NAMED, CheckResult, LeftOut, RecorderCounts, Tally
from counter_listener.domain import (
    N_,
    SEVERITIES,
    Event,
    PhraseSet,
    Stage,
    _,
    format_duration,
    ngettext,
    printable,
    visit_word,
    written,
)
from counter_listener.judging import figures_from, manner_lines, voice_words

MARKS: Final = {
    "heard": ("✓", "green"),
    "not_heard": ("✗", "red"),
    "unknown": ("?", "yellow"),
    "forbidden": ("✗", "red"),
    "broken": ("✗", "red"),
}
RECOMMENDED: Final = ("+", "green")
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


UNJUDGED: Final = {
    "not_understood": N_("No score: the visit was not understood."),
    "no_service": N_("No score: no service. Hardly anything of the phrase set was heard."),
}
"""What stands in the place of the score, by the outcome of a visit."""


def result_view(result: CheckResult, phrases: PhraseSet) -> Iterator[RenderableType]:
    """One recording: its visits, each with its stages and steps, offences, rules and score."""
    yield Rule(style="cyan")
    yield _head(result)
    if result.error:
        yield Text(f"✗ {_('could not be read')}", style="red")
        return
    visits: dict[int, list[Event]] = {}
    for event in result.events:
        if event.kind == "gap":
            yield Text(_gap_line(event), style="yellow")
        if event.visit is not None:
            visits.setdefault(event.visit, []).append(event)
    if not visits:
        yield Text(_("No visit was heard."), style="dim")
    for number, events in visits.items():
        yield _visit_view(number, events, phrases)


def _head(result: CheckResult) -> Text:
    started, facts = result.started, ""
    when = _("began at a time unknown")
    if started and started.at:
        how = _(STARTED.get(started.how, started.how))
        when = _("began {time:%Y-%m-%d %H:%M:%S}, {how}").format(time=started.at.astimezone(), how=how)
    elif started and started.guess:
        text = _("began at a time unknown, perhaps {time:%Y-%m-%d %H:%M} by the date of the file")
        when = text.format(time=started.guess.astimezone())
    if not result.error:
        facts = "  " + _("{length} long, {when}").format(length=format_duration(result.seconds), when=when)
    return Text.assemble((printable(str(result.path)), "bold"), (facts, "dim"))


def _visit_view(number: int, events: Sequence[Event], phrases: PhraseSet) -> RenderableType:
    opened = next(event for event in events if event.kind == "visit_opened")
    closed = next(event for event in events if event.kind == "visit_closed")
    reason = _(CLOSED[str(closed.detail["reason"])])
    ended = _("from {time}, ended by {reason}").format(time=format_duration(opened.at), reason=reason)
    parts: list[RenderableType] = [
        Text.assemble((_("Visit {number}").format(number=number), "bold"), "  ", ended),
        _steps_table(events, closed, phrases),
        *_courtesy_line(events, phrases),
        *_unknown_lines(events),
        *_offence_lines(events),
        *_rule_lines(events, phrases),
        *_manner_line(closed, phrases),
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
    in_stage = [event for event in events if event.kind == "phrase" and event.stage == stage.id]
    steps: list[tuple[str | None, str]] = [(step.id, step.title) for step in phrases.step if step.stage == stage.id]
    if not steps or any(event.step is None for event in in_stage):
        steps.append((None, ""))
    for index, (step, title) in enumerate(steps):
        in_step = [event for event in in_stage if event.step == step]
        name = Text(printable(stage.title) if index == 0 else "")
        label = Text.assemble(_step_mark(in_step), f" {title}")
        if not in_step:
            by_sight = any((each.stage, each.step) == (stage.id, step) for each in phrases.observe)
            text = _("for the supervisor's eye") if by_sight else _("nothing required, nothing heard")
            yield name, label, Text(text, style="dim"), Text(""), Text("")
        for event in sorted(in_step, key=_spoken_at):
            yield name, label, *_phrase_cells(event)
            name = label = Text("")


def _step_mark(events: Sequence[Event]) -> tuple[str, str]:
    """The mark of a step: the worst verdict on its required phrases, or on the others if none is required."""
    required = [event.verdict for event in events if event.detail.get("required")]
    verdicts = required or [event.verdict for event in events]
    worst = next((verdict for verdict in ("not_heard", "unknown", "heard") if verdict in verdicts), None)
    return MARKS[worst] if worst else NOTHING


def _phrase_cells(event: Event) -> tuple[Text, Text, Text]:
    verdict = event.verdict or "unknown"
    recommended = verdict == "heard" and not event.detail.get("required")
    mark = RECOMMENDED if recommended else MARKS[verdict]
    title = Text.assemble(mark, " ", printable(str(event.detail.get("title", event.phrase))))
    if "late" in event.detail:
        title.append(_(" (late)"), style="yellow")
    return title, Text(format_duration(_spoken_at(event)) if event.heard else ""), Text(written(event.heard or ""))


def _spoken_at(event: Event) -> float:
    """Seconds into the recording at which the words of an event were said."""
    at = event.detail.get("said_at", event.at)
    return at if isinstance(at, float) else event.at


def _courtesy_line(events: Sequence[Event], phrases: PhraseSet) -> Iterator[Text]:
    """The courtesy words, each with its mark, in one line."""
    verdicts = {event.phrase: event.verdict for event in events if event.detail.get("courtesy_word")}
    line = Text()
    for word in phrases.word:
        verdict = verdicts.get(word.id)
        mark, style = MARKS[verdict] if verdict else NOTHING
        line.append(mark, style).append(f" {printable(word.name)}  ")
    if phrases.word:
        yield line


def _unknown_lines(events: Sequence[Event]) -> Iterator[Text]:
    """Why phrases are unknown, one line per reason."""
    titles: dict[str, list[str]] = {}
    for event in events:
        if event.kind == "phrase" and event.verdict == "unknown":
            titles.setdefault(str(event.detail.get("reason")), []).append(str(event.detail["title"]))
    for reason, named in titles.items():
        names = printable("、".join(dict.fromkeys(named)))
        yield Text.assemble(("? ", "yellow"), names, (f"{_(': ')}{_(reason)}", "dim"))


def _offence_lines(events: Sequence[Event]) -> Iterator[Text]:
    for event in events:
        if event.kind == "forbidden":
            severity = _(SEVERITIES[str(event.detail["severity"])])
            text = _("forbidden ({kind}, {severity}): “{words}”")
            yield _offence_line(
                event, text.format(kind=event.detail.get("class"), severity=severity, words=written(event.heard or ""))
            )


def _rule_lines(events: Sequence[Event], phrases: PhraseSet) -> Iterator[Text]:
    rules = [(rule.id, rule.title) for rule in phrases.rule] + [(one.id, one.title) for one in phrases.manner]
    for id_, title in rules:
        of_rule = [event for event in events if event.kind == "rule" and event.phrase == id_]
        followed = sum(event.verdict == "heard" for event in of_rule)
        if followed:
            text = _("rule followed {count}×: {title}").format(count=followed, title=printable(title))
            yield Text.assemble(("✓", "green"), f" {text}")
        for event in of_rule:
            if event.verdict != "heard":
                text = _("rule broken: {title}, at “{words}”") if event.heard else _("rule broken: {title}")
                yield _offence_line(event, text.format(title=title, words=written(event.heard or "")))


def _manner_line(closed: Event, phrases: PhraseSet) -> Iterator[Text]:
    """How it was said, in one line; what is beyond a limit of the phrase set stands out, with what is better."""
    figures = figures_from(closed.detail.get("manner"))
    line = Text(_("Manner") + _(": "), style="dim")
    for number, each in enumerate(manner_lines(figures, phrases, _)):
        line.append("  ·  " if number else "").append(f"{each.title} {each.text}")
        if each.over:
            better = _("; better: {words}").format(words=each.better) if each.better else ""
            beyond = _(" ({words})").format(words=printable(each.over) + printable(better))
            line.append(beyond, style="yellow")
    if voice := voice_words(figures, _):
        line.append(_(" ({words})").format(words=voice))
    yield line


def _offence_line(event: Event, text: str) -> Text:
    reason = event.detail.get("reason")
    doubt = ("  " + _("uncertain: {reason}").format(reason=_(str(reason))), "dim") if reason else ("", "")
    mark = MARKS[event.verdict or "unknown"]
    return Text.assemble(mark, f" {format_duration(event.at)} ", printable(text), doubt)


def _score_line(closed: Event, phrases: PhraseSet) -> Text:
    counts = closed.detail["counts"]
    outcome = str(closed.detail.get("outcome"))
    word = visit_word(str(closed.detail["grade"] or ""), outcome, _)
    if outcome in UNJUDGED:
        return Text(_(UNJUDGED[outcome]), style="yellow")
    if closed.score is None and not word:
        return Text(_("no score"), style="yellow")
    if closed.score is None:
        unknown = counts["unknown"] if isinstance(counts, dict) else 0
        text = ngettext(
            "{word}, no score: {count} required phrase cannot be told",
            "{word}, no score: {count} required phrases cannot be told",
            unknown,
        )
        return Text(text.format(word=word, count=unknown), style="yellow")
    style = "bold green" if closed.detail["passed"] else "bold red"
    mark = _("(pass mark {mark:g})").format(mark=phrases.score.pass_mark)
    return Text.assemble(_("Score "), (f"{closed.score:g}  {word}".strip(), style), "  ", mark)


def _gap_line(event: Event) -> str:
    seconds, reason = event.detail["seconds"], _(str(event.detail["reason"]))
    known = isinstance(seconds, float) and seconds
    text = _("gap at {time}, {seconds:g} s: {reason}") if known else _("gap at {time}: {reason}")
    beside = _(" (the other sound of that time was heard)") if event.detail.get("beside") else ""
    return "? " + text.format(time=format_duration(event.at), seconds=seconds, reason=reason) + beside


def loss_notes(name: str, reasons: Iterable[str]) -> Iterator[str]:
    """A warning for each reason for which a part of an input is missing, with the number of places."""
    for reason, count in Counter(reasons).items():
        text = ngettext(
            "Warning: {path}: incomplete: {reason}",
            "Warning: {path}: incomplete at {count} places: {reason}",
            count,
        )
        yield text.format(path=printable(name), reason=_(reason), count=count)


def recorded_text(counts: RecorderCounts, location: str) -> str:
    """What was recorded, in one line."""
    parts = [_("Recorded {count} in {place}").format(count=counts.recorded, place=printable(location))]
    if counts.judged_again:
        parts.append(_("{count} judged again; their old verdicts stay as history").format(count=counts.judged_again))
    if counts.known:
        parts.append(_("{count} were in it already and added nothing").format(count=counts.known))
    if counts.known_differently:
        text = _("{count} of them were judged there with other settings (--again replaces that)")
        parts.append(text.format(count=counts.known_differently))
    return _("; ").join(parts) + _(".")


def summary_view(tally: Tally, left_out: Iterable[LeftOut], phrases: PhraseSet) -> Iterator[RenderableType]:
    """The totals of all recordings, and what was left out of folders."""
    yield Rule(Text(_("Summary"), style="bold"), align="left", style="cyan")
    visits = ngettext("{count} visit", "{count} visits", tally.visits).format(count=tally.visits)
    text = _("{count} checked, {length} in all; {visits}")
    yield text.format(count=tally.checked, length=format_duration(tally.seconds), visits=visits)
    if tally.no_service:
        yield _("No service: {count}").format(count=tally.no_service)
    if tally.not_understood:
        yield Text(_("Visits not understood: {count}").format(count=tally.not_understood), style="yellow")
    if tally.scored:
        text = _("{passed} of {count} visits pass; mean score {mean:.1f}")
        yield text.format(passed=tally.passed, count=tally.scored, mean=tally.points / tally.scored)
    if tally.missed:
        each = _("{title} ({count}×)")
        worst = (each.format(title=printable(title), count=count) for title, count in tally.missed.most_common(3))
        yield Text(_("Most often not heard: {titles}").format(titles=_(", ").join(worst)))
    text = _("Forbidden: {forbidden}; rules broken: {broken}")
    yield text.format(forbidden=tally.verdicts["forbidden"], broken=tally.verdicts["broken"])
    if phrases.observe:
        text = _("For the supervisor's eye, never judged here: {titles}")
        titles = "、".join(each.title for each in phrases.observe)
        yield Text(text.format(titles=titles), style="dim")
    if tally.failed:
        text = ngettext("{count} input could not be read.", "{count} inputs could not be read.", tally.failed)
        yield Text(text.format(count=tally.failed), style="red")
    if tally.incomplete:
        text = ngettext(
            "{count} input was read only in part; {length} of it is known to be lost.",
            "{count} inputs were read only in part; {length} of them is known to be lost.",
            tally.incomplete,
        )
        yield Text(text.format(count=tally.incomplete, length=format_duration(tally.lost)), style="yellow")
    yield from (Text(_left_out_line(files), style="yellow") for files in left_out)


def _left_out_line(left_out: LeftOut) -> str:
    names = [printable(str(path.relative_to(left_out.folder))) for path in left_out.paths[:NAMED]]
    names += ["…"] if len(left_out.paths) > NAMED else []
    return _("{count} left out of {folder} ({reason}): {names}").format(
        count=len(left_out.paths),
        folder=printable(str(left_out.folder)),
        reason=_(left_out.reason),
        names=_(", ").join(names),
    )

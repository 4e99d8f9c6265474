"""What was said and not said, as tables: stages, steps, phrases, courtesy words, rules, offences, complaints. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from counter_listener.domain import PhraseSet, Translate
from counter_listener.record import ReportData, Share, VerdictCounts, VisitTotals
from counter_listener.reports.tables import Column, Table, share_cells, share_columns, sums_cells

VERDICTS = ("heard", "not_heard", "unknown")
Sets = Mapping[str, PhraseSet]
"""The phrase sets of the record that are at hand, by name."""


@dataclass
class _Sum:
    """Verdicts on owed phrases, added up over a stage or a step."""

    title: str
    verdicts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VERDICTS, 0))

    def add(self, told: VerdictCounts) -> None:
        for verdict in VERDICTS:
            self.verdicts[verdict] += told.count(verdict)


def word_tables(found: ReportData, sets: Sets, total: VisitTotals, _: Translate) -> Iterator[Table]:
    """All of them, in the order in which a report shows them."""
    told = _in_order(found.told, sets)
    owed = [one for one in told if one.stage is not None and one.detail.get("required")]
    yield _summed("stages", _("By stage"), _("stage"), owed, sets, _)
    yield _summed("steps", _("By step"), _("step"), owed, sets, _)
    yield _phrases(told, sets, _)
    yield _courtesy_words(told, sets, found.judged, _)
    yield _rules(told, _)
    yield _classes(told, found.judged, _)
    yield _offences(told, _)
    yield _complaints(found, sets, total, _)


def _in_order(told: Iterable[VerdictCounts], sets: Sets) -> list[VerdictCounts]:
    """As the phrase set has them, where it is at hand."""
    places = {name: {id_: place for place, id_ in enumerate(_ids(one))} for name, one in sets.items()}
    return sorted(told, key=lambda one: (one.phrases, places.get(one.phrases, {}).get(one.phrase, 9999), one.phrase))


def _ids(phrases: PhraseSet) -> Iterator[str]:
    yield from (phrase.id for phrase, _ in phrases.phrases())
    for kind in (phrases.word, phrases.rule, phrases.forbidden):
        yield from (one.id for one in kind)


def stage_titles(phrases: PhraseSet | None) -> dict[str, str]:
    """What people call each stage, by id; those of a scenario with its title before."""
    pairs = phrases.stages() if phrases else ()
    return {stage.id: f"{of.title} · {stage.title}" if of else stage.title for stage, of in pairs}


def _step_titles(phrases: PhraseSet | None) -> dict[str, str]:
    return {step.id: step.title for step in phrases.step} if phrases else {}


def _verdict_columns(_: Translate) -> list[Column]:
    return [
        Column("n", _("judged"), "count"),
        Column("heard", _("heard"), "count"),
        Column("not_heard", _("not heard"), "count"),
        Column("unknown", _("cannot be told"), "count"),
        *share_columns(_("share heard"), _),
    ]


def _verdict_cells(verdicts: Mapping[str, int]) -> dict[str, Any]:
    heard, missed, unknown = (verdicts.get(one, 0) for one in VERDICTS)
    cells = share_cells(Share(heard, heard + missed))
    return {"n": heard + missed, "heard": heard, "not_heard": missed, "unknown": unknown, **cells}


def _summed(name: str, title: str, what: str, owed: Sequence[VerdictCounts], sets: Sets, _: Translate) -> Table:
    groups: dict[tuple[str, str], _Sum] = {}
    for one in owed:
        phrases = sets.get(one.phrases)
        key = one.stage if name == "stages" else one.step
        if key is None:
            continue
        titles = stage_titles(phrases) if name == "stages" else _step_titles(phrases)
        groups.setdefault((one.phrases, key), _Sum(titles.get(key, key))).add(one)
    rows = [
        {"id": key, "title": group.title, "phrase_set": phrases, **_verdict_cells(group.verdicts)}
        for (phrases, key), group in groups.items()
    ]
    columns = [Column("title", what), *_verdict_columns(_), Column("phrase_set", _("phrase set"))]
    return Table(name, title, columns, rows, _("Only phrases that are owed are counted here."))


def _phrases(told: Iterable[VerdictCounts], sets: Sets, _: Translate) -> Table:
    rows = []
    for one in told:
        if one.stage is None:
            continue
        owed = bool(one.detail.get("required"))
        cells = _verdict_cells(one.verdicts)
        if not owed:
            cells |= {"n": None, "not_heard": None, "share": None, "low": None, "high": None, "few": None}
        stage = stage_titles(sets.get(one.phrases)).get(one.stage, one.stage)
        row = {"id": one.phrase, "title": one.title, "stage": stage, "owed": owed, **cells, "phrase_set": one.phrases}
        rows.append(row)
    rows.sort(key=lambda row: not row["owed"])
    columns = [
        Column("title", _("phrase")),
        Column("stage", _("stage")),
        Column("owed", _("owed"), "yes"),
        *_verdict_columns(_),
        Column("id", _("id")),
        Column("phrase_set", _("phrase set")),
    ]
    note = _("What is welcome but not owed is recorded only when it is heard, so it has no share.")
    return Table("phrases", _("By phrase"), columns, rows, note)


def _courtesy_words(
    told: Iterable[VerdictCounts], sets: Sets, judged: Mapping[str, VisitTotals], _: Translate
) -> Table:
    words = {(one.phrases, one.phrase): one for one in told if one.detail.get("courtesy_word")}
    named = {(name, word.id): word.name for name, one in sets.items() for word in one.word}
    rows = []
    for key, title in {**named, **{key: one.title for key, one in words.items()}}.items():
        verdicts = words[key].verdicts if key in words else {}
        share = Share(verdicts.get("heard", 0), judged.get(key[0], VisitTotals()).visits)
        cells = {"n": share.of, "heard": share.part, "unknown": verdicts.get("unknown", 0), **share_cells(share)}
        rows.append({"id": key[1], "title": title, **cells, "phrase_set": key[0]})
    columns = [
        Column("title", _("word")),
        Column("n", _("visits"), "count"),
        Column("heard", _("heard"), "count"),
        Column("unknown", _("cannot be told"), "count"),
        *share_columns(_("share of visits"), _),
        Column("phrase_set", _("phrase set")),
    ]
    return Table("words", _("The ten-character courtesy words"), columns, rows, _("A word counts once a visit."))


def _rules(told: Iterable[VerdictCounts], _: Translate) -> Table:
    rows = []
    for one in told:
        if one.kind != "rule":
            continue
        share = Share(one.count("heard"), one.count("heard") + one.count("broken"))
        cells = {"n": share.of, "kept": share.part, "broken": one.count("broken"), "unknown": one.count("unknown")}
        row = {"id": one.phrase, "title": one.title, **cells, **share_cells(share), "phrase_set": one.phrases}
        rows.append({**row, "severity": severity(one, _)})
    columns = [
        Column("title", _("rule")),
        Column("severity", _("severity")),
        Column("n", _("applied"), "count"),
        Column("kept", _("kept"), "count"),
        Column("broken", _("broken"), "count"),
        Column("unknown", _("cannot be told"), "count"),
        *share_columns(_("share kept"), _),
        Column("phrase_set", _("phrase set")),
    ]
    return Table("rules", _("Rules: 请 with a request, 对不起 with a refusal"), columns, rows)


def severity(one: VerdictCounts, _: Translate) -> str:
    """How grave it is, in the reader's language."""
    names = {"minor": _("minor"), "serious": _("serious"), "grave": _("grave")}
    return names.get(str(one.detail.get("severity")), "")


def _classes(told: Iterable[VerdictCounts], judged: Mapping[str, VisitTotals], _: Translate) -> Table:
    groups: dict[tuple[str, str], list[int]] = {}
    for one in told:
        if one.kind == "forbidden":
            group = groups.setdefault((one.phrases, str(one.detail.get("class", ""))), [0, 0])
            group[0] += one.count("forbidden")
            group[1] += one.count("unknown")
    rows = [
        {
            "id": name,
            "title": name,
            "forbidden": sure,
            "unknown": doubtful,
            "per_100_visits": 100 * sure / judged[phrases].visits if phrases in judged else None,
            "phrase_set": phrases,
        }
        for (phrases, name), (sure, doubtful) in sorted(groups.items(), key=lambda one: -one[1][0])
    ]
    columns = [
        Column("title", _("class")),
        Column("forbidden", _("offences"), "count"),
        Column("unknown", _("cannot be told"), "count"),
        Column("per_100_visits", _("per 100 visits"), "rate"),
        Column("phrase_set", _("phrase set")),
    ]
    return Table("classes", _("Offences by class"), columns, rows)


def _offences(told: Iterable[VerdictCounts], _: Translate) -> Table:
    rows = [
        {
            "id": one.phrase,
            "title": one.title,
            "class": str(one.detail.get("class", "")),
            "severity": severity(one, _),
            "forbidden": one.count("forbidden"),
            "unknown": one.count("unknown"),
            "phrase_set": one.phrases,
        }
        for one in told
        if one.kind == "forbidden"
    ]
    rows.sort(key=lambda row: -int(str(row["forbidden"])))
    columns = [
        Column("title", _("forbidden phrase")),
        Column("class", _("class")),
        Column("severity", _("severity")),
        Column("forbidden", _("offences"), "count"),
        Column("unknown", _("cannot be told"), "count"),
        Column("id", _("id")),
        Column("phrase_set", _("phrase set")),
    ]
    return Table("offences", _("Offences by phrase"), columns, rows)


def _complaints(found: ReportData, sets: Sets, total: VisitTotals, _: Translate) -> Table:
    titles = {one.id: one.title for phrases in sets.values() for one in phrases.scenario}
    rows = []
    for one in found.scenarios:
        told = one.sums.visits - one.unknown
        rows.append(
            {
                "id": one.scenario,
                "title": titles.get(one.scenario, one.scenario),
                "visits": one.sums.visits,
                "visits_share": Share(one.sums.visits, total.visits).value,
                "handled": told - one.missed,
                "missed": one.missed,
                "unknown": one.unknown,
                **share_cells(Share(told - one.missed, told), "handled"),
                **{key: sums_cells(one.sums)[key] for key in ("pass_share", "mean_score")},
            }
        )
    columns = [
        Column("title", _("what happened")),
        Column("visits", _("visits"), "count"),
        Column("visits_share", _("share of visits"), "share"),
        Column("handled", _("handled in full"), "count"),
        Column("missed", _("something owed was missed"), "count"),
        Column("unknown", _("cannot be told"), "count"),
        *share_columns(_("share handled in full"), _, "handled"),
        Column("pass_share", _("passing"), "share"),
        Column("mean_score", _("mean score"), "points"),
    ]
    return Table("complaints", _("Complaints and how they were handled"), columns, rows)

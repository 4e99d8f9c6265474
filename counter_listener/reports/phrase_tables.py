"""Tables of verdicts: by stage, step, phrase, courtesy word, rule and offence, and complaints. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from counter_listener.domain import SEVERITIES, VERDICTS, PhraseSet, Translate
from counter_listener.record import ReportData, Share, VerdictCounts, VisitTotals
from counter_listener.reports.tables import Column, Table, share_cells, share_columns, totals_cells

PhraseSets = Mapping[str, PhraseSet]
"""The phrase sets of the record whose files were found, by name."""
Titles = Mapping[tuple[str, str], str]
"""What people call the stages or the steps, by phrase set and id."""


def phrase_tables(data: ReportData, sets: PhraseSets, total: VisitTotals, _: Translate) -> Iterator[Table]:
    """All tables of verdicts, in the order of the report. `total` is of all visits."""
    counts = _in_order(data.verdict_counts, sets)
    required = [one for one in counts if one.stage is not None and one.detail.get("required")]
    stages = {
        (name, stage.id): f"{scenario.title} · {stage.title}" if scenario else stage.title
        for name, phrases in sets.items()
        for stage, scenario in phrases.stages()
    }
    steps = {(name, step.id): step.title for name, phrases in sets.items() for step in phrases.step}
    yield _group_table("stages", _("By stage"), _("stage"), [(one, one.stage) for one in required], stages, _)
    yield _group_table("steps", _("By step"), _("step"), [(one, one.step) for one in required], steps, _)
    yield _phrases_table(counts, stages, _)
    yield _courtesy_words_table(counts, sets, data.by_phrase_set, _)
    yield _rules_table(counts, _)
    yield _offence_classes_table(counts, data.by_phrase_set, _)
    yield _offences_table(counts, _)
    yield _complaints_table(data, sets, total, _)


def _in_order(counts: Iterable[VerdictCounts], sets: PhraseSets) -> list[VerdictCounts]:
    """In the order of the phrase set if its file was found, else in order of ids."""
    positions: dict[tuple[str, str], int] = {}
    for name, phrases in sets.items():
        ids = (*phrases.titles(), *(word.id for word in phrases.word), *(rule.id for rule in phrases.rule))
        positions |= {(name, id_): number for number, id_ in enumerate(ids)}
    last = len(positions)
    return sorted(counts, key=lambda one: (one.phrases, positions.get((one.phrases, one.phrase), last), one.phrase))


def _verdict_columns(_: Translate) -> list[Column]:
    return [
        Column("n", _("judged"), "count"),
        Column("heard", _("heard"), "count"),
        Column("not_heard", _("not heard"), "count"),
        Column("unknown", _(VERDICTS["unknown"]), "count"),
        *share_columns(_("share heard"), _),
    ]


def _verdict_cells(verdicts: Counter[str]) -> dict[str, Any]:
    share = Share(verdicts["heard"], verdicts["heard"] + verdicts["not_heard"])
    counts = {verdict: verdicts[verdict] for verdict in ("heard", "not_heard", "unknown")}
    return {"n": share.of, **counts, **share_cells(share)}


def _group_table(
    id_: str, title: str, heading: str, counts: Iterable[tuple[VerdictCounts, str | None]], titles: Titles, _: Translate
) -> Table:
    """Verdicts added up by stage or by step; `counts` come with the id of theirs."""
    groups: dict[tuple[str, str], Counter[str]] = {}
    for one, group in counts:
        if group is not None:
            groups.setdefault((one.phrases, group), Counter()).update(one.verdicts)
    rows = [
        {
            "id": group,
            "title": titles.get((phrases, group), group),
            "phrase_set": phrases,
            **_verdict_cells(verdicts),
        }
        for (phrases, group), verdicts in groups.items()
    ]
    columns = [Column("title", heading), *_verdict_columns(_), Column("phrase_set", _("phrase set"))]
    return Table(id_, title, columns, rows, _("Only required phrases are counted here."))


def _phrases_table(counts: Iterable[VerdictCounts], stages: Titles, _: Translate) -> Table:
    rows = []
    for one in counts:
        if one.stage is None:
            continue
        required = bool(one.detail.get("required"))
        cells = _verdict_cells(one.verdicts)
        if not required:
            cells |= dict.fromkeys(("n", "not_heard", "share", "low", "high", "few"))
        stage = stages.get((one.phrases, one.stage), one.stage)
        row = {"id": one.phrase, "title": one.title, "stage": stage, "owed": required, **cells}
        rows.append({**row, "phrase_set": one.phrases})
    rows.sort(key=lambda row: not row["owed"])
    columns = [
        Column("title", _("phrase")),
        Column("stage", _("stage")),
        Column("owed", _("required phrase"), "yes"),
        *_verdict_columns(_),
        Column("id", _("id")),
        Column("phrase_set", _("phrase set")),
    ]
    note = _("A phrase that is not required is recorded only when it is heard, so it has no share.")
    return Table("phrases", _("By phrase"), columns, rows, note)


def _courtesy_words_table(
    counts: Iterable[VerdictCounts], sets: PhraseSets, totals: Mapping[str, VisitTotals], _: Translate
) -> Table:
    """Every courtesy word of the phrase sets, also those that were never heard; `totals` are by phrase set."""
    words = {(one.phrases, one.phrase): one for one in counts if one.detail.get("courtesy_word")}
    titles = {(name, word.id): word.name for name, phrases in sets.items() for word in phrases.word}
    rows = []
    for key, title in {**titles, **{key: one.title for key, one in words.items()}}.items():
        verdicts = words[key].verdicts if key in words else Counter[str]()
        share = Share(verdicts["heard"], totals.get(key[0], VisitTotals()).visits)
        cells = {"n": share.of, "heard": share.part, "unknown": verdicts["unknown"], **share_cells(share)}
        rows.append({"id": key[1], "title": title, **cells, "phrase_set": key[0]})
    columns = [
        Column("title", _("word")),
        Column("n", _("visits"), "count"),
        Column("heard", _("heard"), "count"),
        Column("unknown", _(VERDICTS["unknown"]), "count"),
        *share_columns(_("share of visits"), _),
        Column("phrase_set", _("phrase set")),
    ]
    return Table("words", _("The ten-character courtesy words"), columns, rows, _("A word counts once per visit."))


def _rules_table(counts: Iterable[VerdictCounts], _: Translate) -> Table:
    rows = []
    for one in counts:
        if one.kind == "rule":
            share = Share(one.verdicts["heard"], one.verdicts["heard"] + one.verdicts["broken"])
            cells = {
                "n": share.of,
                "kept": share.part,
                "broken": one.verdicts["broken"],
                "unknown": one.verdicts["unknown"],
            }
            row = {"id": one.phrase, "title": one.title, **cells, **share_cells(share), "phrase_set": one.phrases}
            rows.append({**row, "severity": _severity(one, _)})
    columns = [
        Column("title", _("rule")),
        Column("severity", _("severity")),
        Column("n", _("applied"), "count"),
        Column("kept", _("kept"), "count"),
        Column("broken", _("broken"), "count"),
        Column("unknown", _(VERDICTS["unknown"]), "count"),
        *share_columns(_("share kept"), _),
        Column("phrase_set", _("phrase set")),
    ]
    return Table("rules", _("Rules: 请 with a request, 对不起 with a refusal"), columns, rows)


def _severity(counts: VerdictCounts, _: Translate) -> str:
    """The severity in the reader's language, or nothing if it is not one of ours."""
    severity = counts.detail.get("severity")
    return _(SEVERITIES[severity]) if isinstance(severity, str) and severity in SEVERITIES else ""


def _offence_classes_table(counts: Iterable[VerdictCounts], totals: Mapping[str, VisitTotals], _: Translate) -> Table:
    groups: dict[tuple[str, str], Counter[str]] = {}
    for one in counts:
        if one.kind == "forbidden":
            groups.setdefault((one.phrases, str(one.detail.get("class", ""))), Counter()).update(one.verdicts)
    rows = [
        {
            "id": name,
            "title": name,
            "forbidden": verdicts["forbidden"],
            "unknown": verdicts["unknown"],
            "per_100_visits": 100 * verdicts["forbidden"] / totals[phrases].visits if phrases in totals else None,
            "phrase_set": phrases,
        }
        for (phrases, name), verdicts in sorted(groups.items(), key=lambda group: -group[1]["forbidden"])
    ]
    columns = [
        Column("title", _("class")),
        Column("forbidden", _("times heard"), "count"),
        Column("unknown", _(VERDICTS["unknown"]), "count"),
        Column("per_100_visits", _("per 100 visits"), "rate"),
        Column("phrase_set", _("phrase set")),
    ]
    return Table("classes", _("Offences by class"), columns, rows)


def _offences_table(counts: Iterable[VerdictCounts], _: Translate) -> Table:
    offences = sorted((one for one in counts if one.kind == "forbidden"), key=lambda one: -one.verdicts["forbidden"])
    rows = [
        {
            "id": one.phrase,
            "title": one.title,
            "class": str(one.detail.get("class", "")),
            "severity": _severity(one, _),
            "forbidden": one.verdicts["forbidden"],
            "unknown": one.verdicts["unknown"],
            "phrase_set": one.phrases,
        }
        for one in offences
    ]
    columns = [
        Column("title", _("forbidden phrase")),
        Column("class", _("class")),
        Column("severity", _("severity")),
        Column("forbidden", _("times heard"), "count"),
        Column("unknown", _(VERDICTS["unknown"]), "count"),
        Column("id", _("id")),
        Column("phrase_set", _("phrase set")),
    ]
    return Table("offences", _("Offences by phrase"), columns, rows)


def _complaints_table(data: ReportData, sets: PhraseSets, total: VisitTotals, _: Translate) -> Table:
    titles = {scenario.id: scenario.title for phrases in sets.values() for scenario in phrases.scenario}
    rows = []
    for one in data.scenarios:
        handled = Share(one.sums.visits - one.unknown - one.missed, one.sums.visits - one.unknown)
        totals = totals_cells(one.sums)
        rows.append(
            {
                "id": one.scenario,
                "title": titles.get(one.scenario, one.scenario),
                "visits": one.sums.visits,
                "visits_share": Share(one.sums.visits, total.visits).value,
                "handled": handled.part,
                "missed": one.missed,
                "unknown": one.unknown,
                **share_cells(handled, "handled_"),
                "pass_share": totals["pass_share"],
                "mean_score": totals["mean_score"],
            }
        )
    columns = [
        Column("title", _("what happened")),
        Column("visits", _("visits"), "count"),
        Column("visits_share", _("share of visits"), "share"),
        Column("handled", _("handled in full"), "count"),
        Column("missed", _("a required phrase was missed"), "count"),
        Column("unknown", _(VERDICTS["unknown"]), "count"),
        *share_columns(_("share handled in full"), _, "handled_"),
        Column("pass_share", _("pass rate"), "share"),
        Column("mean_score", _("mean score"), "points"),
    ]
    return Table("complaints", _("Complaints and how they were handled"), columns, rows)

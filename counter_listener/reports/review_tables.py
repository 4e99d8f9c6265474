"""Tables of what people said of the verdicts: the reviews, and how right the machine is here. Pure."""

from typing import Any

from counter_listener.domain import VERDICTS, Estimate, Interval, Translate
from counter_listener.record import MachineTrust, ReportData, Share, VisitTotals
from counter_listener.reports.tables import Column, Row, Table, share_cells, share_columns


def reviews_table(data: ReportData, total: VisitTotals, _: Translate) -> Table:
    """What the reviews changed, and what they say of all visits; without rows if nobody reviewed a visit."""
    trust = data.trust
    columns = [
        Column("title", _("figure")),
        Column("unit", _("unit")),
        Column("value", _("value"), "rate"),
        Column("low", _("95 % from"), "rate"),
        Column("high", _("95 % to"), "rate"),
        Column("n", _("cases"), "count"),
    ]
    note = _(
        "Reviewers choose what they look at, so their share of wrong verdicts is not that of all. What is estimated for"
        " all follows from samples."
    )
    rows = _review_rows(data, trust, total, _) if trust.reviewed or trust.sampled else []
    return Table("reviews", _("Reviews"), columns, rows, note)


def _review_rows(data: ReportData, trust: MachineTrust, total: VisitTotals, _: Translate) -> list[Row]:
    after = data.after_reviews or total
    agreement = trust.agreement
    return [
        _row("reviewed", _("visits reviewed"), "count", trust.reviewed, n=total.visits),
        _row("changed", _("of those, with a verdict that was changed"), "count", trust.changed, n=trust.reviewed),
        _row("pass", _("visits that passed, by the machine"), "share", total.pass_share.value, n=total.scored),
        _row("pass_after", _("visits that passed, after reviews"), "share", after.pass_share.value, n=after.scored),
        _row("mean", _("mean score, by the machine"), "points", total.mean, n=total.scored),
        _row("mean_after", _("mean score, after reviews"), "points", after.mean, n=after.scored),
        _share_row("overturned", _("verdicts overturned, of those reviewed"), trust.overturned),
        _estimate_row("overturned_all", _("verdicts that are wrong, estimated for all"), trust.overturned_sampled),
        _row("missed", _("offences and broken rules that the machine missed"), "count", trust.missed),
        _estimate_row("missed_all", _("visits in which it missed one, estimated for all"), trust.visits_missed),
        _row("sampled", _("visits drawn for samples"), "count", trust.sampled),
        _row("finished", _("of those, looked at to their end"), "count", trust.finished, n=trust.sampled),
        _row(
            "kappa",
            _("agreement of two reviewers (Cohen's kappa, 1 is full)"),
            "rate",
            agreement.kappa if agreement else None,
            agreement.interval if agreement else None,
            agreement.n if agreement else None,
        ),
    ]


def _row(  # noqa: PLR0913 - one for each cell
    id_: str, title: str, unit: str, value: float | None, interval: Interval | None = None, n: int | None = None
) -> dict[str, Any]:
    low, high = interval or (None, None)
    return {"id": id_, "title": title, "unit": unit, "value": value, "low": low, "high": high, "n": n}


def _share_row(id_: str, title: str, share: Share) -> Row:
    return _row(id_, title, "share", share.value, share.interval, share.of)


def _estimate_row(id_: str, title: str, estimate: Estimate | None) -> Row:
    if estimate is None:
        return _row(id_, title, "share", None)
    return _row(id_, title, "share", estimate.value, estimate.interval, estimate.n)


def machine_table(data: ReportData, _: Translate) -> Table:
    """How often reviewers upheld each verdict; the least certain first."""
    rows = []
    for one in data.trust.verdicts:
        low, high = one.sampled.interval if one.sampled else (None, None)
        rows.append(
            {
                "id": one.phrase,
                "title": one.title,
                "verdict": one.verdict,
                "verdict_title": _(VERDICTS.get(one.verdict, one.verdict)),
                "n": one.upheld.of,
                "upheld": one.upheld.part,
                **share_cells(one.upheld),
                "sampled_n": one.sampled.n if one.sampled else None,
                "sampled_share": one.sampled.value if one.sampled else None,
                "sampled_low": low,
                "sampled_high": high,
                "phrase_set": one.phrases,
            }
        )
    rows.sort(key=lambda row: (row["share"], -row["n"]))
    columns = [
        Column("title", _("what")),
        Column("verdict_title", _("verdict of the machine")),
        Column("n", _("reviewed"), "count"),
        Column("upheld", _("upheld"), "count"),
        *share_columns(_("share upheld"), _),
        Column("sampled_share", _("right, estimated for all"), "share"),
        Column("sampled_low", _("estimated, 95 % from"), "share"),
        Column("sampled_high", _("estimated, 95 % to"), "share"),
        Column("sampled_n", _("in samples"), "count"),
        Column("id", _("id")),
        Column("phrase_set", _("phrase set")),
    ]
    note = _("A verdict counts here once a person upheld or overturned it, or looked at its visit to the end.")
    return Table("machine", _("How right the machine is here"), columns, rows, note)

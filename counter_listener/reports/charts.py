"""The charts of a report as SVG: no script, no font, no colour of its own, all of that is in the page's style."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

from counter_listener.domain import Translate, printable
from counter_listener.reports.report import Report
from counter_listener.reports.tables import Row

# pygal hooks itself into Python's import to find its maps, by an interface that newer Pythons lack; we draw no maps.
sys.meta_path[:] = [one for one in sys.meta_path if not type(one).__module__.startswith("pygal")]

SVG = "{http://www.w3.org/2000/svg}"
WIDTH, HEIGHT = 640, 300
"""Of the drawing's own units; the page scales it to its column."""
LABELS = 9
"""How many labels an axis has room for."""
BARS = 12
"""How many bars are still told apart."""

FONT = 15
"""Units; the page's style says the same."""
LONGEST = 16
"""Letters of a label."""
WIDE = 0x2E80
"""From here on letters are as wide as they are high."""
MARKS = 8
"""Steps of an axis of things that are counted, at most."""
LINES = (0, 25, 50, 75, 100)
"""Where an axis of shares has its lines."""

Chart = tuple[str, str]
"""Its title and the SVG."""


def charts(report: Report, _: Translate) -> dict[str, Chart]:
    """The charts by the table beside which they stand; none where there is nothing to draw."""
    drawn = {
        "stages": _verdicts(report, "stages", _),
        "weeks": _trend(report, _),
        "hours": _passing(report, "hours", _),
        "weekdays": _passing(report, "weekdays", _),
        "classes": _offences(report, _),
    }
    return {name: chart for name, chart in drawn.items() if chart}


def _options(**more: object) -> dict[str, Any]:
    base = {
        "width": WIDTH,
        "height": HEIGHT,
        "css": (),
        "js": (),
        "margin": 12,
        "legend_at_bottom": True,
        "print_values": False,
        "show_legend": False,
        "truncate_label": -1,
        "style": Style(**dict.fromkeys(("label_font_size", "major_label_font_size", "legend_font_size"), FONT)),
    }
    return {**base, **more}


def _titles(rows: Sequence[Row]) -> list[str]:
    """As long as there is room for, the last row first, for that is how pygal stacks them."""
    names = (printable(str(row["title"])) for row in reversed(rows))
    return [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in names]


def _room(titles: Sequence[str]) -> float:
    """Units to the left for what pygal leaves out: it takes every letter to be as narrow as a Latin one."""
    return 12 + 0.6 * FONT * max(sum(ord(letter) > WIDE for letter in title) for title in titles)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} %"


def _verdicts(report: Report, name: str, _: Translate) -> Chart | None:
    rows = report.table(name).rows[:BARS]
    if not rows:
        return None
    titles = (("heard", _("heard")), ("unknown", _("cannot be told")), ("not_heard", _("not heard")))
    labels = _titles(rows)
    size = {"height": 110 + 32 * len(rows), "margin_left": _room(labels)}
    chart = pygal.HorizontalStackedBar(**_options(show_legend=True, range=(0, 100), value_formatter=_percent, **size))
    chart.x_labels, chart.y_labels = labels, LINES
    for key, title in titles:
        shares = [100 * row[key] / max(1, row["n"] + row["unknown"]) for row in reversed(rows)]
        chart.add(title, shares)
    return _("What became of the owed phrases, by stage"), svg(chart)


def _trend(report: Report, _: Translate) -> Chart | None:
    rows = report.table("weeks").rows
    if len(rows) < 2:  # noqa: PLR2004 - one week is no trend
        return None
    chart = pygal.Line(**_options(range=(0, 100), value_formatter=_percent, show_minor_x_labels=False, dots_size=2))
    _label(chart, [str(row["title"])[2:] for row in rows])
    chart.add(_("passing"), [_hundred(row["pass_share"]) for row in rows])
    return _("Share of visits that pass, by week"), svg(chart)


def _passing(report: Report, name: str, _: Translate) -> Chart | None:
    rows = report.table(name).rows
    if not rows:
        return None
    chart = pygal.Bar(**_options(range=(0, 100), value_formatter=_percent, show_minor_x_labels=False))
    _label(chart, [str(row["title"]).partition("-")[0] if name == "hours" else str(row["title"]) for row in rows])
    chart.add(_("passing"), [_hundred(row["pass_share"]) for row in rows])
    title = _("Share of visits that pass, by hour") if name == "hours" else _("Share of visits that pass, by weekday")
    return title, svg(chart)


def _offences(report: Report, _: Translate) -> Chart | None:
    rows = [row for row in report.table("classes").rows if row["forbidden"]][:BARS]
    if not rows:
        return None
    labels = _titles(rows)
    size = {"height": 70 + 32 * len(rows), "margin_left": _room(labels)}
    chart = pygal.HorizontalBar(**_options(value_formatter=lambda value: f"{value:.0f}", **size))
    chart.x_labels, chart.y_labels = labels, whole_numbers(max(row["forbidden"] for row in rows))
    chart.add(_("offences"), [row["forbidden"] for row in reversed(rows)])
    return _("Offences, by class"), svg(chart)


def whole_numbers(most: int) -> list[int]:
    """Marks of an axis of things that are counted: from 0 to `most` or a little beyond, at steps of 1, 2 or 5 tens."""
    steps = (step * 10**power for power in range(12) for step in (1, 2, 5))
    step = next(step for step in steps if step * MARKS >= most)
    return list(range(0, most + step, step))


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _label(chart: Any, titles: Sequence[str]) -> None:  # noqa: ANN401 - pygal has no types
    """All labels, of which only as many are shown as there is room for."""
    chart.y_labels = LINES
    every = -(-len(titles) // LABELS)
    chart.x_labels = [printable(title) for title in titles]
    chart.x_labels_major = [printable(title) for title in titles[::every]]


def svg(chart: Any) -> str:  # noqa: ANN401 - pygal has no types
    """The drawing without script, comments and date; each value becomes a tooltip that needs no script."""
    tree: ET.Element = chart.render_tree()
    _strip(tree, lambda one: not isinstance(one.tag, str))
    for one in tree.iter():
        one.tag = one.tag.removeprefix(SVG)
    _strip(tree, lambda one: one.tag in {"defs", "title"} or one.get("class") in {"text-overlay", "tooltip-overlay"})
    for one in tree.iter("desc"):
        if one.get("class") == "value":
            one.tag = "title"
    _strip(tree, lambda one: one.tag == "desc")
    for one in tree.iter():
        one.attrib.pop("style", None)  # the page allows none but its own
    tree.attrib.pop("id", None)
    tree.set("role", "img")
    return ET.tostring(tree, encoding="unicode")


def _strip(tree: ET.Element, wanted: Callable[[ET.Element], bool]) -> None:
    for parent in list(tree.iter()):
        for child in list(parent):
            if wanted(child):
                parent.remove(child)

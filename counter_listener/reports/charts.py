"""The charts of a report as SVG without script, fonts and colours; the style of the page has the last two."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

from counter_listener.domain import VERDICTS, Translate, printable
from counter_listener.reports.report import Report
from counter_listener.reports.tables import Row, text_width

# pygal adds an import hook, to find its maps, that newer Python versions do not support. We draw no maps.
sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("pygal")]

SVG: Final = "{http://www.w3.org/2000/svg}"
WIDTH, HEIGHT = 640, 300
"""In units of the drawing; the page scales it to its column."""
MAX_LABELS: Final = 9
"""Labels on the axis of time."""
MAX_BARS: Final = 12
"""Horizontal bars of one chart."""
FONT_SIZE: Final = 15
"""In units of the drawing; the style of the page has the same size."""
MARGIN_OF_DATES: Final = 48
"""In units of the drawing: room for half of the last date, which stands under the last point."""
MAX_LETTERS: Final = 16
"""Letters of the label of a bar."""
MAX_STEPS: Final = 8
"""Steps of an axis of counts."""
PERCENT_LINES: Final = (0, 25, 50, 75, 100)
"""The grid lines on an axis of shares."""

Chart = tuple[str, str]
"""Title and SVG."""


def charts(report: Report, _: Translate) -> dict[str, Chart]:
    """The charts, by the id of the table that each belongs to; a chart without data is left out."""
    stages, weeks, hours, weekdays = (report.table(id_).rows for id_ in ("stages", "weeks", "hours", "weekdays"))
    classes = [row for row in report.table("classes").rows if row["forbidden"]]
    drawn: dict[str, Chart] = {}
    if stages:
        drawn["stages"] = _("Verdicts on required phrases, by stage"), _verdicts(stages[:MAX_BARS], _)
    if len(weeks) > 1:
        line = pygal.Line(**_percent_options(dots_size=2, margin_right=MARGIN_OF_DATES))
        drawn["weeks"] = _("Pass rate by week"), _pass_rates(line, weeks, [row["title"][2:] for row in weeks], _)
    if hours:
        titles = [row["title"].partition("-")[0] for row in hours]
        drawn["hours"] = _("Pass rate by hour"), _pass_rates(pygal.Bar(**_percent_options()), hours, titles, _)
    if weekdays:
        titles = [row["title"] for row in weekdays]
        drawn["weekdays"] = _("Pass rate by weekday"), _pass_rates(pygal.Bar(**_percent_options()), weekdays, titles, _)
    if classes:
        drawn["classes"] = _("Offences, by class"), _offences(classes[:MAX_BARS], _)
    return drawn


def _options(**more: object) -> dict[str, Any]:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "css": (),
        "js": (),
        "margin": 12,
        "legend_at_bottom": True,
        "print_values": False,
        "show_legend": False,
        "truncate_label": -1,
        "style": Style(**dict.fromkeys(("label_font_size", "major_label_font_size", "legend_font_size"), FONT_SIZE)),
        **more,
    }


def _percent_options(**more: object) -> dict[str, Any]:
    return _options(range=(0, 100), value_formatter=lambda value: "" if value is None else f"{value:.0f} %", **more)


def _bar_options(rows: Sequence[Row], margin: int) -> tuple[list[str], dict[str, Any]]:
    """The labels of horizontal bars, cut to their maximum length, and a size that has room for them.

    pygal draws the last row first. It takes a Chinese letter to be as narrow as a Latin one, so the left margin grows.
    """
    titles = [printable(str(row["title"])) for row in reversed(rows)]
    labels = [title if len(title) <= MAX_LETTERS else f"{title[: MAX_LETTERS - 1]}…" for title in titles]
    wide = max(text_width(label) - len(label) for label in labels)
    return labels, {"height": margin + 32 * len(rows), "margin_left": 12 + 0.6 * FONT_SIZE * wide}


def _verdicts(rows: Sequence[Row], _: Translate) -> str:
    labels, size = _bar_options(rows, 110)
    chart = pygal.HorizontalStackedBar(**_percent_options(show_legend=True, **size))
    chart.x_labels, chart.y_labels = labels, PERCENT_LINES
    for verdict in ("heard", "unknown", "not_heard"):
        shares = [100 * row[verdict] / max(1, row["n"] + row["unknown"]) for row in reversed(rows)]
        chart.add(_(VERDICTS[verdict]), shares)
    return svg(chart)


def _offences(rows: Sequence[Row], _: Translate) -> str:
    labels, size = _bar_options(rows, 70)
    chart = pygal.HorizontalBar(**_options(value_formatter=lambda value: f"{value:.0f}", **size))
    chart.x_labels, chart.y_labels = labels, count_axis(max(row["forbidden"] for row in rows))
    chart.add(_("offences"), [row["forbidden"] for row in reversed(rows)])
    return svg(chart)


def count_axis(highest: int) -> list[int]:
    """The labels of an axis of counts: from 0 to at least `highest`, in steps of 1, 2 or 5 times a power of ten."""
    steps = (step * 10**power for power in range(12) for step in (1, 2, 5))
    step = next(step for step in steps if step * MAX_STEPS >= highest)
    return list(range(0, highest + step, step))


def _pass_rates(chart: Any, rows: Sequence[Row], titles: Sequence[str], _: Translate) -> str:  # noqa: ANN401 - pygal has no types
    """A chart of pass rates over time; only as many labels are shown as there is room for."""
    labels = [printable(title) for title in titles]
    chart.y_labels, chart.x_labels = PERCENT_LINES, labels
    chart.x_labels_major, chart.show_minor_x_labels = labels[:: -(-len(labels) // MAX_LABELS)], False
    shares = (row["pass_share"] for row in rows)
    chart.add(_("pass rate"), [None if share is None else 100 * share for share in shares])
    return svg(chart)


def svg(chart: Any) -> str:  # noqa: ANN401 - pygal has no types
    """The drawing without script, comments, date and style attributes; the values become tooltips without script."""
    tree: ET.Element = chart.render_tree()
    _remove(tree, lambda element: not isinstance(element.tag, str))
    for element in tree.iter():
        element.tag = element.tag.removeprefix(SVG)
    _remove(
        tree,
        lambda element: element.tag in {"defs", "title"} or element.get("class") in {"text-overlay", "tooltip-overlay"},
    )
    for element in tree.iter("desc"):
        if element.get("class") == "value":
            element.tag = "title"
    _remove(tree, lambda element: element.tag == "desc")
    for element in tree.iter():
        element.attrib.pop("style", None)  # the security policy of the page allows its own style only
    tree.attrib.pop("id", None)
    tree.set("role", "img")
    return ET.tostring(tree, encoding="unicode")


def _remove(tree: ET.Element, unwanted: Callable[[ET.Element], bool]) -> None:
    for parent in list(tree.iter()):
        for child in list(parent):
            if unwanted(child):
                parent.remove(child)

"""The trade-off curve of an evaluation as a picture. The only module that knows matplotlib."""

from __future__ import annotations

import importlib.util
from io import BytesIO
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Final

from counter_listener.domain import UsageError, system_reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from counter_listener.evaluation.evaluation import Evaluation
    from counter_listener.evaluation.scoring import MethodScore

SUFFIXES: Final = (".png", ".svg")
LEVELS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""F1 of the lines drawn to steer by."""


def check_sweep(target: Path) -> None:
    """Raises UsageError where the picture could not be drawn or written: before the work, not after it."""
    if target.suffix.lower() not in SUFFIXES:
        raise UsageError("--sweep draws PNG or SVG, so {target} must end in .png or .svg.", target=target)
    if not target.parent.is_dir():
        raise UsageError(
            "--sweep: there is no folder {parent} to write {target} in; make it first.",
            parent=target.parent,
            target=target.name,
        )
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError("--sweep needs matplotlib, which is not installed: pip install 'counter-listener[eval]'.")


def draw_sweep(evaluation: Evaluation, target: Path) -> None:
    """Draws precision against recall of every finder at all its thresholds, and writes PNG or SVG by the suffix.

    Raises UsageError where the file cannot be written; what stood there is then still there.
    """
    picture = _drawn(evaluation, target.suffix.lower().removeprefix("."))
    try:
        target.write_bytes(picture)
    except OSError as error:
        raise UsageError(
            "--sweep: {target} cannot be written ({why}).", target=target, why=system_reason(error)
        ) from None


def _drawn(evaluation: Evaluation, kind: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # A fixed salt and no date: the same evaluation gives the same file.
    with mpl.rc_context({"svg.hashsalt": "counter-listener"}):
        figure = Figure(figsize=(7, 6), layout="constrained")
        axes = figure.add_subplot()
        _guide(axes)
        for name, methods in evaluation.curves.items():
            _line(axes, name, methods, next(one for one in evaluation.methods if one.name == name))
        axes.set(xlim=(0, 1.01), ylim=(0, 1.01), xlabel="recall: of what was said, found")
        axes.set(ylabel="precision: of what was found, said", title="What each threshold costs")
        axes.legend(loc="lower left")
        buffer = BytesIO()
        figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _guide(axes: Axes) -> None:
    """Lines of equal F1."""
    for level in LEVELS:
        recalls = [level / 2 + step * (1 - level / 2) / 500 for step in range(1, 501)]
        points = [(recall, level * recall / (2 * recall - level)) for recall in recalls]
        inside = [(recall, precision) for recall, precision in points if precision <= 1]
        axes.plot(*zip(*inside, strict=True), color="0.85", linewidth=0.8, zorder=0)
        axes.annotate(f"F1 {level:g}", inside[-1], color="0.5", fontsize=7, ha="right", va="bottom")


def _line(axes: Axes, name: str, methods: Sequence[MethodScore], used: MethodScore) -> None:
    """One finder: its curve, and on it the point it is scored at."""
    points = [(one.counts.recall, one.counts.precision) for one in methods]
    known = [point for point in points if not any(map(isnan, point))]
    if not known:
        return
    (drawn,) = axes.plot(*zip(*known, strict=True), marker=".", markersize=3, linewidth=1.2, label=name)
    at = (used.counts.recall, used.counts.precision)
    if not any(map(isnan, at)):
        axes.plot(*at, marker="o", markersize=7, color=drawn.get_color())

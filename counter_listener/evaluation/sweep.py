"""Draws precision against recall at all thresholds. The only module that imports matplotlib."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from io import BytesIO
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from counter_listener.domain import UsageError, system_reason
from counter_listener.evaluation.evaluation import Evaluation
from counter_listener.evaluation.scoring import MethodScore

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def check_sweep(target: Path) -> None:
    """Raises UsageError if the picture cannot be drawn or written; to be called before the evaluation."""
    if target.suffix.lower() not in {".png", ".svg"}:
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
    """Draw precision against recall of every method at all its thresholds, as PNG or SVG by the suffix.

    Raises UsageError if the file cannot be written.
    """
    picture = _draw(evaluation, target.suffix.lower().removeprefix("."))
    try:
        target.write_bytes(picture)
    except OSError as error:
        raise UsageError(
            "--sweep: {target} cannot be written ({why}).", target=target, why=system_reason(error)
        ) from None


def _draw(evaluation: Evaluation, kind: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # A fixed salt and no date: the same evaluation gives the same file.
    with mpl.rc_context({"svg.hashsalt": "counter-listener"}):
        figure = Figure(figsize=(7, 6), layout="constrained")
        axes = figure.add_subplot()
        _draw_f1_lines(axes)
        used = {method.name: method for method in evaluation.methods}
        for name, curve in evaluation.curves.items():
            _draw_method(axes, name, curve, used[name])
        axes.set(xlim=(0, 1.01), ylim=(0, 1.01), xlabel="recall: of what was said, found")
        axes.set(ylabel="precision: of what was found, said", title="What each threshold costs")
        axes.legend(loc="lower left")
        buffer = BytesIO()
        figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _draw_f1_lines(axes: Axes) -> None:
    """Lines of equal F1, in the background."""
    for level in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        recalls = [level / 2 + step * (1 - level / 2) / 500 for step in range(1, 501)]
        points = [(recall, level * recall / (2 * recall - level)) for recall in recalls]
        visible = [(recall, precision) for recall, precision in points if precision <= 1]
        axes.plot(*zip(*visible, strict=True), color="0.85", linewidth=0.8, zorder=0)
        axes.annotate(f"F1 {level:g}", visible[-1], color="0.5", fontsize=7, ha="right", va="bottom")


def _draw_method(axes: Axes, name: str, curve: Sequence[MethodScore], used: MethodScore) -> None:
    """The curve of one method, with a mark at the threshold at which it is scored."""
    points = _points(curve)
    if points:
        (line,) = axes.plot(*zip(*points, strict=True), marker=".", markersize=3, linewidth=1.2, label=name)
        for point in _points([used]):
            axes.plot(*point, marker="o", markersize=7, color=line.get_color())


def _points(scores: Sequence[MethodScore]) -> list[tuple[float, float]]:
    """Recall and precision of each score, if both are defined."""
    points = [(score.counts.recall, score.counts.precision) for score in scores]
    return [point for point in points if not any(map(isnan, point))]

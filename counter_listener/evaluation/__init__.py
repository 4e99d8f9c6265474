"""ROOM"""

from counter_listener.evaluation.evaluation import Evaluation, Finders, Trial, evaluate, finders, hear, tried
from counter_listener.evaluation.labels import Label, read_labels, scorable
from counter_listener.evaluation.scores import ALL, Row, as_record, by_phrase, rows_of
from counter_listener.evaluation.scoring import DRAWS, SLACK, Counts
from counter_listener.evaluation.sweep import check_sweep, draw_sweep

__all__ = [
    "ALL",
    "DRAWS",
    "SLACK",
    "Counts",
    "Evaluation",
    "Finders",
    "Label",
    "Row",
    "Trial",
    "as_record",
    "by_phrase",
    "check_sweep",
    "draw_sweep",
    "evaluate",
    "finders",
    "hear",
    "read_labels",
    "rows_of",
    "scorable",
    "tried",
]

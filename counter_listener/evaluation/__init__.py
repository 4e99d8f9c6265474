"""ROOM"""

from counter_listener.evaluation.evaluation import (
    Evaluation,
    FileDetections,
    Finders,
    evaluate,
    finders,
    load_case,
    run_finders,
)
from counter_listener.evaluation.labels import Label, read_labels, scorable_ids
from counter_listener.evaluation.scores import ALL, Row, as_record, by_phrase, rows_of
from counter_listener.evaluation.scoring import DRAWS, SLACK, Counts
from counter_listener.evaluation.sweep import check_sweep, draw_sweep

"""Scores how well phrases are found in labelled recordings. The only room with rapidfuzz and matplotlib.

In: a file of labels, a speech model, and our matcher, which is compared with three baselines.
Out: precision, recall and F1 with intervals, in all and by phrase, and their plot.
"""

from counter_listener.evaluation.baselines import BASELINES, Wordings, find_baseline, prepare_baseline, units_with_times
from counter_listener.evaluation.evaluation import (
    Case,
    Evaluation,
    FileDetections,
    Finders,
    as_detection,
    evaluate,
    load_case,
    matcher_hits,
    prepare_finders,
    run_finders,
)
from counter_listener.evaluation.labels import Label, labels_of_reviews, read_labels
from counter_listener.evaluation.scores import ALL, ScoreRow, json_row, rows_by_phrase, score_rows
from counter_listener.evaluation.scoring import (
    DRAWS,
    SLACK,
    Counts,
    Detection,
    LabelledPhrase,
    MethodScore,
    by_id,
    count,
    f1_interval,
    overlap,
    total,
)
from counter_listener.evaluation.sweep import check_sweep, draw_sweep

"""Separates visits, gives verdicts and scores, and explains why a phrase was not heard. Pure.

In: matched utterances, gaps, ticks and visit toggles in order of time, and a phrase set.
Out: the events of each visit, explanations, verdict changes, verdicts and scores after reviews; also a phrase set that
is loaded and checked.
"""

from counter_listener.judging.comparison import Span, VerdictChange, paired_visits, verdict_changes
from counter_listener.judging.counted import counted_findings
from counter_listener.judging.due import due_window
from counter_listener.judging.explanation import AlignedColumn, Explanation, explain
from counter_listener.judging.features import FEATURES
from counter_listener.judging.hits import OtherSet, judge_hits
from counter_listener.judging.kept_spans import ClipSpan, clip_spans
from counter_listener.judging.manner import Figures, figures_from
from counter_listener.judging.manner_words import MannerLine, manner_lines, voice_words
from counter_listener.judging.phrase_check import failing_examples, load_matcher, typed_utterance, unmatched_templates
from counter_listener.judging.reviewed import (
    AGAINST,
    VERDICTS_OF,
    WHOLE_VISIT,
    effective_verdicts,
    observable,
    observed,
    score_after,
    standing_reviews,
    subject,
    worsens,
)
from counter_listener.judging.verdicts import Visit, VisitScore
from counter_listener.judging.visit import CounterState, advance, finish_stream, initial_state, judge
from counter_listener.judging.voices import ShiftVoices, VoiceScale, attribute, fitted_scale, sure_speaker

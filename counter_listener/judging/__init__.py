"""ROOM"""

from counter_listener.judging.comparison import VerdictChange, verdict_changes
from counter_listener.judging.examples import failing_examples, typed_utterance, unmatched_wordings
from counter_listener.judging.explanation import AlignedColumn, ExplainQuery, Explanation, explain
from counter_listener.judging.loading import load_matcher
from counter_listener.judging.verdicts import Visit
from counter_listener.judging.visit import CounterState, advance, counted_findings, finish_stream, initial_state, judge

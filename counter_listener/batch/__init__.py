"""Checks many recordings in worker processes or on a cluster, records the results, rejudges stored transcripts.

What comes in: paths, folders and patterns; a model and a phrase set; an open record.
What it hands on: one result per input, in batches as they are finished, and their totals.
"""

from counter_listener.batch.arrivals import RETRIES, Arrivals
from counter_listener.batch.check import CheckOptions, CheckResult, Tally
from counter_listener.batch.cluster import cluster_workers
from counter_listener.batch.estimate import ChangedVerdict, ChangedVisit, Estimate, estimate_change
from counter_listener.batch.inputs import NAMED, Input, LeftOut, expand_inputs, file_size, is_recording
from counter_listener.batch.moving import Mover
from counter_listener.batch.purging import purge_all, purge_by_rules
from counter_listener.batch.recorder import Recorder, RecorderCounts
from counter_listener.batch.running import Plan, Run, open_run, recorded_batches, worker_count
from counter_listener.batch.scheduler import InputOrder, Worker, check_inline, check_with_workers
from counter_listener.batch.stored_transcripts import purge_transcripts, rejudge_transcripts, transcripts_folder
from counter_listener.batch.waking import Waker
from counter_listener.batch.watching import Outcome, Watcher
from counter_listener.batch.workers import ProcessWorker, start_preloading

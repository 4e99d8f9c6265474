"""ROOM"""

from counter_listener.batch.check import CheckOptions, CheckResult
from counter_listener.batch.cluster import cluster_workers
from counter_listener.batch.inputs import MissingInput, expand_inputs, file_size, is_recording
from counter_listener.batch.recorder import Recorder, RecorderCounts
from counter_listener.batch.rejudge import rejudge_transcripts
from counter_listener.batch.scheduler import InputOrder, Worker, check_inline, check_with_workers
from counter_listener.batch.tally import Tally
from counter_listener.batch.transcript_files import (
    remove_transcripts,
    transcripts_folder,
)
from counter_listener.batch.warm import start_preloading
from counter_listener.batch.workers import ProcessWorker

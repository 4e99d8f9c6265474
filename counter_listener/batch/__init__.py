"""ROOM"""

from counter_listener.batch.check import Result, Task, fingerprint
from counter_listener.batch.cluster import cluster_hands
from counter_listener.batch.inputs import Missing, inputs, is_recording, size_of
from counter_listener.batch.scheduler import Hand, check_here, check_many
from counter_listener.batch.tally import Tally
from counter_listener.batch.transcript_files import Kept, folder_of, forget, keep, read_kept
from counter_listener.batch.warm import get_ready
from counter_listener.batch.workers import ProcessHand

__all__ = [
    "Hand",
    "Kept",
    "Missing",
    "ProcessHand",
    "Result",
    "Tally",
    "Task",
    "check_here",
    "check_many",
    "cluster_hands",
    "fingerprint",
    "folder_of",
    "forget",
    "get_ready",
    "inputs",
    "is_recording",
    "keep",
    "read_kept",
    "size_of",
]

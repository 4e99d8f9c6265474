"""Loads what a worker needs when the fork server imports it (see workers.py)."""

import os
from pathlib import Path

from counter_listener.asr import load_engine, share_model
from counter_listener.batch.workers import MODEL_VARIABLE

load_engine()
if folder := os.environ.get(MODEL_VARIABLE):
    share_model(Path(folder))

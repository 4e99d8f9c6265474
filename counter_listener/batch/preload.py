"""Importing this loads all that a worker needs (warm.py)."""

from __future__ import annotations

import os
from pathlib import Path

import counter_listener.batch  # noqa: F401 - it imports the rest
from counter_listener.asr import load_engine, share_model
from counter_listener.batch.warm import MODEL_VARIABLE

load_engine()
if folder := os.environ.get(MODEL_VARIABLE):
    share_model(Path(folder))

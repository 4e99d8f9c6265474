"""Importing this loads all that a worker needs (warm.py)."""

from __future__ import annotations

import counter_listener.audio
import counter_listener.cli
import counter_listener.workers  # noqa: F401 - it imports the rest
from counter_listener.recognizer import load_engine

load_engine()

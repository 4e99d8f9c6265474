"""What holds for all tests: the program speaks English to them, wherever they run."""

from __future__ import annotations

import os

os.environ["LANGUAGE"] = "en"

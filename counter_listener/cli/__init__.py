"""ROOM"""

from counter_listener.cli.app import cli, main

__all__ = ["cli", "main"]

"""ROOM"""

from counter_listener.cli.app import cli, main

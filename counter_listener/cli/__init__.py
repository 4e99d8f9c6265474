"""The commands of the program and what they show in the terminal; the only room with clocks, exit codes and printing.

In: the command line, the locale, keys pressed. Out: text on the terminal, JSON and CSV lines, reports, exit codes.
"""

from counter_listener.cli.app import cli, main

"""What the commands draw in a terminal: tables, the live screen, progress bars, log lines; and the keys they read."""

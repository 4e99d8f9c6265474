"""The commands, one module each; a command imports the other rooms inside its function, so that `--help` is fast."""

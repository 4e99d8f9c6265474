"""How the bundled speech model is made: from nothing to a folder that libvosk loads. README.md tells."""

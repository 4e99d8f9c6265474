"""Builds the bundled speech model from nothing to a folder that libvosk loads. README.md describes the steps."""

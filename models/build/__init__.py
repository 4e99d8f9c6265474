"""How the bundled speech model is made: from nothing to a folder that libvosk loads. Read README.md beside this file."""

"""Errors of the model build. The text of an error is one sentence for the user."""


class BuildError(Exception):
    "The model cannot be built: an input is wrong, a program is missing, or a step took too long."

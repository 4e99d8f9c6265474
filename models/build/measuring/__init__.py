"""Measures the accuracy and the cost of a model on the test sets: parts of `python -m models.build.measure`.

No module here may import pynini: it hangs in a process that has loaded libvosk.
"""

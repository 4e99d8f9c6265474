"""How well and how fast a model hears, measured on the test sets: parts of `python -m models.build.measure`.

Nothing here may import models.build.lexicon or pynini: the one shares pypinyin's tables with the program, which
makes them smaller, and the other hangs a process that has loaded libvosk.
"""

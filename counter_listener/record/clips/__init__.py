"""Clips: the seconds of sound around verdicts in question, encrypted, in a folder beside the record.

A clip is one file that says by itself to which visit and verdicts it belongs and until when it is kept; no row of the
record tells of it. So there is nothing that a crash could leave half done but a file without its name, and what belongs
to no visit that is in the record, or is past its date, is removed by the next sweep.
"""

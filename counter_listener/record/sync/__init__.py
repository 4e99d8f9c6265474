"""Records come together: a counter sends its rows, a server receives them, checks their chain and keeps each once.

What comes in: batches of rows of other records; the codes and tokens of counters; files that are merged.
What it hands on: rows in this record, the place of each source, receipts, and what counters say of themselves.
"""

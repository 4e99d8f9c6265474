"""Texts of the language model: what people say at a counter and elsewhere, as templates, and the vocabulary."""

"""Test sets that measure a model: made from recordings and with espeak-ng, with labels of what was said when."""

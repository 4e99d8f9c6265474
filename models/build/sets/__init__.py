"""Test sets made from recordings and from espeak-ng, with labels of what was said when: what a model is measured on."""

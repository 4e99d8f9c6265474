"""What people say at a counter and elsewhere, written by us as templates, and the vocabulary it is made of."""

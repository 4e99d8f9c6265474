"""What may go wrong while a model is built; its text is one sentence for whoever builds."""


class BuildError(Exception):
    "The model cannot be built: an input is wrong, a program is missing, or a step took too long."

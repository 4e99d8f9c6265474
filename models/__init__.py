"""The bundled speech models, and their build in `models.build`."""

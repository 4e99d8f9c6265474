"""The bundled speech models, and in `build` how they are made."""

"""Natural synthetic speech for the training: Kokoro-82M speaks sampled sentences in ever new voices."""

"""The speaker model: an x-vector network in Kaldi's format, which libvosk runs beside the acoustic model."""

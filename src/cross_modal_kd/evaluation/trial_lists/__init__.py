"""A list of trials as the field publishes them, scored from saved embeddings; it needs no model and no torch."""

"""Texts: reading, quality measures, degradations, the sentence encoder."""

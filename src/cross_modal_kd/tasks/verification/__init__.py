"""Open-set verification."""

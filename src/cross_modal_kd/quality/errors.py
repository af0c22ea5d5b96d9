"""What can be wrong with quality."""


class QualityError(ValueError):
    """A measure or a quality that cannot be used: the message says which, and what there is."""

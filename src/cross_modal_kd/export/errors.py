"""What can go wrong with an export."""


class ExportError(ValueError):
    """A student that cannot be exported, or whose exported program computes something else."""

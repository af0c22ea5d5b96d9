"""Errors that go from one process to another."""

import pickle
import traceback

RAISED_IN = "raised_in"
"""Attribute of such an error: the file that raised it, which its traceback in the process that hears of it lacks."""


def portable(error: Exception) -> Exception:
    """An error that another process can be given.

    Args:
        error: as it was raised.

    Returns:
        The error itself where it can be sent, else one with its words; both with ``RAISED_IN``.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = getattr(error, RAISED_IN, frames[-1].filename if frames else "")
    try:
        setattr(error, RAISED_IN, where)
        pickle.loads(pickle.dumps(error))  # noqa: S301 (what this process has made)
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
        setattr(error, RAISED_IN, where)
    return error

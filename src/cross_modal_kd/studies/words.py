"""What arms and projections are called in tables and plots."""

import pandas as pd

PROJECTIONS = {"mlp": "trainable", "pca": "fixed"}


def arm_label(title: str, projection: str) -> str:
    """The arm's title, with the projection it was trained under, if it has a teacher.

    Args:
        title: of the arm.
        projection: ``mlp``, ``pca`` or ``no teacher``.

    Returns:
        The label of a row, a curve or a plot.

    >>> arm_label("soft both", "pca")
    'soft both · fixed projection'
    """
    word = PROJECTIONS.get(projection)
    return f"{title} · {word} projection" if word else title


def without_interval(table: pd.DataFrame) -> str | None:
    """Why rows of a study's table have no interval.

    Args:
        table: with the column ``no_interval`` where a row has none.

    Returns:
        One line, with the reason that most rows have; None where all have their intervals.
    """
    reasons = table["no_interval"].dropna() if "no_interval" in table else pd.Series(dtype=object)
    return None if reasons.empty else f"No interval, and so no verdict: {reasons.mode().iloc[0]}."

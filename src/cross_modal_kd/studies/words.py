"""What arms and projections are called in tables and plots."""

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

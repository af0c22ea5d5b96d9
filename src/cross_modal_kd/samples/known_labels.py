"""How many training samples have a label, counted and in words."""

from collections.abc import Mapping

import pandas as pd


def counted_labels(labels: pd.Series) -> dict[str, int]:
    """How many training samples have a label, as plain values.

    Args:
        labels: (N,) of the student's training samples, null for none.

    Returns:
        ``training_samples`` N and ``labelled``; nothing where all have one.
    """
    found = {"training_samples": len(labels), "labelled": int(labels.notna().sum())}
    return {} if found["labelled"] == len(labels) else found


def labels_in_words(labels: pd.Series) -> str:
    """How many training samples have a label.

    Args:
        labels: (N,) of the student's training samples, null for none.

    Returns:
        A phrase, with what becomes of the others; empty where all have one.

    >>> labels_in_words(pd.Series(["anna", None, None]))
    'of 3 training samples 1 has a label, the others serve by their pairs'
    """
    counts = counted_labels(labels)
    return counted_in_words(counts) if counts else ""


def counted_in_words(counts: Mapping[str, int]) -> str:
    """``counted_labels`` as a phrase.

    Args:
        counts: ``training_samples`` and ``labelled``.

    Returns:
        The phrase of ``labels_in_words``.
    """
    count, of = counts["labelled"], f"of {counts['training_samples']:,} training samples"
    if not count:
        return f"{of} none has a label, all serve by their pairs"
    return f"{of} {f'{count:,} have' if count > 1 else '1 has'} a label, the others serve by their pairs"

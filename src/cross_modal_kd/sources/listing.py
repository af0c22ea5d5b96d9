"""What a layout finds: candidate rows, and what it passes over with its reason. Nothing is decoded yet."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.samples import (
    CONDITION,
    REJECTED_DTYPES,
    as_condition,
    conditions_of,
    conform,
    in_one_form,
    shown,
)

CANDIDATE_DTYPES: dict[str, str] = dict.fromkeys(
    ("sample_id", "modality", "label", "group", "family", "domain", "split", "path", "text", "source"), "str"
)
COUNT_DTYPES: dict[str, str] = {"source": "str", "part": "str", "what": "str", "found": "int64", "published": "int64"}
COMPARED = ("label", "group", "family", "domain")


class Listing(NamedTuple):
    """What a layout finds.

    Attributes:
        rows: columns of ``CANDIDATE_DTYPES``, and those of conditions that the layout knows.
        rejected: source, path, reason.
        counts: columns of ``COUNT_DTYPES``: what there is of each part of a published set, and what was published.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame
    counts: pd.DataFrame = pd.DataFrame(columns=list(COUNT_DTYPES))


def listing(
    rows: list[dict[str, Any]] | pd.DataFrame,
    rejected: list[dict[str, str]] | pd.DataFrame | None = None,
    counts: list[dict[str, Any]] | pd.DataFrame | None = None,
) -> Listing:
    """A listing with the right columns and dtypes from plain rows.

    Args:
        rows: of candidates; columns that no row has become null. What rows are compared by (``COMPARED``) is brought to
            one form of Unicode, and conditions to ``as_condition``'s; ``path`` and ``sample_id`` stay as the file
            system has them.
        rejected: source, path and reason of what is passed over.
        counts: of a published set.

    Returns:
        All three, as tables.
    """
    found = conform(pd.DataFrame(rows), CANDIDATE_DTYPES)
    found = found.assign(**{name: in_one_form(found[name]) for name in COMPARED})
    conditions = [f"{CONDITION}{name}" for name in conditions_of(found)]
    found = found.assign(**{name: as_condition(found[name]) for name in conditions})
    passed_over = conform(pd.DataFrame([] if rejected is None else rejected), REJECTED_DTYPES)
    return Listing(found, passed_over, conform(pd.DataFrame([] if counts is None else counts), COUNT_DTYPES))


def as_rejected(source: str, passed_over: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows of ``rejected_samples``.

    Args:
        source: its name.
        passed_over: path -> reason.

    Returns:
        A row each; bytes of a name that are no text are shown escaped.
    """
    return [{"source": source, "path": shown(path), "reason": reason} for path, reason in passed_over.items()]

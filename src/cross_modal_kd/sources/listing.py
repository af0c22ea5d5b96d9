"""What a layout finds: candidate rows, and what it passes over with its reason. Nothing is decoded yet."""

from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.samples import REJECTED_DTYPES, conform

CANDIDATE_DTYPES: dict[str, str] = dict.fromkeys(
    ("sample_id", "modality", "label", "group", "family", "domain", "split", "path", "text", "source"), "str"
)


class Listing(NamedTuple):
    """What a layout finds.

    Attributes:
        rows: columns of ``CANDIDATE_DTYPES``.
        rejected: source, path, reason.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame


def listing(
    rows: list[dict[str, Any]] | pd.DataFrame, rejected: list[dict[str, str]] | pd.DataFrame | None = None
) -> Listing:
    """A listing with the right columns and dtypes from plain rows; columns that no row has become null.

    Args:
        rows: candidate rows, each with any of the columns of ``CANDIDATE_DTYPES``; other columns are left out.
        rejected: source, path and reason of each file that is passed over; None for none.

    Returns:
        Two tables, their rows in the order given.
    """
    return Listing(
        conform(pd.DataFrame(rows), CANDIDATE_DTYPES),
        conform(pd.DataFrame([] if rejected is None else rejected), REJECTED_DTYPES),
    )

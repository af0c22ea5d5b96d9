"""Rows of a table, one by one."""

from typing import Any

import pandas as pd


def as_records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table, one by one.

    Args:
        rows: n rows, of any columns.

    Returns:
        n mappings from column to value, in the table's order.
    """
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]

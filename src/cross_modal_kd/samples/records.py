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
    names = [str(name) for name in rows.columns]
    columns = [rows.iloc[:, place].tolist() for place in range(rows.shape[1])]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

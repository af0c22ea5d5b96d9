"""Rows of a table, one by one."""

from typing import Any

import pandas as pd


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, each as a mapping from column to value."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]

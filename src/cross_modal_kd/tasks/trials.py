"""The table of trials: pairs of samples that are compared.

Names are categories: a trial holds four bytes of each, whatever the length of the name.
"""

import pandas as pd

DTYPES = {
    "enrol_id": "category",
    "test_id": "category",
    "target": "int64",
    "enrol_label": "category",
    "test_label": "category",
    "same_domain": "bool",
}


def no_trials() -> pd.DataFrame:
    """The table without a row: what a kind of task has whose samples are not compared in pairs."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in DTYPES.items()})

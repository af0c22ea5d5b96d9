"""The table of trials: pairs of samples that are compared."""

import pandas as pd

DTYPES = {
    "enrol_id": "str",
    "test_id": "str",
    "target": "int64",
    "enrol_label": "str",
    "test_label": "str",
    "same_domain": "bool",
}


def no_trials() -> pd.DataFrame:
    """The table without a row: what a kind of task has whose samples are not compared in pairs."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in DTYPES.items()})

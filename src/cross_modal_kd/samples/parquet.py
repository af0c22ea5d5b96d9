"""Parquet files that come with raw data."""

from pathlib import Path

import pandas as pd

from cross_modal_kd.samples.errors import SamplesError


def read_parquet(file: Path) -> pd.DataFrame:
    """The table of a file.

    Args:
        file: On this machine.

    Returns:
        The table.

    Raises:
        SamplesError: Naming the file, where it is damaged or no Parquet file.
    """
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError) as error:  # pyarrow's own errors are both
        raise SamplesError(f"{file}: not a readable Parquet file ({error}); restore it or fetch it again") from error

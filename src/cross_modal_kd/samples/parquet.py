"""Parquet files that come with raw data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.storage import NotReadableError, require_readable

if TYPE_CHECKING:
    import pandas as pd
    from pyarrow.parquet import ParquetFile


def read_parquet(file: Path) -> "pd.DataFrame":
    """The table of a file.

    Args:
        file: On this machine.

    Returns:
        The table.

    Raises:
        SamplesError: Naming the file, where it is damaged or no Parquet file.
    """
    import pandas as pd

    with _told(file):
        return pd.read_parquet(file)


@contextmanager
def opened_parquet(file: Path) -> "Iterator[ParquetFile]":
    """A file that is read in parts.

    Args:
        file: On this machine.

    Yields:
        The file, open.

    Raises:
        SamplesError: Naming the file, where it is damaged or no Parquet file.
    """
    from pyarrow.parquet import ParquetFile

    with _told(file), ParquetFile(file) as opened:
        yield opened


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        require_readable(file)
        yield
    except SamplesError:
        raise
    except NotReadableError as error:
        raise SamplesError(str(error)) from error
    except (OSError, ValueError) as error:  # pyarrow's own errors are both
        raise SamplesError(f"{file}: not a readable Parquet file ({error}); restore it or fetch it again") from error

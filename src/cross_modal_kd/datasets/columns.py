"""A long table that is read a column at a time."""

from typing import TYPE_CHECKING

from kedro.io import DatasetError

from cross_modal_kd.datasets.table import TableDataset

if TYPE_CHECKING:
    import pandas as pd


class ColumnsDataset(TableDataset):
    """A table as a Parquet file, as ``storage.read_columns`` reads it: ten million trials in little beside themselves.

    Example, in the catalog::

        trials:
          type: cross_modal_kd.datasets.ColumnsDataset
          filepath: data/05_model_input/trials.parquet
    """

    def save(self, data: "pd.DataFrame") -> None:
        """Write a table in the place of what the file holds; a failure leaves that as it is.

        Args:
            data: rows 0 to n - 1.

        Raises:
            DatasetError: it is no table.
        """
        import pandas as pd

        from cross_modal_kd.storage import replacing, with_space

        if not isinstance(data, pd.DataFrame):
            raise DatasetError(f"{self._filepath} takes a table, found {type(data).__name__}")
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        with with_space(self._filepath), replacing(self._filepath) as new:
            data.to_parquet(new)

    def _read(self, rows: int | None = None) -> "pd.DataFrame":
        from cross_modal_kd.storage import read_columns

        return read_columns(self._filepath).head(rows) if rows is not None else read_columns(self._filepath)

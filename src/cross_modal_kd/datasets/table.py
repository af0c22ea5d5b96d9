"""A table that people open in a spreadsheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview  # kedro-viz looks at the type itself

if TYPE_CHECKING:
    import pandas as pd


class TableDataset(AbstractDataset["pd.DataFrame", "pd.DataFrame"]):
    """A table as a CSV file, as ``storage.write_csv`` writes it: safe to open, and the same texts again when loaded.

    Args:
        filepath: of the file; in the catalog a relative one starts at the project's folder.
        metadata: anything, for plugins; Kedro passes over it.

    Example, in the catalog::

        rejected_samples:
          type: cross_modal_kd.datasets.TableDataset
          filepath: data/02_intermediate/rejected_samples.csv
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> "pd.DataFrame":
        """The table."""
        return self._read()

    def save(self, data: "pd.DataFrame") -> None:
        """Write a table in the place of what the file holds.

        Args:
            data: without its index.

        Raises:
            DatasetError: it is no table.
        """
        import pandas as pd

        from cross_modal_kd.storage import write_csv

        if not isinstance(data, pd.DataFrame):
            raise DatasetError(f"{self._filepath} takes a table, found {type(data).__name__}")
        write_csv(self._filepath, data)

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, for kedro-viz.

        Args:
            nrows: how many, at most.

        Returns:
            Their values and the names of their columns, as kedro-viz shows them.
        """
        return TablePreview(self._read(nrows).to_dict(orient="split"))

    def _read(self, rows: int | None = None) -> "pd.DataFrame":
        from cross_modal_kd.storage import read_csv

        return read_csv(self._filepath, rows)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath.as_posix()}

    def _exists(self) -> bool:
        return self._filepath.is_file()

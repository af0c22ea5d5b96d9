"""A long table that is read a column at a time."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview  # kedro-viz looks at the type itself

if TYPE_CHECKING:
    import pandas as pd


class ColumnsDataset(AbstractDataset["pd.DataFrame", "pd.DataFrame"]):
    """A table as a Parquet file, as ``storage.read_columns`` reads it: ten million trials in little beside themselves.

    Args:
        filepath: of the file; in the catalog a relative one starts at the project's folder.
        metadata: anything, for plugins; Kedro passes over it.

    Example, in the catalog::

        trials:
          type: cross_modal_kd.datasets.ColumnsDataset
          filepath: data/05_model_input/trials.parquet
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> "pd.DataFrame":
        """The table."""
        from cross_modal_kd.storage import read_columns

        return read_columns(self._filepath)

    def save(self, data: "pd.DataFrame") -> None:
        """Write a table in the place of what the file holds.

        Args:
            data: rows 0 to n - 1.
        """
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        data.to_parquet(self._filepath)

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, for kedro-viz.

        Args:
            nrows: how many, at most.

        Returns:
            Their values and the names of their columns, as kedro-viz shows them.
        """
        return TablePreview(self.load().head(nrows).to_dict(orient="split"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath.as_posix()}

    def _exists(self) -> bool:
        return self._filepath.is_file()

"""An embedding table in the catalog."""

from pathlib import Path

from cross_modal_kd.datasets.folder import FolderDataset
from cross_modal_kd.samples import EmbeddingTable


class EmbeddingTableDataset(FolderDataset[EmbeddingTable]):
    """Saves and loads an ``EmbeddingTable``; a table whose two files do not fit together is refused."""

    def _read(self, folder: Path) -> EmbeddingTable:
        from cross_modal_kd.samples import load_table

        return load_table(folder)

    def _write(self, folder: Path, data: EmbeddingTable) -> None:
        from cross_modal_kd.samples import save_table

        save_table(folder, data)

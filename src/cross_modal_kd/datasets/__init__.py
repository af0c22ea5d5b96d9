"""Kedro datasets that the ecosystem lacks. Importing them imports neither torch nor pandas."""

from cross_modal_kd.datasets.columns import ColumnsDataset
from cross_modal_kd.datasets.directory import DirectoryDataset
from cross_modal_kd.datasets.embedding_table import EmbeddingTableDataset
from cross_modal_kd.datasets.folder import FolderDataset
from cross_modal_kd.datasets.model import ModelDataset
from cross_modal_kd.datasets.table import TableDataset

__all__ = [
    "ColumnsDataset",
    "DirectoryDataset",
    "EmbeddingTableDataset",
    "FolderDataset",
    "ModelDataset",
    "TableDataset",
]

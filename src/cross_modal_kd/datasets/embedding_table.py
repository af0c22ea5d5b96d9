"""An embedding table on disk: ``table.json`` (ids, fingerprint) beside ``values.safetensors``."""

import json

from kedro.io import DatasetError

from cross_modal_kd.datasets.folder import FolderDataset
from cross_modal_kd.samples.embeddings import EmbeddingTable

TABLE, VALUES = "table.json", "values.safetensors"


class EmbeddingTableDataset(FolderDataset[EmbeddingTable]):
    """Saves and loads an ``EmbeddingTable``; a table whose two files do not fit together is refused."""

    def load(self) -> EmbeddingTable:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        content = self._read_json(TABLE, {"sample_ids", "fingerprint"})
        file = self._file(VALUES)
        try:
            values = load_file(file)["values"]
            return EmbeddingTable(content["sample_ids"], values, content["fingerprint"])
        except (SafetensorError, KeyError, ValueError) as error:
            raise DatasetError(f"{file} does not hold the embeddings of {TABLE}: {error}. Make it again") from error

    def save(self, data: EmbeddingTable) -> None:
        if not isinstance(data, EmbeddingTable):
            raise DatasetError(f"{self._filepath} takes an EmbeddingTable, found {type(data).__name__}")
        import numpy as np
        from safetensors.numpy import save_file

        with self._replaced() as folder:
            content = {"fingerprint": data.fingerprint, "sample_ids": list(data.sample_ids)}
            (folder / TABLE).write_text(json.dumps(content), encoding="utf-8")
            save_file({"values": np.ascontiguousarray(data.values)}, folder / VALUES)

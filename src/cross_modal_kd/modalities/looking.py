"""One row of the candidates, looked at as its modality does."""

from typing import Any

from cross_modal_kd.config import IngestionConfig
from cross_modal_kd.modalities.modality import Row
from cross_modal_kd.modalities.registry import modality_of
from cross_modal_kd.samples import Roots, UnreadableSampleError, no_sample


def inspect_row(row: Row, roots: Roots, ingestion: IngestionConfig) -> dict[str, Any]:
    """What ``Modality.inspect`` finds; what a failed download has left is called that.

    Args:
        row: of the candidates.
        roots: of the sources.
        ingestion: shortest sound, largest image.

    Returns:
        Facts by column.

    Raises:
        UnreadableSampleError: it cannot be used, with the reason.
    """
    try:
        return modality_of(row["modality"]).inspect(row, roots, ingestion)
    except UnreadableSampleError as error:
        if reason := no_sample(roots, row):
            raise UnreadableSampleError(error.name, reason) from error
        raise

"""Files whose content is another than when ingestion looked at them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError, first_few
from cross_modal_kd.samples.kept import Stamps, stamped_otherwise
from cross_modal_kd.samples.records import as_records
from cross_modal_kd.storage import how_many

READ = 1000
"""At most so many of the files with another time are read, evenly over the table: in a copy of a folder all have."""


def require_unchanged(
    samples: pd.DataFrame, cache: Path, stamps: Stamps, digest: Callable[[Mapping[str, Any]], str]
) -> None:
    """Make sure that files are still what their rows were made of.

    A file counts whose size or time of the last change is another than when ingestion looked at it, and whose SHA-256
    is not the one in its row. What is not there any more is told where it is read, since not every run reads it. O(N),
    and no file is opened whose stamp is as it was.

    Args:
        samples: the table of samples.
        cache: the folder in which ingestion keeps what it saw.
        stamps: ``Roots.stamps``.
        digest: a row -> the SHA-256 of its content as it is now.

    Raises:
        SamplesError: how many have another content, which, and what to do.
    """
    rows = samples[samples["path"].notna() & samples["sha256"].notna()]
    suspect = rows.loc[stamped_otherwise(rows, cache, stamps)]
    read = suspect.iloc[np.unique(np.linspace(0, len(suspect) - 1, READ).astype(int))] if len(suspect) else suspect
    changed = [row["path"] for row in as_records(read) if _is_other(row, digest)]
    if not changed:
        return
    of = f" (of {READ} that were read, {len(suspect)} having another time)" if len(suspect) > READ else ""
    raise SamplesError(
        f"{how_many(len(changed), 'file has', 'files have')} another content{of} than when ingestion looked at "
        f"{'it' if len(changed) == 1 else 'them'}: {first_few(changed, 3)}. `kedro run --pipelines=ingestion` (with "
        "the same --env and --params) looks again, and the next run tells what is to be made anew"
    )


def _is_other(row: Mapping[str, Any], digest: Callable[[Mapping[str, Any]], str]) -> bool:
    try:
        return digest(row) != row["sha256"]
    except (SamplesError, UnreadableSampleError, OSError):  # told by who reads it in earnest
        return False

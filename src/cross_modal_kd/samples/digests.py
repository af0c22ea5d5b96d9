"""What the files of samples hold, by their digests."""

import pandas as pd

from cross_modal_kd.samples.boxes import SIGN


def file_contents(samples: pd.DataFrame) -> pd.Series:
    """The digest of each sample's file, and the box where it is a part of a picture: ``sha256`` is of all of its file.

    Args:
        samples: n rows with ``sha256``, and ``path`` where they have files.

    Returns:
        (n,) texts, the column ``sha256`` itself where no sample is such a part.
    """
    paths = samples["path"].astype("str") if "path" in samples else pd.Series(dtype="str")
    if not paths.str.contains(SIGN, regex=False, na=False).any():
        return samples["sha256"]
    return samples["sha256"].astype("str") + paths.str.extract(f"({SIGN}.*)$", expand=False).fillna("")

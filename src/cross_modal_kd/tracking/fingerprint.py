"""Which data a run saw."""

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ROWS = 2**16


def fingerprint(data: Any) -> str:
    """32 hexadecimal digits of an object's content: its own ``fingerprint`` if it has one, or a DataFrame's rows.

    Rows count in their order, columns by name; the index does not count.

    Args:
        data: A DataFrame, or an object with a ``fingerprint``.

    Returns:
        The digits.

    Raises:
        TypeError: For anything else.
    """
    own = getattr(data, "fingerprint", None)
    if isinstance(own, str):
        return own[:32]
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"a fingerprint is taken of a DataFrame or of what has one, found {type(data).__name__}")
    digest = hashlib.sha256("\x1f".join(map(str, data.columns)).encode())
    digest.update(row_hashes(data).tobytes())
    return digest.hexdigest()[:32]


def row_hashes(table: "pd.DataFrame") -> "np.ndarray":
    """A hash of each row, a part of the table at a time: the texts of a part are Python objects meanwhile.

    Args:
        table: n rows; the index does not count.

    Returns:
        (n,) uint64 of ``pandas.util.hash_pandas_object``.
    """
    import numpy as np
    import pandas as pd

    large = any(isinstance(dtype, pd.CategoricalDtype) for dtype in table.dtypes)  # each part hashes its categories
    size = 16 * ROWS if large else ROWS
    parts = [table.iloc[start : start + size] for start in range(0, len(table), size)] or [table]
    return np.concatenate([pd.util.hash_pandas_object(part, index=False).to_numpy() for part in parts])

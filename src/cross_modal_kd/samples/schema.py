"""Schemas of the samples table and of what was rejected; the catalog checks them."""

from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandas.api.types import pandas_dtype

from cross_modal_kd.config import modality_names
from cross_modal_kd.samples.conditions import CONDITION, PATTERN, conditions_of
from cross_modal_kd.samples.names import lead_outside
from cross_modal_kd.samples.selection import SPLITS

DTYPES: dict[str, str] = {
    "sample_id": "str",
    "modality": "str",
    "label": "str",
    "group": "str",
    "family": "str",
    "domain": "str",
    "split": "str",
    "path": "str",
    "text": "str",
    "source": "str",
    "sha256": "str",
    "duration_s": "float64",
    "width": "Int64",
    "height": "Int64",
    "sample_rate": "Int64",
}
REJECTED_DTYPES: dict[str, str] = {"source": "str", "path": "str", "reason": "str"}


def conform(frame: pd.DataFrame, dtypes: dict[str, str] | None = None) -> pd.DataFrame:
    """The same rows with exactly the columns and dtypes of a schema.

    Args:
        frame: n rows; columns beyond the schema are left out, but for conditions of samples where any row has one.
        dtypes: pandas dtype by column; None is ``DTYPES``, those of the samples table.

    Returns:
        n rows in the schema's columns, numbered from 0; columns that were absent are null.
    """
    dtypes = DTYPES if dtypes is None else dtypes
    columns: dict[str, Any] = {}
    for name, dtype in dtypes.items():
        values = frame[name] if name in frame else pd.Series([None] * len(frame), index=frame.index, dtype=object)
        columns[name] = values.astype(pandas_dtype(dtype))
    if "sample_id" in dtypes:
        known = (f"{CONDITION}{name}" for name in conditions_of(frame))
        columns |= {name: frame[name].astype("str") for name in known if frame[name].notna().any()}
    return pd.DataFrame(columns).reset_index(drop=True)


def _one_of_path_or_text(frame: pd.DataFrame) -> pd.Series:
    return frame["path"].isna() != frame["text"].isna()


def _is_registered(modalities: pd.Series) -> pd.Series:
    return modalities.isin(modality_names())


def _stay_inside(paths: pd.Series) -> pd.Series:
    return (paths != "") & ~lead_outside(paths)


SAMPLES = pa.DataFrameSchema(
    {
        "sample_id": pa.Column("str", pa.Check.str_length(min_value=1), unique=True),
        "modality": pa.Column("str", pa.Check(_is_registered, name="registered_modality")),
        "label": pa.Column("str", pa.Check.str_length(min_value=1), nullable=True),
        "group": pa.Column("str", nullable=True),
        "family": pa.Column("str", nullable=True),
        "domain": pa.Column("str", nullable=True),
        "split": pa.Column("str", pa.Check.isin(SPLITS)),
        "path": pa.Column("str", pa.Check(_stay_inside, name="stays_inside_root"), nullable=True),
        "text": pa.Column("str", nullable=True),
        "source": pa.Column("str", pa.Check.str_length(min_value=1)),
        "sha256": pa.Column("str", pa.Check.str_matches(r"^[0-9a-f]{64}$")),
        "duration_s": pa.Column("float64", pa.Check.gt(0), nullable=True),
        "width": pa.Column("Int64", pa.Check.gt(0), nullable=True),
        "height": pa.Column("Int64", pa.Check.gt(0), nullable=True),
        "sample_rate": pa.Column("Int64", pa.Check.gt(0), nullable=True),
        PATTERN: pa.Column("str", nullable=True, required=False, regex=True),
    },
    checks=pa.Check(_one_of_path_or_text, name="exactly_one_of_path_or_text"),
    strict=True,
    name="samples",
)

REJECTED = pa.DataFrameSchema(
    {
        "source": pa.Column("str"),
        "path": pa.Column("str"),
        "reason": pa.Column("str", pa.Check.str_length(min_value=1)),
    },
    strict=True,
    name="rejected_samples",
)

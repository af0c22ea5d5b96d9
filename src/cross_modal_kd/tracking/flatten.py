"""Nested values as flat ones, which is what MLflow can compare."""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

LONGEST_VALUE = 500
LONGEST_NAME = 250


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and plain values of nested mappings, pydantic models and lists of them.

    Lists of plain values stay whole. Empty mappings are kept, since "no constraint" says something too.

    Args:
        value: What is taken apart.
        name: Stands before every name; after a ``/`` at its end no dot is set.

    Yields:
        A name and a plain value.

    >>> dict(leaves({"a": {"b": 1, "c": [1, 2]}, "d": [{"e": None}]}))
    {'a.b': 1, 'a.c': [1, 2], 'd.0.e': None}
    """
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, f"{name}{_joint(name)}{key}")
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, f"{name}.{index}")
    else:
        yield name, value


def _joint(name: str) -> str:
    """Nothing after a folder (``metrics/``), which MLflow's pages group by; else a dot."""
    return "." if name and not name.endswith("/") else ""


def as_params(value: Any, name: str = "") -> dict[str, str]:
    """Flat MLflow parameters. A value over 500 characters is cut, and ends with the hash of the whole.

    Args:
        value: Nested values.
        name: Stands before every name.

    Returns:
        Texts by name, both as MLflow takes them.
    """
    return {_name(key): _text(item) for key, item in leaves(value, name)}


def as_metrics(value: Any, name: str = "") -> dict[str, float]:
    """Flat MLflow metrics: the finite numbers among the leaves; ``x.value`` (beside low and high) is called ``x``.

    Args:
        value: Nested values.
        name: Stands before every name.

    Returns:
        Finite numbers by name.
    """
    metrics = {}
    for key, item in leaves(value, name):
        if isinstance(item, Real) and not isinstance(item, bool) and math.isfinite(item):
            metrics[_name(key.removesuffix(".value"))] = float(item)
    return metrics


def _name(name: str) -> str:
    return re.sub(r"[^\w\-. /]", "_", name)[:LONGEST_NAME]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) <= LONGEST_VALUE:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[: LONGEST_VALUE - 30]}... sha256:{digest}"

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
INTERVAL = "interval"


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
    """Flat MLflow metrics: the finite numbers among the leaves.

    ``x.value`` is called ``x``; the ends of its interval, ``x.low`` and ``x.high`` beside it, are called
    ``interval/x.low`` and ``interval/x.high``, so that they do not stand between one metric and the next.

    Args:
        value: Nested values.
        name: Stands before every name.

    Returns:
        Finite numbers by name.

    >>> as_metrics({"eer": {"value": 0.1, "low": 0.0, "high": 0.2}, "n": 3}, "metrics/")
    {'metrics/eer': 0.1, 'interval/metrics/eer.low': 0.0, 'interval/metrics/eer.high': 0.2, 'metrics/n': 3.0}
    """
    found = dict(leaves(value, name))
    metrics = {}
    for key, item in found.items():
        if not isinstance(item, Real) or isinstance(item, bool) or not math.isfinite(item):
            continue
        stem, _, end = key.rpartition(".")
        if end == "value":
            key = stem
        elif end in ("low", "high") and f"{stem}.value" in found:
            key = f"{INTERVAL}/{key}"
        metrics[_name(key)] = float(item)
    return metrics


def _name(name: str) -> str:
    return re.sub(r"[^\w\-. /]", "_", name)[:LONGEST_NAME]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) <= LONGEST_VALUE:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[: LONGEST_VALUE - 30]}... sha256:{digest}"

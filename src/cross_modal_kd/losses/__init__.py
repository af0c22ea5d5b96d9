"""The losses of the method and its baselines, for any PyTorch project; imports nothing else of this package.

>>> import torch
>>> from cross_modal_kd.losses import ConstraintInputs, SoftFeatureConstraint
>>> batch = ConstraintInputs(student=torch.randn(8, 16), teacher=torch.randn(8, 16))
>>> SoftFeatureConstraint(margin=0.2, distance="cosine")(batch).reduce().ndim
0

Distance, margin and reducer are three things: any of them may be one of your own. torch is all that is needed; only
``AAMSoftmaxClassifier`` asks for pytorch-metric-learning.

What this face promises stands in the stub beside it (``__init__.pyi``) and is imported when it is asked for, so that
``cross_modal_kd.losses.kinds`` can be read without torch.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any


def _promised() -> dict[str, str]:
    """The module of every name in the stub."""
    lines = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
    return {name.name: str(line.module) for line in lines if isinstance(line, ast.ImportFrom) for name in line.names}


_MODULES = _promised()
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__

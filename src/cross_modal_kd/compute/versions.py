"""Packages whose version alone another package asks for, by importing them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Any


@contextmanager
def version_alone(package: str) -> Iterator[None]:
    """A context in which ``import package`` loads nothing, until more than its version is asked for.

    Fabric imports torchmetrics to compare its version, and torchmetrics imports torchvision and transformers: four
    seconds of every process that asks for a device.

    Args:
        package: Name of an installed package; nothing is changed where it is imported already, or not installed.

    Yields:
        Nothing.
    """
    stand_in = None if package in sys.modules else _stand_in(package)
    if stand_in is None:
        yield
        return
    sys.modules[package] = stand_in
    try:
        yield
    finally:
        stand_in.leave()


def _stand_in(package: str) -> "_StandIn | None":
    try:
        stand_in, stated = _StandIn(package), version(package)
    except PackageNotFoundError:
        return None
    stand_in.__spec__ = find_spec(package)
    stand_in.__dict__.update(__version__=stated, __file__=stand_in.__spec__.origin if stand_in.__spec__ else None)
    return stand_in


class _StandIn(ModuleType):
    """A module that makes way for the real one when it is asked for what only that has.

    ``inspect`` asks every module for names with underscores; of these only ``__path__``, which the import of a
    submodule asks for, is the real one's.
    """

    def leave(self) -> None:
        """Take it out of the modules, if the real one is not there yet."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.leave()
        return getattr(import_module(self.__name__), name)

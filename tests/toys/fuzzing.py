"""Inputs of every kind, few of them always and many with ``-m faults --seed=N``."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded


@dataclass(frozen=True)
class Kind:
    """holds: raises for an input that is not met rightly. given_to: strategies of its arguments. few, many: inputs."""

    holds: Callable[..., None]
    given_to: tuple[Any, ...]
    few: int = 40
    many: int = 3000

    def some(self) -> None:
        """A few inputs, others each time."""
        self._run(self.few)

    def lots(self, seed: int) -> None:
        """Many inputs, the same for one seed."""
        self._run(self.many, seed)

    def _run(self, count: int, seed: int | None = None) -> None:
        _forget_lazy_modules()
        checks = settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        test = checks(given(*self.given_to)(self.holds))
        (test if seed is None else seeded(seed)(test))()


def _forget_lazy_modules() -> None:
    """Take out of ``sys.modules`` what SpeechBrain imports when it is looked at: hypothesis looks at all."""
    for name, module in list(sys.modules.items()):
        if type(module).__module__ == "speechbrain.utils.importutils":
            del sys.modules[name]

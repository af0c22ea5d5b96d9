"""The ``kedro run`` that a run has recorded, taken apart."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cross_modal_kd.runs.tree import Refused
from cross_modal_kd.tracking import command as command_of
from cross_modal_kd.tracking import parted

STAGES = ("ingestion", "quality", "teacher", "projection", "distillation", "evaluation")
# studies start from what these leave
BEFORE_STUDIES = {
    **dict.fromkeys(("comparison", "tuning", "regimes"), "projection"),
    "quality_study": "quality",
    "robustness": "distillation",
}
WHOLE = ("distill", "__default__")
# options by which a part of a pipeline runs, from what an earlier run has left
PARTS = ("--tags=", "--namespaces=", "--nodes=", "--from-", "--to-", "--load-versions=", "--only-missing-outputs")
PARAMS, ENV, PIPELINES, CONF = "--params=", "--env=", "--pipelines=", "--conf-source="


@dataclass(frozen=True)
class Command:
    """A line that was typed, or might have been.

    Attributes:
        arguments: after ``kedro``, ``run`` among them.
    """

    arguments: list[str]

    @classmethod
    def of(cls, line: str) -> "Command":
        """As it is recorded.

        Args:
            line: ``kedro run ...``.

        Returns:
            The command; what it wrote elsewhere (``data_root``) is written below the current folder.

        Raises:
            Refused: it is no ``kedro run``.
        """
        words = shlex.split(line)
        if words[:2] != ["kedro", "run"]:
            raise Refused(f"the run was not made by `kedro run`, but by {line!r}")
        return cls([each for word in words[1:] if (each := _in_place(word))])

    def __str__(self) -> str:
        return shlex.join(["kedro", *self.arguments])

    @property
    def env(self) -> str:
        """The environment; empty where none is named."""
        return self._value(ENV)

    @property
    def params(self) -> str:
        """What stands behind ``--params=``; empty where nothing does."""
        return self._value(PARAMS)

    @property
    def named(self) -> set[str]:
        """The parameters that it gives."""
        return {item.partition("=")[0].strip() for item in parted(self.params)}

    @property
    def pipelines(self) -> list[str]:
        """Their names."""
        return self._value(PIPELINES).split(",") if self._value(PIPELINES) else [WHOLE[0]]

    def with_params(self, values: Mapping[str, Any]) -> "Command":
        """With more parameters.

        Args:
            values: by dotted name.

        Returns:
            A new command, the same where there are none.
        """
        if not values:
            return self
        added = shlex.split(command_of({"runtime_params": dict(values)}))[-1].removeprefix(PARAMS)
        others = [word for word in self.arguments if not word.startswith(PARAMS)]
        return Command([*others, PARAMS + ",".join(filter(None, [self.params, added]))])

    def before(self) -> list["Command"]:
        """What must be run before it in an empty folder.

        Returns:
            Commands in their order, with the same environment and parameters; the first is ingestion, which is cheap
            and says whether the data is the same.

        Raises:
            Refused: it starts from what several others have left.
        """
        first = self._only(STAGES[0])
        if any(word.startswith(PARTS) for word in self.arguments):
            return [first, self._only(*self.pipelines, above=True)]
        if set(self.pipelines) & set(WHOLE):
            return [first]
        stages = [name for name in self.pipelines if name in STAGES]
        others = [name for name in self.pipelines if name not in STAGES]
        unknown = [name for name in others if name not in BEFORE_STUDIES]
        if unknown:
            raise Refused(f"the pipeline {unknown[0]!r} writes up what other runs have left: reproduce those")
        last = max((STAGES.index(BEFORE_STUDIES[name]) for name in others), default=-1)
        needed = set(STAGES[: last + 1]) | set(STAGES[: min((STAGES.index(name) for name in stages), default=0)])
        rest = [name for name in STAGES[1:] if name in needed and name not in stages]
        return [first, *([self._only(*rest)] if rest else [])]

    def _only(self, *pipelines: str, above: bool = False) -> "Command":
        """Other pipelines, whole; ``above``: with all the stages before them."""
        names = list(pipelines)
        if above and not set(names) & set(WHOLE):
            last = max(
                STAGES.index(BEFORE_STUDIES[name]) if name in BEFORE_STUDIES else STAGES.index(name)
                for name in names
                if name in STAGES or name in BEFORE_STUDIES
            )
            names = list(dict.fromkeys([*STAGES[: last + 1], *names]))
        kept = [word for word in self.arguments if word.startswith((ENV, PARAMS, CONF))]
        return Command(["run", PIPELINES + ",".join(names), *kept])

    def _value(self, option: str) -> str:
        return next((word.removeprefix(option) for word in self.arguments if word.startswith(option)), "")


def _in_place(word: str) -> str:
    """An argument without ``data_root``; empty where nothing is left of it."""
    if not word.startswith(PARAMS):
        return word
    kept = [item for item in parted(word.removeprefix(PARAMS)) if not item.strip().startswith("data_root=")]
    return PARAMS + ",".join(kept) if kept else ""

"""What is learnt: the kind of task, its two modalities and how their samples are paired."""

from typing import Any, Literal, get_args

from pydantic import model_validator

from cross_modal_kd.config.registered import ModalityName, StudentModalityName
from cross_modal_kd.config.strict import Strict

Level = Literal["instance", "session", "label"]
LEVELS: tuple[str, ...] = get_args(Level)


class TaskConfig(Strict):
    """One task.

    Attributes:
        name: as its files have it, and a part of run keys. In ``conf`` it is not a parameter: it is the environment's
            own name, or ``task`` in its globals.yml.
        title: over its report; its name where none is given.
        kind: ``verification`` (open set: the labels of the splits are disjoint) or ``classification`` (the splits share
            their labels, and are disjoint in ``group``).
        student: a registered modality (``cross_modal_kd.modalities``) that has encoders which can be trained.
        teacher: another one.
        pairing: ``instance`` (same ``group``), ``session`` (same ``label`` and same ``domain``: one video of a speaker)
            or ``label`` (any teacher sample of the same class). Of several in a list, the narrower first, each student
            sample is paired at the first at which it has a partner: ``[instance, session, label]``.
        chimeric: the two modalities never belonged to the same thing: each label of the student is assigned one of
            the teacher's, one to one, drawn with the split's seed (a voice gets a face). It is said wherever a number
            of the task is shown.
        note: shown with the task's results; none where it is empty.
    """

    name: str
    title: str = ""
    kind: Literal["verification", "classification"]
    student: StudentModalityName
    teacher: ModalityName
    pairing: Level | tuple[Level, ...] = "instance"
    chimeric: bool = False
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _titled(cls, data: Any) -> Any:
        return {**data, "title": data.get("title") or data.get("name")} if isinstance(data, dict) else data

    @property
    def levels(self) -> tuple[str, ...]:
        """What the samples are paired by, the narrowest first."""
        return (self.pairing,) if isinstance(self.pairing, str) else self.pairing

    @model_validator(mode="after")
    def _narrower_first(self) -> "TaskConfig":
        if not self.levels or list(self.levels) != [level for level in LEVELS if level in self.levels]:
            raise ValueError(
                f"task.pairing: expected one of {', '.join(LEVELS)}, or a list of them in this order, found "
                f"{list(self.levels)}"
            )
        return self

    @model_validator(mode="after")
    def _two_modalities(self) -> "TaskConfig":
        if self.student == self.teacher:
            raise ValueError(f"task.student and task.teacher must differ, both are {self.student!r}")
        if self.chimeric and self.pairing != "label":
            raise ValueError("a chimeric task has no instances in common: task.pairing must be 'label'")
        return self

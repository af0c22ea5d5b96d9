"""What is learnt: the kind of task, its two modalities and how their samples are paired."""

from typing import Any, Literal

from pydantic import model_validator

from cross_modal_kd.config.registered import ModalityName, StudentModalityName
from cross_modal_kd.config.strict import Strict


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
        pairing: ``instance`` (same ``group``) or ``label`` (any teacher sample of the same class).
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
    pairing: Literal["instance", "label"] = "instance"
    chimeric: bool = False
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _titled(cls, data: Any) -> Any:
        return {**data, "title": data.get("title") or data.get("name")} if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _two_modalities(self) -> "TaskConfig":
        if self.student == self.teacher:
            raise ValueError(f"task.student and task.teacher must differ, both are {self.student!r}")
        if self.chimeric and self.pairing != "label":
            raise ValueError("a chimeric task has no instances in common: task.pairing must be 'label'")
        return self

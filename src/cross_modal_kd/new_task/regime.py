"""What a new task starts from by the share of its training samples that have a label."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cross_modal_kd.samples import SamplesError

FEW = 0.3
"""Share of labelled training samples below which they count as few: our reading, between the 20 % at which a pull many
times heavier was measured to pay most and the 50 % of which nothing has been measured."""


@dataclass(frozen=True)
class Regime:
    """How much of the training split has a label, and what is recommended there.

    Attributes:
        labelled: training samples of the student that have a label.
        samples: all of them.
        closed_set: whether a classifier is learnt.
    """

    labelled: int
    samples: int
    closed_set: bool

    @property
    def name(self) -> str:
        """``all``, ``few`` or ``none``."""
        if not self.labelled:
            return "none"
        return "few" if self.labelled < FEW * self.samples else "all"

    @property
    def words(self) -> str:
        """How many have a label, and what follows, in a sentence."""
        count = f"{self.labelled:,} of {self.samples:,} training samples have a label"
        if self.labelled == self.samples:
            count = f"all {self.samples:,} training samples have a label"
        return f"{count}: {_SAID.get(self._known_as, _SAID[self.name])}"

    @property
    def _known_as(self) -> str:
        """The name, of a classification with what it learns."""
        return f"{self.name} classes" if self.closed_set else self.name

    def recommended(self, project: Path, reads_words: bool) -> "Recommended":
        """The blocks of the environment in which the regime was searched.

        Args:
            project: the folder that holds ``conf/``.
            reads_words: whether the teacher reads what classes are called; else the names stand beside no label.

        Returns:
            What a new environment takes over; nothing where conf/base is what is recommended.

        Raises:
            SamplesError: the environment is not there.
        """
        if self.name == "all":
            return Recommended()
        env, arm, measured = _SEARCHED[self._known_as]
        file = project / "conf" / env / "parameters.yml"
        if not file.is_file():
            raise SamplesError(
                f"{file}: the file is missing, and what is recommended where {self.words.split(':')[0]} stands in it; "
                "restore it"
            )
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        named = {"baseline": "none", **found.get("distillation", {}), **({"arm": arm} if arm else {})}
        chosen = {role: named[role] for role in ("baseline", "arm")}
        arms = {name: found["arms"][name] for name in chosen.values() if name in found["arms"]}
        projection = found.get("projection", {})
        if not reads_words:
            projection.pop("words", None)
        return Recommended(chosen, arms, projection, f"as conf/{env}, {measured}")


@dataclass(frozen=True)
class Recommended:
    """distillation, arms, projection: blocks of parameters. source: where their values are from."""

    distillation: dict[str, str] = field(default_factory=dict)
    arms: dict[str, Any] = field(default_factory=dict)
    projection: dict[str, Any] = field(default_factory=dict)
    source: str = ""


_SAID = {
    "all": "the arm of conf/base",
    "few": "few, so that the other pairs count, under a pull many times heavier than where all have one",
    "few classes": "few, so that the other pairs count, and the names of the classes, where the teacher reads them",
    "none": "the pairs teach alone, and SimCLR on the student's own samples stands for the student alone",
    "none classes": "the pairs teach alone, and the names of the classes, as the teacher reads them, stand for labels",
}
_SEARCHED = {
    "few": ("few_labels", "", "searched and measured at 5 % of the labels (docs/results/label_directions.md)"),
    "few classes": (
        "label_image_named",
        "soft_classifier",
        "measured at 20 and 5 % of the labels, names beside them (docs/results/label_image_named.md)",
    ),
    "none": ("no_labels", "", "whose comments say how its values were found"),
    "none classes": ("no_labels_image", "", "searched and measured without any label (docs/results/label_image.md)"),
}

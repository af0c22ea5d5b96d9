"""Samples that a student was trained with, as the page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples import Roots, SamplesError, UnreadableSampleError, as_records
from cross_modal_kd.student import Match, Space, StudentModel

KEPT = 512  # previews in memory


@dataclass(frozen=True)
class Shown:
    """One sample on the page.

    Attributes:
        kind: ``image``, ``sound``, ``text``, or ``name`` where nothing but its name is at hand.
        content: a ``data:`` address, or words.
        name: of its label.
        score: its cosine to the input.
        same: whether that reaches the threshold; None without one.
    """

    kind: str
    content: str
    name: str
    score: float
    same: bool | None = None


class Shelf:
    """The samples of a student's two spaces.

    Args:
        student: whose samples.
        roots: where the files of its sources lie; None shows names.
    """

    def __init__(self, student: StudentModel, roots: Roots | None = None) -> None:
        self._roots = roots
        package, task = student.package, student.task
        self._own = _rows(package.training, task.student)
        self._teachers = _rows(package.teacher.space, task.teacher)
        self._name_of = student.name_of
        self._preview = lru_cache(KEPT)(self._look)

    def show(self, match: Match, threshold: float | None = None) -> Shown:
        """A sample that was found.

        Args:
            match: of ``StudentModel.neighbours`` or of a search among the training samples.
            threshold: score from which it counts as the same; None where nothing does.

        Returns:
            The sample; its name alone where its file is not at hand.
        """
        row = self._own.get(match.name) or self._teachers.get(match.name) or {"label": match.name}
        kind, content = self._preview(match.name)
        same = None if threshold is None else match.score >= threshold
        return Shown(kind, content, self._name_of(row["label"] or "no label"), match.score, same)

    def _look(self, sample_id: str) -> tuple[str, str]:
        row = self._own.get(sample_id) or self._teachers.get(sample_id)
        if row is None:
            return "name", ""
        if isinstance(row["text"], str):
            return "text", row["text"]
        if self._roots is None:
            return "name", ""
        try:
            preview = modality_of(row["modality"]).preview(row, self._roots)
        except (SamplesError, UnreadableSampleError, OSError):
            return "name", ""
        return preview.kind, preview.content


def _rows(space: Space, modality: str) -> Mapping[str, dict[str, Any]]:
    items = space.items.astype(object).where(space.items.notna(), None)
    return {row["sample_id"]: {**row, "modality": modality} for row in as_records(items)}

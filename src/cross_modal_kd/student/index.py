"""Items that are searched: embedded once, asked as often as one likes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.student.results import Match, Quality


@dataclass(frozen=True)
class Index:
    """The embeddings of some items, by the student that was asked for them.

    Attributes:
        student: its ``weights``.
        names: of the n items that could be read.
        vectors: (n, D) float32, rows of length 1.
        qualities: of the items.
        errors: by name, those that could not be read.
    """

    student: str
    names: Sequence[str]
    vectors: np.ndarray
    qualities: Sequence[Quality | None]
    errors: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def best(self, query: np.ndarray, k: int) -> tuple[Match, ...]:
        """The items nearest to a vector.

        Args:
            query: (D,) of the student's space, or (d,) of the part of it that is bound to the teacher.
            k: how many, at most.

        Returns:
            The best first; of equal scores the earlier item.
        """
        if not len(self):
            return ()
        part = unit_rows(self.vectors[:, : len(query)])
        scores = part @ unit_rows(query[None].astype(np.float32))[0]
        order = np.argsort(-scores, kind="stable")[:k]
        return tuple(Match(self.names[row], float(scores[row]), self.qualities[row]) for row in order)

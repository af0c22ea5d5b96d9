"""How much of its samples an encoder takes in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reading:
    """What n samples are to an encoder that reads the beginning of each, in units that it may not know.

    Attributes:
        unit: what is counted, in the plural.
        lengths: (n,) how many each sample has.
        most: how many are read of a sample; None where all are.
        unknown: (n,) bool, samples all of whose units are unknown, and so all the same.
    """

    unit: str
    lengths: np.ndarray
    most: int | None
    unknown: np.ndarray

    @property
    def cut(self) -> np.ndarray:
        """(n,) bool, samples that are longer than what is read."""
        return np.zeros(len(self.lengths), dtype=bool) if self.most is None else self.lengths > self.most

    def remarks(self, who: str, plural: str, texts: Sequence[str], more: str) -> list[str]:
        """What is not read, for a person to look at.

        Args:
            who: reads, such as ``the teacher``.
            plural: of the samples.
            texts: (n,) the samples in words.
            more: how more of each is read, an imperative.

        Returns:
            A sentence each, without its end; none where all is read.
        """
        said, total = [], f"{len(self.lengths):,} {plural}"
        if count := int(self.cut.sum()):
            said.append(
                f"{who} reads the first {self.most:,} {self.unit} of a sample, and {count:,} of the {total} are longer "
                f"(the longest has {int(self.lengths.max()):,}): what stands behind is not read. Put first what tells "
                f"them apart, shorten them, or {more}"
            )
        if count := int(self.unknown.sum()):
            said.append(
                f"{who} knows no sign of {count:,} of the {total} (the first is "
                f"{texts[int(self.unknown.argmax())]!r:.60}): all of these are the same to it. Write them in a script "
                "and in words that it knows, or name an encoder that knows theirs"
            )
        return said

"""What belongs to what between the test samples of the student and the teacher's items."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.evaluation.matching import Gallery
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.samples import item_keys


@dataclass(frozen=True)
class Items:
    """Some of the teacher's items. places: in the gallery. labels: numbers. shown: a teacher's sample of each."""

    places: np.ndarray
    labels: list[int]
    shown: list[str]


class Counterparts:
    """The gallery of a protocol, with a teacher's sample to show of each item.

    Args:
        protocol: the test samples of both modalities.
    """

    def __init__(self, protocol: Protocol) -> None:
        self.gallery: Gallery = protocol.unseen
        self._task = protocol.task
        theirs = protocol.teacher.rows.assign(item=item_keys(protocol.teacher.rows, self._task)).dropna(subset=["item"])
        brief = theirs.assign(length=theirs["text"].str.len().fillna(0)).sort_values(["length", "sample_id"])
        first = brief.drop_duplicates("item").set_index("item")["sample_id"]
        self.shown: list[str] = first.reindex(self.gallery.keys).tolist()

    def own(self, rows: pd.DataFrame) -> np.ndarray:
        """The item of each row.

        Args:
            rows: n of the student's test samples.

        Returns:
            (n,) places in the gallery, -1 where there is none.
        """
        return self.gallery.keys.get_indexer(pd.Index(item_keys(rows, self._task))).astype(np.intp)

    def of_labels(self, rows: pd.DataFrame, number: Mapping[str, int]) -> Items:
        """The items that belong to rows.

        Args:
            rows: of the student's test samples.
            number: of each of their labels.

        Returns:
            Each item once, in the order of the rows.
        """
        found = {place: number[label] for place, label in zip(self.own(rows).tolist(), rows["label"], strict=True)}
        found.pop(-1, None)
        places = list(found)
        return Items(np.asarray(places, dtype=np.intp), list(found.values()), [self.shown[place] for place in places])

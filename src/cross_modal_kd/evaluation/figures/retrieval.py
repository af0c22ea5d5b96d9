"""A few queries across the modalities, with what comes nearest, right and wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cross_modal_kd.evaluation.figures.counterparts import Counterparts
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.plotting import ARMS
from cross_modal_kd.samples import EmbeddingTable

OF_A_SORT = 3
NEAREST = 5
AT_ONCE = 8_000_000


@dataclass(frozen=True)
class _Ranked:
    """What queries find among n others. rank: (q,) of the first right one, from 1. best: (q,) whether it is first."""

    rank: np.ndarray
    best: np.ndarray


def retrieval(
    protocol: Protocol, embeddings: Mapping[str, EmbeddingTable], counterparts: Counterparts
) -> dict[str, Any]:
    """Test samples that look for their item of the teacher, and items that look for their samples.

    Of the queries of each direction a few are shown that the distilled student answers rightly, and as many that it
    answers wrongly: the first of a seeded order, one a label.

    Args:
        protocol: the test samples and the teacher's items.
        embeddings: by arm, of the test samples at least.
        counterparts: what belongs to what.

    Returns:
        ``directions``: each with ``from``, ``to`` (student or teacher), numbers of queries and of what they are looked
        up among, ``first`` (by arm, the share whose first is right), ``chance`` of that, and ``queries``: the sample,
        the ``rank`` of the first right one by arm, the nearest by the distilled student and whether each is right.
        ``missing`` says why there are none.
    """
    rows, items = protocol.test.rows, counterparts.gallery.items
    own = counterparts.own(rows)
    there = np.flatnonzero(own >= 0)
    if len(items) < 2 or not len(there):
        return {"missing": "fewer than two items of the teacher, or no test sample has one"}
    rows, own = rows.iloc[there], own[there]
    ids, labels = rows["sample_id"].to_numpy(), rows["label"].to_numpy()
    vectors = {arm: unit_rows(embeddings[arm].at(ids)[:, : items.shape[1]]) for arm in ARMS}
    looked_up = np.unique(own)
    label_of_item = dict(zip(own.tolist(), labels, strict=True))
    shown = np.asarray(counterparts.shown, dtype=object)
    to_teacher = _Direction(ids, shown, labels, own, np.arange(len(items)))
    to_student = _Direction(
        shown[looked_up], ids, np.asarray([label_of_item[item] for item in looked_up.tolist()]), looked_up, own
    )
    seed = protocol.evaluation.seed
    forward = to_teacher.found({arm: (each, items) for arm, each in vectors.items()}, seed)
    back = to_student.found({arm: (items[looked_up], each) for arm, each in vectors.items()}, seed)
    return {
        "directions": [
            {"from": "student", "to": "teacher"} | forward,
            {"from": "teacher", "to": "student"} | back,
        ]
    }


@dataclass(frozen=True)
class _Direction:
    """Queries and what they are looked up among. queries, others: a sample to show of each. labels: of the queries.

    wanted: (q,) key of each query. keys: (n,) key of each of the others.
    """

    queries: np.ndarray
    others: np.ndarray
    labels: np.ndarray
    wanted: np.ndarray
    keys: np.ndarray

    def found(self, vectors: Mapping[str, tuple[np.ndarray, np.ndarray]], seed: int) -> dict[str, Any]:
        ranked = {arm: self._ranked(*both) for arm, both in vectors.items()}
        number = np.bincount(self.keys, minlength=int(self.wanted.max()) + 1)[self.wanted]
        chosen = self._chosen(ranked["distilled"].best, seed)
        return {
            "queries_of": len(self.queries),
            "among": len(self.others),
            "first": {arm: float(each.best.mean()) for arm, each in ranked.items()},
            "chance": float(number.mean() / len(self.others)),
            "queries": [
                {"sample": str(self.queries[place])}
                | {"rank": {arm: int(each.rank[place]) for arm, each in ranked.items()}}
                | {"nearest": self._nearest(place, *vectors["distilled"])}
                for place in chosen
            ],
        }

    def _ranked(self, queries: np.ndarray, others: np.ndarray) -> _Ranked:
        """Block by block, so that not all cosines are held at once."""
        rank, step = [], max(AT_ONCE // len(others), 1)
        for start in range(0, len(queries), step):
            cosines = queries[start : start + step] @ others.T
            right = self.wanted[start : start + step, None] == self.keys
            top = np.where(right, cosines, -np.inf).max(axis=1)
            # of equals the wrong ones come first: a text that two keys share does not tell them apart
            rank.append(1 + (~right & (cosines >= top[:, None])).sum(axis=1))
        ranks = np.concatenate(rank)
        return _Ranked(ranks, ranks == 1)

    def _chosen(self, best: np.ndarray, seed: int) -> list[int]:
        order = np.random.default_rng(seed).permutation(len(self.queries))
        chosen: list[int] = []
        used: set[Any] = set()
        for sort in (True, False):
            left = OF_A_SORT
            for place in order.tolist():
                if left and best[place] == sort and self.labels[place] not in used:
                    chosen.append(place)
                    used.add(self.labels[place])
                    left -= 1
        return chosen

    def _nearest(self, place: int, queries: np.ndarray, others: np.ndarray) -> list[list[Any]]:
        cosines = others @ queries[place]
        first = np.argsort(-cosines, kind="stable")[:NEAREST]
        return [
            [str(self.others[at]), bool(self.keys[at] == self.wanted[place]), float(cosines[at])]
            for at in first.tolist()
        ]

"""Trials within a condition, and across it: one gender, one genre, one session or two."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from cross_modal_kd.samples import SESSION
from cross_modal_kd.tasks.legend import Legend

NAME = re.compile(r"eer_(?P<where>within|across)_(?P<name>[a-z][a-z0-9_]*)(?:/(?P<value>.+))?")


class Coded(NamedTuple):
    """A condition of T trials. values: V of them; enrol, test: (T,) their numbers, -1 where nothing is known."""

    name: str
    values: list[str]
    enrol: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, name: str, values: pd.Series, enrol: np.ndarray, test: np.ndarray) -> "Coded":
        """Of samples, and the trials among them.

        Args:
            name: of the condition.
            values: (n,) of the samples; null where nothing is known.
            enrol: (T,) rows of the samples that enrol.
            test: (T,) rows of those that are tested.

        Returns:
            The condition of both sides of each trial.
        """
        codes, found = pd.factorize(values, sort=True)
        return cls(name, found.tolist(), codes[enrol], codes[test])

    def parts(self, target: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """The trials within each value, and those across two values.

        Impostors are of the part that the targets are of: both sides of one genre, or of two. A session is one label's
        own, so that no impostors share one: beside targets of one session stand all impostors (our reading).

        Args:
            target: (T,), 1 target, 0 impostor.

        Yields:
            The metric's name and (T,) which trials it is over: a value each; then across values, where any target is.
        """
        known, same = (self.enrol >= 0) & (self.test >= 0), self.enrol == self.test
        if self.name == SESSION:
            yield f"eer_within_{self.name}", known & (same | (target == 0))
        else:
            for number, value in enumerate(self.values):
                yield f"eer_within_{self.name}/{value}", same & (self.enrol == number)
        across = known & ~same
        if (target[across] == 1).any():
            yield f"eer_across_{self.name}", across

    def of_tests(self) -> Iterator[tuple[str, np.ndarray]]:
        """The trials whose test is of each value, where enrolments are of none: models of several genres.

        Yields:
            The metric's name and (T,) which trials it is over; nothing where every enrolment has a value, and nothing
                of sessions.
        """
        if self.name != SESSION and ((self.enrol < 0) & (self.test >= 0)).any():
            for number, value in enumerate(self.values):
                yield f"eer_test_{self.name}/{value}", self.test == number


def too_few(
    target: np.ndarray, clusters: tuple[np.ndarray, np.ndarray], least: int, what: str, parameter: str
) -> str | None:
    """Why trials are too few for a figure.

    Args:
        target: (T,), 1 target, 0 impostor.
        clusters: of both sides, each (T,).
        least: clusters that targets need, and impostors.
        what: clusters as a reader knows them.
        parameter: that says ``least``.

    Returns:
        The reason, None where they are enough.
    """
    counts: Sequence[int] = [
        len(np.unique(np.concatenate([side[target == sort] for side in clusters]))) for sort in (1, 0)
    ]
    if min(counts) >= least:
        return None
    return f"its target or its impostor trials are of fewer than {least} {what} ({parameter})"


def condition_legend(name: str) -> Legend | None:
    """What a metric of a condition is called.

    Args:
        name: such as ``eer_within_genre/singing``.

    Returns:
        Its legend; None where it is no such metric.

    >>> condition_legend("eer_within_genre/singing").title
    'EER, genre singing'
    """
    found = NAME.fullmatch(name)
    if found is None:
        return None
    words = found["name"].replace("_", " ")
    if found["where"] == "across":
        title, explains = f"EER across {words}s", f"the two samples of a pair are of different {words}s"
    elif found["value"] is None:
        title, explains = f"EER within a {words}", f"target pairs are of one {words}; all impostor pairs"
    else:
        title, explains = f"EER, {words} {found['value']}", f"both samples of a pair are of this {words}"
    return Legend(title, "conditions", "lower", True, True, explains)

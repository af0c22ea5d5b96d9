"""How sure an error is: over other concepts, over other seeds, and over both at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config import ArmsConfig
from cross_modal_kd.metrics import joined_interval, mean_interval, percentile_interval, weakest
from cross_modal_kd.studies.table import ArmResult, Key, common_seeds
from cross_modal_kd.tasks import TaskKind

OVER = ("clusters", "seeds", "both")


def twin_of(arm: str) -> str:
    """The name of an arm's hard form, all else equal.

    Args:
        arm: name of a soft one.

    Returns:
        Its name with ``_twin``.
    """
    return f"{arm}_twin"


@dataclass(frozen=True)
class Against:
    """Who is set against whom.

    Attributes:
        baseline: of every arm.
        others: for an arm, another one.
        level: of the intervals, in (0, 1).
    """

    baseline: str
    others: Mapping[str, str]
    level: float

    def pairs(self, arms: list[str]) -> Iterator[tuple[str, str, str]]:
        """The contrasts between arms that there are.

        Args:
            arms: names of those that were trained.

        Yields:
            (what it tells, arm, the other): ``baseline``; ``each at its own values``; ``hard form, all else equal``.
        """
        for name in arms:
            for told, other in (
                ("baseline", self.baseline),
                ("each at its own values", self.others.get(name)),
                ("hard form, all else equal", twin_of(name)),
            ):
                if other in arms and other != name:
                    yield told, name, other


def components_table(
    results: Mapping[Key, ArmResult], kind: TaskKind, against: Against, arms: ArmsConfig
) -> pd.DataFrame:
    """A row an arm, then a row a contrast: the error, or the share of the other's errors that the arm removes.

    Three intervals of the mean over the seeds. ``clusters``: the test clusters (concepts, speakers) are drawn again, as
    in the other tables. ``seeds``: Student's of the values of the seeds (``mean_interval``), the test clusters being
    these. ``both``: what the two come to together (``joined_interval``). The standard deviations beside them are of the
    mean: that over seeds falls with their number, that over clusters does not; over both, the root of their squares.

    Args:
        results: by (arm, projection), one projection an arm.
        kind: of the task; it says which error rate is meant.
        against: who is set against whom.
        arms: gives the titles.

    Returns:
        Columns ``arm``, ``title``, ``projection``, ``contrast`` (empty for the error itself) and ``other``,
        ``share`` with ``share_low`` and ``share_high`` over both, ``sd_single_seed`` (of one training, NaN of one
        seed), ``sd_<over>`` for each of ``OVER``, ``low_<over>`` and ``high_<over>`` for clusters and seeds,
        ``seeds`` (how many), and ``no_interval`` (why there is none; empty where there is one).
    """
    by_name = {name: (projection, result) for (name, projection), result in results.items()}
    rows = []
    for name, (projection, result) in by_name.items():
        about = {"arm": name, "title": arms.get(name).title or name, "projection": projection}
        if not arms.get(name).constraints:
            about["projection"] = "no teacher"
        rows.append({**about, "contrast": "", "other": "", **_spread([result], kind, against)})
        for told, arm, other in against.pairs(list(by_name)):
            if arm == name:
                both = list(common_seeds(by_name[other][1], result))
                rows.append({**about, "contrast": told, "other": other, **_spread(both, kind, against)})
    return pd.DataFrame(rows)


def _spread(results: list[ArmResult], kind: TaskKind, against: Against) -> dict[str, object]:
    """Of one result the error; of (other, arm) the share of the other's errors that the arm removes."""
    pairs = [each.error(kind) for each in results]
    values, resampled = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    evidence = weakest([each.evidence(kind.metric) for each in results])
    value, of_seeds = _told([np.array([each.mean()]) for each in values])[0], _told(values)
    of_clusters = _told([each.mean(axis=1) for each in resampled])
    clusters = percentile_interval(value, of_clusters, against.level, evidence)
    seeds = mean_interval(of_seeds, against.level, evidence)
    intervals = {"clusters": clusters, "seeds": seeds, "both": joined_interval(clusters, seeds)}
    single = of_seeds.std(ddof=1) if len(of_seeds) > 1 else np.nan
    deviations = {"clusters": np.nanstd(of_clusters, ddof=1), "seeds": single / np.sqrt(len(of_seeds))}
    deviations["both"] = np.hypot(*deviations.values())
    found: dict[str, object] = {"share": value, "sd_single_seed": single}
    for name in OVER:
        found[f"sd_{name}"] = deviations[name]
        ends = ("share_low", "share_high") if name == "both" else (f"low_{name}", f"high_{name}")
        offset = value - intervals[name].value  # of a share, which is no mean over the seeds
        low, high = intervals[name].low, intervals[name].high
        found |= {end: np.nan if at is None else at + offset for end, at in zip(ends, (low, high), strict=True)}
    return found | {"seeds": len(of_seeds), "no_interval": intervals["both"].reason}


def _told(errors: list[np.ndarray]) -> np.ndarray:
    """(n,) errors themselves, or (before - after) / before; NaN where nothing was wrong before."""
    if len(errors) == 1:
        return errors[0]
    before, after = errors
    return np.divide(before - after, before, out=np.full_like(before, np.nan), where=before > 0)

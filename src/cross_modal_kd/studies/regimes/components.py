"""How sure an error is: over other concepts, over other seeds, and over both at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cross_modal_kd.config import ArmsConfig
from cross_modal_kd.metrics import percentile_interval, weakest
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
        seed: of the draw of seeds, 0 or above.
        level: of the intervals, in (0, 1).
    """

    baseline: str
    others: Mapping[str, str]
    level: float
    seed: int = 0

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
    in the other tables. ``seeds``: the seeds are drawn again with replacement, in the arm and the other alike, the test
    clusters being these. ``both``: in each resample of the clusters the seeds are drawn again too. The standard
    deviations beside them are of the mean: that over seeds falls with their number, that over clusters does not.

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
    count, resamples = len(values[0]), len(resampled[0])
    drawn = np.random.default_rng(against.seed).integers(count, size=(resamples, count))
    over = {
        "clusters": [each.mean(axis=1) for each in resampled],
        "seeds": [each[drawn].mean(axis=1) for each in values],
        "both": [np.take_along_axis(each, drawn, axis=1).mean(axis=1) for each in resampled],
    }
    evidence = weakest([each.evidence(kind.metric) for each in results])
    value = _told([np.array([each.mean()]) for each in values])[0]
    found: dict[str, object] = {"share": value}
    found["sd_single_seed"] = _told(values).std(ddof=1) if count > 1 else np.nan
    reason = ""
    for name in OVER:
        spread = _told(over[name])
        enough = name == "clusters" or count > 1
        interval = percentile_interval(value, spread, against.level, evidence) if enough else None
        low, high = (None, None) if interval is None else (interval.low, interval.high)
        reason = reason or ("one seed" if interval is None else interval.reason)
        found[f"sd_{name}"] = np.nanstd(spread, ddof=1) if enough else np.nan
        ends = ("share_low", "share_high") if name == "both" else (f"low_{name}", f"high_{name}")
        found |= {end: np.nan if at is None else at for end, at in zip(ends, (low, high), strict=True)}
    return found | {"seeds": count, "no_interval": reason}


def _told(errors: list[np.ndarray]) -> np.ndarray:
    """(n,) errors themselves, or (before - after) / before; NaN where nothing was wrong before."""
    if len(errors) == 1:
        return errors[0]
    before, after = errors
    return np.divide(before - after, before, out=np.full_like(before, np.nan), where=before > 0)

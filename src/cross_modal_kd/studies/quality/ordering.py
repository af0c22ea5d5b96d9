"""Does a measure fall as a known damage grows? Inject the damage, measure again, compare the ranks."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from cross_modal_kd.compute import progress_bar
from cross_modal_kd.metrics import Evidence, Least, percentile_interval
from cross_modal_kd.modalities import Damage, Degradation, Dose, Modality, Others, chosen, modality_of
from cross_modal_kd.quality import QualityError, Scoring, fit_score, measure_samples
from cross_modal_kd.samples import Roots

OTHERS = 24
ABOUT = ["sample_id", "modality", "degradation", "unit", "severity", "level"]


def draw(samples: pd.DataFrame, modality: str, n: int, seed: int) -> pd.DataFrame:
    """At most n samples of a modality's dev split.

    Args:
        samples: the samples table.
        modality: of the samples that are drawn.
        n: how many, at most.
        seed: of the draw.

    Returns:
        Rows of the samples table, in its order.

    Raises:
        QualityError: the dev split has fewer than two.
    """
    rows = samples[(samples["modality"] == modality) & (samples["split"] == "dev")]
    if len(rows) < 2:
        raise QualityError(
            f"a study needs two {modality} samples of the dev split, found {len(rows)}: use a larger dev split"
        )
    chosen = np.random.default_rng(seed).permutation(len(rows))[:n]
    return rows.iloc[np.sort(chosen)]


def measure_degraded(
    samples: pd.DataFrame,
    measures: pd.DataFrame,
    names: Mapping[str, Sequence[str]],
    scoring: Scoring,
    roots: Roots,
    degradations: Mapping[str, Sequence[str]],
    n: int,
    seed: int,
) -> pd.DataFrame:
    """Measures and score of dev samples under every degradation at every level.

    The damage depends on seed, sample and degradation alone. Each sample is measured once a degradation and level.

    Args:
        samples: the samples table, with its training split: measures that are fitted are fitted on that.
        measures: of the undamaged samples, which give severity 0 and the ranks of the training split.
        names: per modality the measures to take.
        scoring: what the score is made of.
        roots: where the files lie.
        degradations: per modality the names of those to inject; a modality that is not named gets all of its own.
        n: samples of each modality, at most.
        seed: of the draw and of the damage.

    Returns:
        sample_id, modality, degradation, unit, severity (0 is undamaged, then 1, 2, ... as levels grow worse), level
        (empty at 0), one column a measure (empty where it is another modality's), and ``score``, a quality in [0, 1].
    """
    tables = []
    for modality in map(modality_of, sorted(samples["modality"].unique())):
        drawn = draw(samples, modality.name, n, seed)
        score = fit_score(samples, measures, modality.name, scoring)
        clean = measures[measures["sample_id"].isin(drawn["sample_id"])]
        clean = clean[["sample_id", "modality", *names[modality.name]]]
        for name, degradation in progress_bar(
            _named(modality, degradations).items(), desc=f"Damaging {modality.name}", unit=""
        ):
            others = _others(drawn, roots) if "others" in degradation.needs else None
            for severity, level in enumerate((None, *degradation.levels)):
                found = clean
                if level is not None:
                    harm = Damage(StudyDose(name, degradation, level, seed), others)
                    found = measure_samples(drawn, names, roots, harm, fitted_on=samples, show_progress=False)
                about = {"degradation": name, "unit": degradation.unit, "severity": severity, "level": level}
                tables.append(found.assign(**about, score=score(found)))
    table = pd.concat(tables, ignore_index=True)
    return table[ABOUT + [column for column in table if column not in ABOUT]]


def _named(modality: Modality, names: Mapping[str, Sequence[str]]) -> dict[str, Degradation]:
    what, where = f"degradation of {modality.name}", f"quality_study.degradations.{modality.name}"
    return chosen(modality.degradations, names.get(modality.name), what, where)


def _others(drawn: pd.DataFrame, roots: Roots) -> Others:
    """A few of the study's own samples, to be mixed into those of other labels."""
    rows = drawn.iloc[np.linspace(0, len(drawn) - 1, min(OTHERS, len(drawn))).astype(int)]
    return Others.read(rows, drawn, roots)


@dataclass(frozen=True)
class StudyDose:
    """sample_id -> the same degradation at the same level; seed, sample and degradation decide its randomness."""

    name: str
    degradation: Degradation
    level: float
    seed: int

    def __call__(self, sample_id: str) -> Dose:
        seed = (self.seed, zlib.crc32(f"{sample_id} {self.name}".encode()))
        return Dose(self.degradation, self.level, np.random.default_rng(seed))


def spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Rank correlation, ties at their mean rank.

    Args:
        a: (n,) numbers.
        b: (n,) numbers.

    Returns:
        In [-1, 1]; 0 where one of them is constant.
    """
    x, y = rankdata(a), rankdata(b)
    x, y = x - x.mean(), y - y.mean()
    norm = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / norm) if norm > 0 else 0.0


def ordering(
    degraded: pd.DataFrame, resamples: int, level: float, seed: int, least: Least | None = None
) -> pd.DataFrame:
    """How well each measure orders each degradation.

    Args:
        degraded: of ``measure_degraded``: every sample at every severity.
        resamples: bootstrap draws of samples.
        level: of the intervals, in (0, 1).
        seed: of the bootstrap.
        least: what an interval needs; the samples are its clusters.

    Returns:
        A row a modality, measure (``score`` is one) and degradation. rank_correlation: Spearman's, of the measure with
        minus the severity over all samples and levels at once: 1 says that the worse is always lower, 0 that the
        measure does not see the damage, below 0 that damage passes for quality. low, high: percentile bootstrap over
        samples, NaN where the samples cannot bear one, for the reason in ``no_interval``. within_sample: the same
        correlation sample by sample, averaged: what remains once contents do not differ. samples: how many.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for (modality, name), table in degraded.groupby(["modality", "degradation"], sort=True):
        names = [column for column in table if column not in ABOUT and table[column].notna().any()]
        wide = {
            measure: table.pivot(index="sample_id", columns="severity", values=measure).to_numpy() for measure in names
        }
        n, n_levels = next(iter(wide.values())).shape
        order = -np.arange(n_levels)
        draws = rng.integers(n, size=(resamples, n))
        weights = np.stack([np.bincount(drawn, minlength=n) for drawn in draws])
        for measure, values in wide.items():
            found = [spearman(values[drawn].ravel(), np.tile(order, n)) for drawn in draws]
            value = spearman(values.ravel(), np.tile(order, n))
            rows.append(
                {
                    "modality": modality,
                    "measure": measure,
                    "degradation": name,
                    "rank_correlation": value,
                    **_interval(value, np.asarray(found), level, Evidence.of(weights, least=least)),
                    "within_sample": float(np.mean([spearman(row, order) for row in values])),
                    "samples": n,
                }
            )
    return pd.DataFrame(rows)


def _interval(value: float, found: NDArray[Any], level: float, evidence: Evidence) -> dict[str, Any]:
    """Its ends; a measure that every sample shows the same way (rank correlations of 1) has none."""
    interval = percentile_interval(value, found, level, evidence)
    ends = {"low": interval.low, "high": interval.high}
    known = {end: np.nan if at is None else at for end, at in ends.items()}
    return known | ({"no_interval": interval.reason} if interval.reason else {})

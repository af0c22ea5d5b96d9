"""Measures and scores of a whole samples table."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cross_modal_kd.config.quality import QualityConfig
from cross_modal_kd.quality.modality import QualityError, measure, measures_of
from cross_modal_kd.quality.ranks import Combine, DomainScore
from cross_modal_kd.quality.read import read_input, records
from cross_modal_kd.samples.roots import Roots

CHUNK = 64
THREADS = 2

Corrupt = Callable[[Mapping[str, Any], tuple[Any, ...]], tuple[Any, ...]]


def measure_samples(
    samples: pd.DataFrame,
    names: Mapping[str, Sequence[str]],
    roots: Roots,
    corrupt: Corrupt | None = None,
    show_progress: bool = True,
) -> pd.DataFrame:
    """Raw quality of every sample: sample_id, modality, and one column a measure, empty where it is another modality's.

    samples: the samples table. names: per modality the measures to take. corrupt: (row, input) -> input, damage to be
    done to each input before it is measured, for studies.
    Every file is decoded once, 64 at a time, on two threads. The vocabulary of texts is that of the training split.

    Raises:
        QualityError: a modality without measures, an unknown measure, or a measure that is no number (naming the
        sample).
    """
    from tqdm import tqdm

    tables = []
    modalities = sorted(samples["modality"].unique())
    for modality in modalities:
        if not names.get(modality):
            raise QualityError(
                f"samples holds {modality}, for which quality.measures names no measure; "
                f"there are: {', '.join(measures_of(modality))}"
            )
        measures_of(modality, names[modality])
    with tqdm(
        total=len(samples), desc="Measuring quality", unit="", mininterval=1.0, disable=not show_progress
    ) as progress:
        for modality in modalities:
            rows = samples[samples["modality"] == modality]
            found = _measure_modality(modality, rows, names[modality], roots, corrupt, progress.update)
            _require_finite(found, names[modality])
            tables.append(found)
    return pd.concat(tables, ignore_index=True).sort_values("sample_id", ignore_index=True)


def _measure_modality(
    modality: str,
    samples: pd.DataFrame,
    names: Sequence[str],
    roots: Roots,
    corrupt: Corrupt | None,
    advance: Callable[[int], Any],
) -> pd.DataFrame:
    context = _context(modality, samples)
    # clips of similar length side by side, which is what the batched measures are fastest at
    ordered = samples.sort_values("duration_s", kind="stable") if modality == "speech" else samples
    rows = records(ordered[["sample_id", "modality", "label", "split", "source", "path", "text"]])

    def measure_chunk(chunk: list[dict[str, Any]]) -> pd.DataFrame:
        inputs = [read_input(row, roots) for row in chunk]
        if corrupt is not None:
            inputs = [corrupt(row, given) for row, given in zip(chunk, inputs, strict=True)]
        values = measure(modality, names, [given + context for given in inputs])
        advance(len(chunk))
        return pd.DataFrame({"sample_id": [row["sample_id"] for row in chunk], "modality": modality, **values})

    chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    with ThreadPoolExecutor(THREADS) as pool:
        return pd.concat(list(pool.map(measure_chunk, chunks)), ignore_index=True)


def _context(modality: str, samples: pd.DataFrame) -> tuple[Any, ...]:
    """What the measures of a modality take beside the input itself."""
    if modality != "text":
        return ()
    from cross_modal_kd.modalities.text.quality import fit

    return (fit(samples.loc[samples["split"] == "train", "text"]),)


def _require_finite(measures: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        bad = ~np.isfinite(measures[name].to_numpy(dtype=float))
        if bad.any():
            first = measures[bad].iloc[0]
            raise QualityError(
                f"measure {name!r} of sample {first['sample_id']!r} is {first[name]} ({int(bad.sum())} such in all): "
                "look at the file, or take the measure out of quality.measures"
            )


@dataclass(frozen=True)
class Scoring:
    """How measures make a score. names: per modality. combine: see ``QualityScore``; by_domain: see ``DomainScore``."""

    names: Mapping[str, Sequence[str]]
    combine: Combine = "mean"
    by_domain: bool = False

    @classmethod
    def of(cls, quality: QualityConfig) -> "Scoring":
        return cls(quality.score, quality.combine, quality.by_domain)


Score = Callable[[pd.DataFrame], NDArray[np.float64]]


def score_samples(samples: pd.DataFrame, measures: pd.DataFrame, scoring: Scoring) -> pd.DataFrame:
    """Quality in [0, 1] of every sample: sample_id, modality and quality.

    Ranks are those of the training split, modality by modality.

    Raises:
        QualityError: a modality without a score or without training samples, or a measure that is not in the table.
    """
    tables = []
    for modality, rows in measures.groupby("modality", sort=True):
        score = fit_score(samples, measures, str(modality), scoring)
        tables.append(rows[["sample_id", "modality"]].assign(quality=score(rows)))
    return pd.concat(tables, ignore_index=True).sort_values("sample_id", ignore_index=True)


def fit_score(samples: pd.DataFrame, measures: pd.DataFrame, modality: str, scoring: Scoring) -> Score:
    """The score of one modality, ranked in the training split: a table of its measures by sample_id -> (n,).

    Raises:
        QualityError: as ``score_samples``.
    """
    rows = measures[measures["modality"] == modality]
    chosen = list(scoring.names.get(modality, []))
    missing = [name for name in chosen if name not in rows]
    if missing or not chosen:
        raise QualityError(
            f"quality.score.{modality} names {chosen}; it must name measures in quality_measures, which holds "
            f"{[name for name in rows if name not in ('sample_id', 'modality') and rows[name].notna().any()]}"
        )
    _require_finite(rows, chosen)
    trained = rows[rows["sample_id"].isin(samples.loc[samples["split"] == "train", "sample_id"])]
    if trained.empty:
        raise QualityError(f"the ranks of {modality} need samples in the training split, found none")
    domain_of = samples.set_index("sample_id")["domain"].to_dict() if scoring.by_domain else {}

    def domains(table: pd.DataFrame) -> NDArray[np.object_]:
        return np.array([domain_of.get(sample) for sample in table["sample_id"]], dtype=object)

    def values(table: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        return {name: table[name].to_numpy(dtype=float) for name in chosen}

    fitted = DomainScore.fit(values(trained), domains(trained), scoring.combine)
    return lambda table: fitted(values(table), domains(table))

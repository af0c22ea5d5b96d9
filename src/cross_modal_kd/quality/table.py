"""Measures and scores of a whole samples table."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cross_modal_kd.compute import LOCAL, Engine, progress_bar
from cross_modal_kd.config import QualityConfig
from cross_modal_kd.modalities import Corrupt, Modality, modality_of
from cross_modal_kd.quality.errors import QualityError
from cross_modal_kd.quality.measures import measure, measures_of
from cross_modal_kd.quality.ranks import Combine, DomainScore
from cross_modal_kd.samples import Kept, Roots, as_records, read_before

logger = logging.getLogger(__name__)

BLOCK = 4096
CHUNK = 64
CHUNK_BYTES = 2**26
"""Of decoded samples, of which each thread holds a chunk and what its measures make of it; a sample may be larger."""
THREADS = 2
TASK = 256
"""Samples of a task, where tasks measure them."""


def measure_samples(
    samples: pd.DataFrame,
    names: Mapping[str, Sequence[str]],
    roots: Roots,
    corrupt: Corrupt | None = None,
    fitted_on: pd.DataFrame | None = None,
    show_progress: bool = True,
    cache: Path | None = None,
    engine: Engine = LOCAL,
) -> pd.DataFrame:
    """Raw quality of every sample: sample_id, modality, and one column a measure, empty where it is another modality's.

    Every file is decoded once, on two threads, 64 at a time or as many as make 64 MB; but one that has not changed
    since it was measured with the same ``cache`` is not.

    Args:
        samples: rows of the samples table.
        names: per modality the measures to take.
        roots: where the files lie.
        corrupt: damage to be done to each sample before it is measured, for studies.
        fitted_on: the samples table whose training split measures are fitted on (the vocabulary of texts), undamaged;
            ``samples`` where it is not given.
        show_progress: whether to show a bar.
        cache: folder of what was measured before, which is added to as it goes; not to be given together with
            ``corrupt``. None measures everything.
        engine: who measures.

    Returns:
        The table, in the order of sample_id.

    Raises:
        QualityError: a modality for which no measure is named, or a measure that is no number (naming the sample).
        ModalityError: an unknown measure.
    """
    fitted_on = samples if fitted_on is None else fitted_on
    modalities = [modality_of(name) for name in sorted(samples["modality"].unique())]
    for modality in modalities:
        _require_names(modality, names)
    tables = []
    with progress_bar(
        total=len(samples), desc="Measuring quality", unit="", mininterval=1.0, disable=not show_progress
    ) as bar:
        for modality in modalities:
            own = fitted_on[fitted_on["modality"] == modality.name]
            meter = _Meter(modality, names[modality.name], roots, modality.context(own), corrupt)
            kept = None if cache is None else _kept(cache, meter, samples, own)
            rows = modality.in_order(samples[samples["modality"] == modality.name])
            found = _measured(meter, rows, kept, bar.update, engine)
            _require_finite(found, names[modality.name])
            tables.append(found)
    return pd.concat(tables, ignore_index=True).sort_values("sample_id", ignore_index=True)


def _require_names(modality: Modality, names: Mapping[str, Sequence[str]]) -> None:
    if not names.get(modality.name):
        raise QualityError(
            f"samples holds {modality.name}, for which quality.measures names no measure; "
            f"there are: {', '.join(modality.measures)}"
        )
    measures_of(modality, names[modality.name])


@dataclass(frozen=True)
class _Meter:
    """Rows of one modality to their measures; context: what the measures take beside a sample."""

    modality: Modality
    names: Sequence[str]
    roots: Roots
    context: tuple[Any, ...]
    corrupt: Corrupt | None

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """One column a measure, in the order of the rows."""
        return pd.DataFrame(measure(self.modality, self.names, [self._input(row) for row in rows]))

    def _input(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        with read_before():
            found = self.modality.read(row, self.roots)
        value = found.value if self.corrupt is None else self.corrupt(row["sample_id"], found.value, **found.about)
        return (value, *found.about.values(), *self.context)


def _kept(cache: Path, meter: "_Meter", samples: pd.DataFrame, fitted_on: pd.DataFrame) -> Kept:
    """What was measured of a modality under the same names, version and training samples, where these count.

    A text, which has no file, is known by the digest of its words.
    """
    decides: list[Any] = ["quality", meter.modality.name, meter.modality.version, sorted(meter.names)]
    if meter.context:
        training = fitted_on.loc[fitted_on["split"] == "train", "sha256"]
        decides.append(hashlib.sha256("".join(training.sort_values()).encode()).hexdigest())

    def stamps(rows: pd.DataFrame) -> pd.DataFrame:
        own = samples.loc[rows.index]
        found, words = meter.roots.stamps(own), own["path"].isna()
        if words.any():
            digests = [int(digest[:15], 16) for digest in own.loc[words, "sha256"]]
            found.loc[words] = np.stack([*np.zeros((3, len(digests)), dtype=np.int64), digests], axis=1)
        return found

    return Kept(cache, json.dumps(decides), stamps)


def _measured(
    meter: "_Meter", samples: pd.DataFrame, kept: Kept | None, advance: Callable[[int], Any], engine: Engine
) -> pd.DataFrame:
    """Rows of one modality to sample_id, modality and one column a measure; what is kept is not measured again."""
    ids, in_chunks = samples[["sample_id", "modality"]], partial(_in_chunks, meter)
    if kept is None:
        return pd.concat(engine.over(in_chunks, samples, TASK, advance)).join(ids)[[*ids, *meter.names]]
    known = kept.known(samples[["modality", "source"]].assign(path=samples["path"].fillna(samples["sample_id"])))
    if len(known):
        logger.info(
            "%d of %d %s have not changed since they were measured", len(known), len(ids), meter.modality.plural
        )
        advance(len(known))
    parts = [known]
    for found in engine.over(in_chunks, samples.drop(index=known.index), TASK, advance):
        kept.keep(found)
        parts.append(found)
    kept.write()
    return ids.join(pd.concat(parts))[[*ids, *meter.names]]


def _in_chunks(meter: "_Meter", samples: pd.DataFrame, advance: Callable[[int], Any]) -> Iterator[pd.DataFrame]:
    """The measures of each chunk on the samples' index; the rows of a block are Python objects at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(samples), BLOCK):
            block = samples.iloc[start : start + BLOCK]
            sizes = [meter.modality.decoded_bytes(row) for row in as_records(block)]
            rows = as_records(block[["sample_id", "source", "path", "text"]])
            run = pool.map if max(sizes) <= CHUNK_BYTES else map
            at = 0
            for found in run(meter, _chunks(rows, sizes)):
                yield found.set_axis(block.index[at : at + len(found)])
                at += len(found)
                advance(len(found))


def _chunks(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> list[list[dict[str, Any]]]:
    """Rows in their order, at most ``CHUNK`` side by side, and ``CHUNK_BYTES`` unless it is one row."""
    chunks: list[list[dict[str, Any]]] = []
    held = 0
    for row, size in zip(rows, sizes, strict=True):
        if not chunks or len(chunks[-1]) == CHUNK or held + size > CHUNK_BYTES:
            chunks.append([])
            held = 0
        chunks[-1].append(row)
        held += size
    return chunks


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
    """How measures make a score.

    Attributes:
        names: per modality, the measures that count.
        combine: see ``QualityScore``.
        by_domain: whether a sample is ranked among those of its own domain, see ``DomainScore``.
    """

    names: Mapping[str, Sequence[str]]
    combine: Combine = "mean"
    by_domain: bool = False

    @classmethod
    def of(cls, quality: QualityConfig) -> "Scoring":
        """The scoring that the block ``quality`` of the parameters asks for.

        Args:
            quality: its ``score``, ``combine`` and ``by_domain`` count.

        Returns:
            The scoring.
        """
        return cls(quality.score, quality.combine, quality.by_domain)


Score = Callable[[pd.DataFrame], NDArray[np.float64]]


def score_samples(samples: pd.DataFrame, measures: pd.DataFrame, scoring: Scoring) -> pd.DataFrame:
    """Quality of every measured sample; ranks are those of the training split, modality by modality.

    Args:
        samples: the samples table: which samples are in the training split, and their domains.
        measures: of ``measure_samples``: sample_id, modality and one column a measure.
        scoring: which measures count, and how they are combined.

    Returns:
        The columns sample_id, modality and quality in [0, 1], in the order of sample_id.

    Raises:
        QualityError: a modality without a score or without training samples, or a measure that is not in the table.
    """
    tables = []
    for modality, rows in measures.groupby("modality", sort=True):
        score = fit_score(samples, measures, str(modality), scoring)
        tables.append(rows[["sample_id", "modality"]].assign(quality=score(rows)))
    return pd.concat(tables, ignore_index=True).sort_values("sample_id", ignore_index=True)


def fit_score(samples: pd.DataFrame, measures: pd.DataFrame, modality: str, scoring: Scoring) -> Score:
    """The score of one modality, ranked in the training split.

    Args:
        samples: the samples table: which samples are in the training split, and their domains.
        measures: of ``measure_samples``; rows of other modalities are passed over.
        modality: whose score it is.
        scoring: which measures count, and how they are combined.

    Returns:
        A function of a table with sample_id and the modality's measures, n rows, to their quality (n,) in [0, 1].

    Raises:
        QualityError: the modality has no score or no training samples, or a measure is not in the table or not finite.
    """
    trained, chosen = _reference(samples, measures, modality, scoring)
    domain_of = samples.set_index("sample_id")["domain"] if scoring.by_domain else None

    def domains(table: pd.DataFrame) -> NDArray[np.object_]:
        if domain_of is None:
            return np.full(len(table), None, dtype=object)
        return domain_of.reindex(table["sample_id"]).to_numpy(dtype=object)

    def values(table: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        return {name: table[name].to_numpy(dtype=float) for name in chosen}

    fitted = DomainScore.fit(values(trained), domains(trained), scoring.combine)
    return lambda table: fitted(values(table), domains(table))


def reference_measures(
    samples: pd.DataFrame, measures: pd.DataFrame, modality: str, scoring: Scoring
) -> dict[str, np.ndarray]:
    """What the score of an input from elsewhere is fitted on: all training samples of its modality, of any domain.

    Args:
        samples: the samples table: which samples are in the training split.
        measures: of ``measure_samples``; rows of other modalities are passed over.
        modality: of the input.
        scoring: which measures count.

    Returns:
        By measure, (N,) values of the N training samples.

    Raises:
        QualityError: as ``fit_score`` has it.
    """
    trained, chosen = _reference(samples, measures, modality, scoring)
    return {name: trained[name].to_numpy(dtype=float) for name in chosen}


def _reference(
    samples: pd.DataFrame, measures: pd.DataFrame, modality: str, scoring: Scoring
) -> tuple[pd.DataFrame, list[str]]:
    """The measures of the training samples, and the names of those that count."""
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
    return trained, chosen

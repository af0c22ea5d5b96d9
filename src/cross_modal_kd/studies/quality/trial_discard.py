"""Error-versus-discard curves of verification trials, by every measure and by the score."""

import numpy as np
import pandas as pd

from cross_modal_kd.quality import QualityError
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.studies.quality.config import QualityStudyConfig
from cross_modal_kd.studies.quality.discard import Discard, DiscardCurve


def discard_curves(
    samples: pd.DataFrame,
    measures: pd.DataFrame,
    scores: pd.DataFrame,
    trials: pd.DataFrame,
    embeddings: EmbeddingTable,
    study: QualityStudyConfig,
) -> dict[str, DiscardCurve]:
    """For each measure and for ``score``: the EER of cosine scores as the trials of lowest quality are left out.

    A trial's quality is the lower one of its two samples.

    Args:
        samples: the samples table.
        measures: sample_id, modality, one column a measure.
        scores: sample_id and quality in [0, 1].
        trials: enrol_id, test_id, target (1 same label, 0 another); where there are none (a classification task), pairs
            of embedded test samples are drawn.
        embeddings: (N, d) of all samples of the trials; they need not be normalised.
        study: steps, shuffles, seed, and ``max_trials``, of which more are drawn from.

    Returns:
        Curves by the name of the measure, ``score`` among them; measures of another modality are left out.

    Raises:
        QualityError: trials of one kind only, or of samples without a quality.
    """
    from cross_modal_kd.metrics import eer, unit_rows

    rng = np.random.default_rng(study.seed)
    trials = trials if len(trials) else _test_pairs(samples, embeddings, study.max_trials, rng)
    if len(trials) > study.max_trials:
        trials = trials.iloc[np.sort(rng.permutation(len(trials))[: study.max_trials])]
    target = trials["target"].to_numpy(dtype=int)
    if len(set(target.tolist())) < 2:
        raise QualityError(
            f"trials must hold targets and impostors, found {int(target.sum())} targets among {len(target)}"
        )
    ids = pd.Index(sorted(set(trials["enrol_id"]) | set(trials["test_id"])))
    values = unit_rows(embeddings.at(ids))
    enrol, test = ids.get_indexer(trials["enrol_id"]), ids.get_indexer(trials["test_id"])
    similarity = np.einsum("nd,nd->n", values[enrol], values[test])

    def error_of(kept: np.ndarray) -> float:
        found = target[kept]
        return eer(similarity[kept], found) if 0 < found.sum() < len(found) else np.nan

    table = measures.merge(scores[["sample_id", "quality"]], on="sample_id").set_index("sample_id").reindex(ids)
    if table["quality"].isna().any():
        raise QualityError(
            f"{int(table['quality'].isna().sum())} samples of the trials have no quality, "
            f"{table.index[table['quality'].isna()][0]!r} the first: run the quality pipeline on these samples"
        )
    table = table.drop(columns="modality").dropna(axis=1, how="all").rename(columns={"quality": "score"})
    discard = Discard(len(ids), error_of, (enrol, test), study.discard_steps, study.discard_shuffles, study.seed)
    return {str(name): discard.curve(table[name]) for name in table}


def _test_pairs(samples: pd.DataFrame, embeddings: EmbeddingTable, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """n pairs of embedded test samples at most, half of them drawn from the same label."""
    rows = samples[(samples["split"] == "test") & samples["sample_id"].isin(embeddings.sample_ids)]
    ids, labels = rows["sample_id"].to_numpy(dtype=object), rows["label"].factorize()[0]
    if len(ids) < 2:
        raise QualityError(f"pairs need at least two embedded samples of the test split, found {len(ids)}")
    any_pair = rng.integers(len(ids), size=(n // 2, 2))
    shuffled = rng.permutation(len(ids))
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    first = rng.integers(len(ids) - 1, size=n // 2)
    pairs = np.concatenate([any_pair, np.stack([by_label[first], by_label[first + 1]], axis=1)])
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    return pd.DataFrame({"enrol_id": ids[pairs[:, 0]], "test_id": ids[pairs[:, 1]], "target": same.astype(int)})

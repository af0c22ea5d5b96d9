"""From qualities to the weights of the training samples."""

import numpy as np
import pandas as pd

from cross_modal_kd.config import TaskConfig, WeightConfig
from cross_modal_kd.quality.errors import QualityError
from cross_modal_kd.samples import KEYS, pair


def sample_weights(
    samples: pd.DataFrame, scores: pd.DataFrame, task: TaskConfig, weights: WeightConfig
) -> pd.DataFrame:
    """Weights of the student samples of the training split, each of mean 1 over them.

    Args:
        samples: the samples table.
        scores: sample_id and quality in [0, 1], of every training sample of either modality.
        task: its two modalities, and how they are paired.
        weights: gamma, and the bounds of the weights.

    Returns:
        A row a student sample, in the order of sample_id: sample_id; quality_student q_S; quality_teacher q_T, the mean
        over all teacher samples that may stand beside it; task_weight w(q_S); kd_weight w(sqrt(q_S q_T)), w as
        ``losses.quality_weights``. A sample without a teacher has neither q_T nor kd_weight (NaN).

    Raises:
        QualityError: a sample without a quality, or no student sample in the training split.
    """
    from cross_modal_kd.losses import distillation_quality, quality_weights

    keys = [key for level in task.levels for key in KEYS[level]]
    columns = list(dict.fromkeys(["sample_id", "modality", "split", *keys]))
    training = samples.loc[samples["split"] == "train", columns]  # without the paths, which are the most of a table
    if not (training["modality"] == task.student).any():
        raise QualityError(f"weights are for {task.student} samples of the training split, found none in `samples`")
    quality = scores.set_index("sample_id")["quality"]
    missing = training.loc[~training["sample_id"].isin(quality.index), "sample_id"]
    if len(missing):
        raise QualityError(
            f"quality_scores lacks {len(missing)} training samples, {missing.iloc[0]!r} the first: "
            "run the quality pipeline again on these samples"
        )
    pairing = pair(training, task)
    of_teachers = quality.reindex(pairing.teacher_ids).to_numpy(dtype=float)
    bounds = zip(pairing.starts[:-1].tolist(), pairing.starts[1:].tolist(), strict=True)
    means = np.array([*(of_teachers[pairing.rows[start:end]].mean() for start, end in bounds), np.nan])
    table = pd.DataFrame({"sample_id": pairing.student_ids})
    table["quality_student"] = quality.reindex(pairing.student_ids).to_numpy(dtype=float)
    table["quality_teacher"] = means[pairing.pool]  # the last of them where there is no pool
    own, partner = table["quality_student"].to_numpy(), table["quality_teacher"].to_numpy()
    paired = ~np.isnan(partner)
    table["task_weight"] = quality_weights(own, weights.gamma, weights.w_min, weights.w_max)
    table["kd_weight"] = np.nan
    table.loc[paired, "kd_weight"] = quality_weights(
        distillation_quality(own[paired], partner[paired]), weights.gamma, weights.w_min, weights.w_max
    )
    return table.sort_values("sample_id", ignore_index=True)

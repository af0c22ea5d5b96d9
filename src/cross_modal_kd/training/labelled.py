"""Training samples without a label, by nature or because it is held back: the other pairs serve without."""

import pandas as pd

from cross_modal_kd.config import KnownLabels, TaskConfig, TrainingConfig
from cross_modal_kd.models import PRETRAINED, ModelBundle
from cross_modal_kd.samples import draw_clusters, split_rows
from cross_modal_kd.tasks import kind_of


def labelled_clusters(samples: pd.DataFrame, task: TaskConfig, share: float, draw: int) -> set[str]:
    """The training clusters that keep their label: a seeded draw, of which a smaller share is a part.

    Verification: whole labels (two at least), so that a share of the identities are known classes. Classification:
    groups, class by class, one of each at least.

    Args:
        samples: the samples table.
        task: its kind says what a cluster is.
        share: of the clusters of the student's labelled training samples that are drawn, in (0, 1].
        draw: seed of the draw, 0 or above.

    Returns:
        Names of clusters, as the kind's ``clusters`` gives them.
    """
    train = split_rows(samples, task.student, "train")
    return draw_clusters(train[train["label"].notna()], kind_of(task).design, share, draw)


def hold_labels_back(samples: pd.DataFrame, task: TaskConfig, labelled: KnownLabels) -> pd.DataFrame:
    """The samples table as a training is told it: labels of all but a share of the training clusters are null.

    Args:
        samples: the samples table.
        task: its kind says what a cluster is.
        labelled: the share, and the seed of its draw.

    Returns:
        The same rows, of which training samples of both modalities may have lost their label; dev and test keep theirs.
    """
    if labelled.share == 1:
        return samples
    kept = labelled_clusters(samples, task, labelled.share, labelled.draw) if labelled.share else set()
    return samples.assign(label=samples["label"].mask(_held_back(samples, task, kept)))


def told_by_teacher(teacher: ModelBundle) -> str:
    """What is to be warned of where labels are held back from the student and not from the teacher.

    Args:
        teacher: of ``pretrained_teacher`` or ``train_teacher``.

    Returns:
        A sentence without its end; empty of a pretrained teacher, which has learnt none of them.
    """
    if teacher.kind == PRETRAINED:
        return ""
    return (
        "labels are held back from the student, and the teacher was trained on all of them (teacher.pretrained is "
        "false): what it says of an unlabelled pair may tell the label. A pretrained teacher has learnt none"
    )


def labelled_part(samples: pd.DataFrame, task: TaskConfig, kept: set[str]) -> pd.DataFrame:
    """The samples table without the training samples, of both modalities, whose cluster is not among ``kept``.

    Args:
        samples: the samples table.
        task: its kind says what a cluster is.
        kept: names of clusters, of ``labelled_clusters``.

    Returns:
        A part of the table, with its index; dev and test are whole, and no training sample is without a label.
    """
    return samples[~_held_back(samples, task, kept)]


def _held_back(samples: pd.DataFrame, task: TaskConfig, kept: set[str]) -> pd.Series:
    """Which training samples have no label, or are of a cluster that does not keep it."""
    unknown = samples["label"].isna() | ~kind_of(task).clusters(samples).isin(kept)
    return (samples["split"] == "train") & unknown


def same_steps(training: TrainingConfig, samples: int, labelled: int) -> TrainingConfig:
    """As many optimisation steps on ``labelled`` samples as ``training`` takes on all, and as many looks at dev.

    Args:
        training: the training on all samples.
        samples: number of training samples.
        labelled: number of those that are trained on.

    Returns:
        A copy with more ``epochs``, and ``eval_every`` in proportion; steps differ by the rounding to whole epochs,
        unless ``training.steps`` says how many they are.
    """
    steps, fewer = (max(1, count // training.batch_size) for count in (samples, labelled))
    longer, training = steps / fewer, training.for_steps(steps)
    return training.model_copy(
        update={
            "epochs": max(1, round(training.epochs * longer)),
            "min_steps": None,
            "eval_every": max(1, round(training.eval_every * longer)),
        }
    )

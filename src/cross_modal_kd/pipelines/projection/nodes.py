"""The projection head on the teacher, with the prototypes of the teacher's classifier."""

import numpy as np
import pandas as pd

from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.pipelines.common.dev import chosen_by, class_numbers, pairwise_eer, split_rows, train_classes
from cross_modal_kd.samples.embeddings import EmbeddingTable


def fit_heads(
    samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable, projection: ProjectionConfig
) -> tuple[ModelBundle, ModelBundle, dict, pd.DataFrame]:
    """The trainable head, the fixed one (PCA) it is compared with, both measured on dev, and how they were fitted."""
    bundles, metrics, histories = {}, {}, []
    for kind in ("mlp", "pca"):
        bundle, history = fit_head(samples, task, teacher_embeddings, projection.model_copy(update={"kind": kind}))
        bundles[kind] = bundle
        dev = f"dev_{chosen_by(task)}"
        best = history["dev"].max()
        metrics[kind] = {dev: None if np.isinf(best) else float(best if task.kind == "classification" else -best)}
        histories.append(history.assign(head=kind))
    return bundles["mlp"], bundles["pca"], metrics, pd.concat(histories, ignore_index=True)


def fit_head(
    samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable, config: ProjectionConfig
) -> tuple[ModelBundle, pd.DataFrame]:
    """One head, fitted on the training split and chosen on the dev split.

    The dev measure is top-1 of the prototypes on dev samples (classification), or minus the EER between dev samples of
    the teacher's modality (verification: the dev classes are unseen). The history's column ``dev`` is larger-is-better.
    """
    import torch

    from cross_modal_kd.models.projection import Projection, projection_bundle
    from cross_modal_kd.training.projection import fit_projection

    classes = train_classes(samples, task)
    train = split_rows(samples, task.teacher, "train")
    train = train[train["label"].isin(classes)]
    dev = split_rows(samples, task.teacher, "dev")
    dev_values = torch.from_numpy(teacher_embeddings.at(dev["sample_id"]))
    dev_labels = dev["label"].to_numpy()
    dev_numbers = class_numbers(dev["label"], classes)

    def on_dev(head: Projection) -> float:
        projected = head(dev_values)
        if task.kind == "classification":
            return float(((projected @ head.prototypes().T).argmax(dim=1).numpy() == dev_numbers).mean())
        measured = pairwise_eer(projected.numpy(), dev_labels)
        return -measured if np.isfinite(measured) else -np.inf

    values = teacher_embeddings.at(train["sample_id"])
    fitted, history = fit_projection(values, class_numbers(train["label"], classes), len(classes), config, on_dev)
    return projection_bundle(fitted, teacher_embeddings.dim, classes), pd.DataFrame(history)

"""Fitting the projection and its prototypes on the teacher's cached embeddings."""

import logging
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from cross_modal_kd.config import ProjectionConfig, TaskConfig
from cross_modal_kd.models import (
    ModelBundle,
    Projection,
    build_projection,
    project,
    projection_bundle,
    with_prototypes,
)
from cross_modal_kd.samples import EmbeddingTable, SamplesError, class_numbers, first_few, split_rows, train_classes
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training.seeds import derive_seed

logger = logging.getLogger(__name__)


def train_projection(
    embeddings: np.ndarray,
    labels: np.ndarray,
    classes: int,
    config: ProjectionConfig,
    dev: Callable[[Projection], float],
    spread: np.ndarray | None = None,
) -> tuple[Projection, list[dict[str, float]]]:
    """The projection that is best on dev, under the cross-entropy of a W t_i to y_i.

    With ``kind`` pca g stands still and only W is learnt. The untrained projection is a candidate too: it is kept
    unless training helps on dev. Without classes it is the only one: there is nothing to train W or g by.

    Args:
        embeddings: (N, D) of the training split.
        labels: (N,) class numbers from 0 to ``classes`` - 1; of no classes they are not read.
        classes: C.
        config: shape of the projection, and length and seed of its training.
        dev: of a projection, larger is better; where it is -inf throughout nothing can be chosen: the last is kept.
        spread: (M, D) whose principal directions are taken; None takes those of ``embeddings``.

    Returns:
        The projection in evaluation mode, and one row an epoch (epoch from 0, the untrained; loss; dev).

    Raises:
        ValueError: the loss is not finite.
    """
    torch.manual_seed(derive_seed("projection", config.seed))
    generator = Generator().manual_seed(derive_seed("projection-order", config.seed))
    x, y = torch.from_numpy(embeddings).float(), torch.from_numpy(labels).long()
    projection = _untrained(x, y, classes, config, x if spread is None else torch.from_numpy(spread).float())
    if not classes:
        return projection, [{"epoch": 0.0, "loss": 0.0, "dev": _on(dev, projection)}]
    trained = [parameter for parameter in projection.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, config.lr, weight_decay=config.weight_decay)
    history: list[dict[str, float]] = []
    best, best_state = -float("inf"), projection.state_dict()
    passes = max(config.epochs, math.ceil((config.min_steps or 0) / math.ceil(len(x) / config.batch_size)))
    for epoch in range(passes + 1):
        loss = _train_epoch(projection, optimizer, x, y, generator) if epoch else 0.0
        if not math.isfinite(loss):
            raise ValueError(
                f"projection: the loss is {loss} in epoch {epoch}; lower projection.lr ({config.lr:g}) or "
                f"projection.scale ({config.scale:g})"
            )
        value = _on(dev, projection)
        history.append({"epoch": float(epoch), "loss": loss, "dev": value})
        if value > best:
            best, best_state = value, {k: v.clone() for k, v in projection.state_dict().items()}
    projection.load_state_dict(best_state)
    return projection, history


def _on(dev: Callable[[Projection], float], projection: Projection) -> float:
    """What the projection is worth on dev; it is left in evaluation mode."""
    projection.eval()
    with torch.no_grad():
        return dev(projection)


def _untrained(x: Tensor, y: Tensor, classes: int, config: ProjectionConfig, spread: Tensor) -> Projection:
    """Principal directions of ``spread``, and for prototypes the mean of each class."""
    projection = Projection(x.shape[1], classes, config)
    projection.head.initialise(spread)
    if not classes:
        return projection
    with torch.no_grad():
        means = torch.zeros(classes, config.dim).index_add_(0, y, projection.head.eval()(x))
        projection.weight.copy_(F.normalize(means, dim=-1))
    return projection


def _train_epoch(
    projection: Projection, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, generator: Generator
) -> float:
    """One pass over the samples in a new order; the mean loss."""
    config, total = projection.config, 0.0
    projection.train()
    for rows in torch.randperm(len(x), generator=generator).split(config.batch_size):
        loss = F.cross_entropy(config.scale * projection(x[rows]) @ projection.prototypes().T, y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += float(loss.detach()) * len(rows) / len(x)
    return total


def named_by(projection: ModelBundle, words: EmbeddingTable) -> ModelBundle:
    """The projection with the words of each class for its prototype: w_c = normalise(g(words of c)).

    Args:
        projection: whose map g stays.
        words: raw embeddings of ``class_words``.

    Returns:
        A new bundle, its prototypes in the order of the words.
    """
    return with_prototypes(projection, list(words.sample_ids), project(projection, words.values))


def fit_projection(
    samples: pd.DataFrame,
    task: TaskConfig,
    teacher_embeddings: EmbeddingTable,
    config: ProjectionConfig,
    words: EmbeddingTable | None = None,
) -> tuple[ModelBundle, pd.DataFrame]:
    """One projection, fitted on the training split and chosen on the dev split.

    It is chosen by the metric of the kind of task, on dev samples of the teacher's modality; a class is answered by
    the nearest prototype.

    Args:
        samples: the samples table; of the teacher's training samples those whose label is one of the student's classes
            are fitted on, and all of them where no training sample of the student has a label, or for the principal
            directions where ``config.unlabelled`` says so: these ask for none.
        task: its kind, and its two modalities.
        teacher_embeddings: (N, D) of the teacher's samples of both splits, at least.
        config: shape of the projection, and length and seed of its training.
        words: of ``class_words``: where no label is known nothing is trained, and they are the prototypes; beside
            labels each class has them ``config.words`` times among what is fitted on, where that is better on dev.

    Returns:
        The projection, and its history: ``epoch`` (from 0, the untrained), ``loss`` (mean, in nats; 0 for the
        untrained) and ``dev``, which is larger-is-better: of an EER it holds the negative, and -inf where there is
        none.

    Raises:
        SamplesError: the student's training samples have labels, and none of the teacher's has one of these.
        ValueError: the loss is not finite.
    """
    kind = kind_of(task)
    classes = train_classes(samples, task)
    train = split_rows(samples, task.teacher, "train")
    known = train[train["label"].isin(classes)] if classes else train
    if known.empty:
        raise SamplesError(
            f"none of the {len(train):,} {task.teacher} samples of the training split has a known label that "
            f"{task.student} samples there have ({first_few(classes, 3)}), and the projection learns a prototype of "
            f"each label from them. Give each {task.teacher} sample the label of what it stands beside; where labels "
            "are held back (distillation.labelled.share), hold back fewer"
        )
    dev = split_rows(samples, task.teacher, "dev")
    dev_values = torch.from_numpy(teacher_embeddings.at(dev["sample_id"]))

    def on_dev(projection: Projection) -> float:
        projected = projection(dev_values)
        measured = kind.measure(
            projected.numpy(),
            dev["label"],
            classes,
            lambda: (projected @ projection.prototypes().T).argmax(dim=1).numpy(),
        )
        if not np.isfinite(measured):
            return -np.inf
        return measured if kind.larger_is_better else -measured

    values, labels = teacher_embeddings.at(known["sample_id"]), class_numbers(known["label"], classes)
    spread = teacher_embeddings.at(train["sample_id"]) if config.unlabelled else values
    if words is not None and not classes:
        fitted, _ = train_projection(values, labels, 0, config, lambda _: 0.0, spread)
        bundle = named_by(projection_bundle(fitted, teacher_embeddings.dim, []), words)
        classes = bundle.config["classes"]
        return bundle, pd.DataFrame([{"epoch": 0.0, "loss": 0.0, "dev": _on(on_dev, build_projection(bundle))}])
    fitted, history = train_projection(values, labels, len(classes), config, on_dev, spread)
    if words is not None:
        named, of_named = train_projection(
            np.concatenate([values, np.repeat(words.at(classes), config.words, axis=0)]),
            np.concatenate([labels, np.repeat(np.arange(len(classes)), config.words)]),
            len(classes),
            config,
            on_dev,
            spread,
        )
        without, beside = (max(row["dev"] for row in rows) for rows in (history, of_named))
        helps = beside > without
        logger.info(
            f"projection {config.kind}: top-1 on dev is {beside:.4f} with the words of the {len(classes)} "
            f"classes beside labels and {without:.4f} without: they are {'kept' if helps else 'left out'}"
        )
        fitted, history = (named, of_named) if helps else (fitted, history)
    return projection_bundle(fitted, teacher_embeddings.dim, classes), pd.DataFrame(history)

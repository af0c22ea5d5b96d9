"""A teacher with its weights, and its embeddings (imports torch: reached from nodes only)."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.compute import LOCAL, Engine, device_for
from cross_modal_kd.config import InputConfig, SourceConfig, SourcesConfig, TaskConfig, TeacherConfig
from cross_modal_kd.losses import AAMSoftmaxClassifier, Objective
from cross_modal_kd.metrics import pairwise_eer, unit_rows
from cross_modal_kd.modalities import Inputs, load_inputs
from cross_modal_kd.models import (
    PRETRAINED,
    ModelBundle,
    Student,
    build_pretrained,
    build_student,
    create_encoder,
    described,
    library_of,
    saved_encoder,
    student_bundle,
)
from cross_modal_kd.samples import (
    EmbeddingTable,
    Roots,
    SamplesError,
    class_numbers,
    load_table,
    save_table,
    split_rows,
    train_classes,
)
from cross_modal_kd.storage import NotReadableError
from cross_modal_kd.tasks import kind_of, names_classes
from cross_modal_kd.tracking import epoch_logger
from cross_modal_kd.training.augmented import augmented, batch_augmentation, mixup_of
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.embed import embed_inputs
from cross_modal_kd.training.finished import once
from cross_modal_kd.training.keys import embedding_fingerprint, key_columns, run_key
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.seeds import derive_seed
from cross_modal_kd.training.stages import train_stages
from cross_modal_kd.training.teaching import not_read, remark

logger = logging.getLogger(__name__)

TASK = 8192
"""Samples of a task, where tasks embed them: each builds the teacher first."""


def pretrained_teacher(teacher: TeacherConfig, inputs: InputConfig) -> ModelBundle:
    """An encoder with the weights that its library has for it, or with those at a path.

    Args:
        teacher: its encoder counts.
        inputs: how samples become tensors.

    Returns:
        A bundle of kind ``pretrained`` with the encoder's tensors, and without those options that fetched them; without
        tensors for a frozen library, whose weights stay where they are.
    """
    encoder, tensors = teacher.encoder, {}
    if library_of(encoder.library).create is not None:
        encoder = described(encoder, inputs, teacher.pretrained)
        tensors = create_encoder(encoder, inputs, teacher.pretrained).state_dict()
        encoder = encoder.model_copy(update={"options": encoder.fresh_options})
    return ModelBundle(PRETRAINED, {"encoder": encoder.model_dump(), "inputs": inputs.model_dump()}, tensors)


def train_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher: TeacherConfig,
    checkpoints: Path,
) -> ModelBundle:
    """An encoder and embedding trained with AAM-softmax on the teacher's training split, best EER on its dev split.

    Args:
        samples: the samples table; the teacher's dev samples are read, and its training samples that have a label.
        task: names the teacher's modality.
        sources: where the files lie.
        inputs: how samples become tensors.
        teacher: encoder, embedding, margin, scale, and its training.
        checkpoints: folder of the file that an interrupted training goes on from; the run key names the file.

    Returns:
        A bundle of the shape of a student's, with its classifier over the labels of the training split.

    Raises:
        SamplesError: the teacher's training samples are not of two labels at least, or it has no dev sample.
        ValueError: as ``fit`` has it.
    """
    roots, config = Roots(sources), teacher.training
    trained_on, dev = (split_rows(samples, task.teacher, split) for split in ("train", "dev"))
    trained_on = trained_on[trained_on["label"].notna()]
    classes = sorted(trained_on["label"].unique())
    if len(classes) < 2:
        found = f"are all of one, {classes[0]!r}" if classes else "have none"
        raise SamplesError(
            f"teacher.pretrained is false, and the teacher learns to tell the labels of the training split apart: "
            f"expected two at least, its {task.teacher} samples {found}. Label more, or take a pretrained teacher"
        )
    if dev.empty:
        raise SamplesError(
            f"the dev split has no {task.teacher} sample, and the teacher's training keeps the epoch that is best on "
            "it: bring some of its samples (rejected_samples says why there is none), put others into dev, or take a "
            "pretrained teacher (teacher.pretrained)"
        )
    torch.manual_seed(derive_seed("teacher", config.seed))
    network = Student(teacher.encoder, inputs, teacher.embedding_dim)
    read = augmented(network.encoder, load_inputs(task.teacher, trained_on, roots, inputs), config, task.teacher)
    apart = 0 if read.variants == 1 else len(classes)
    classifier = AAMSoftmaxClassifier(
        len(classes) * read.variants, teacher.embedding_dim, teacher.margin, teacher.scale, teacher.sub_centers
    )
    dev_inputs = load_inputs(task.teacher, dev, roots, inputs)
    ones = torch.ones(len(trained_on))
    labels = torch.from_numpy(class_numbers(trained_on["label"], classes))
    seen = key_columns(pd.concat([trained_on, dev]), ["sample_id", "split", "label"])
    key = run_key("teacher", teacher=teacher, inputs=inputs.model_dump(exclude={"cache_mb"}), samples=seen)
    data = TrainingData(read, labels, ones, ones, apart=apart)

    plan = Plan(
        config,
        DevMetric("eer", _DevEER(dev_inputs, dev["label"].to_numpy(), config.workers), False),
        augment=batch_augmentation(config, task.teacher),
        mixup=mixup_of(config, task.teacher),
        checkpoint=checkpoints / f"teacher-{key}.safetensors",
        on_epoch=epoch_logger("teacher"),
        description="teacher",
    )

    def trained() -> tuple[ModelBundle, pd.DataFrame]:
        module = DistillationModule(network, classifier, Objective({}), None)
        history = train_stages(module, data, plan)
        dim, own = teacher.embedding_dim, classifier.first(len(classes))
        bundle = student_bundle(network, own, encoder=teacher.encoder, inputs=inputs, dim=dim, classes=classes)
        return bundle, pd.DataFrame(history)

    return once(checkpoints / f"teacher-{key}.safetensors", trained, epoch_logger("teacher"))[0]


@dataclass(frozen=True)
class _DevEER:
    """The EER over all pairs of inputs; another process can be given it."""

    inputs: Inputs
    labels: np.ndarray
    workers: int | None

    def __call__(self, model: Student) -> float:
        return pairwise_eer(embed_inputs(model, self.inputs, workers=self.workers), self.labels)


def teacher_embeddings(
    chosen: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig | Mapping[str, SourceConfig],
    inputs: InputConfig,
    teacher_model: ModelBundle,
    accelerator: str = "auto",
) -> np.ndarray:
    """Embeddings of samples with the teacher of a bundle.

    Args:
        chosen: N rows of the samples table, of the teacher's modality.
        task: names the teacher's modality.
        sources: where the files lie; empty of samples that are words.
        inputs: how samples become tensors; not used by a frozen library.
        teacher_model: of ``pretrained_teacher`` or ``train_teacher``.
        accelerator: as ``compute.accelerator``, the device to embed on; a frozen library chooses its own.

    Returns:
        (N, D) float32, in the order of the rows; a frozen library's have length 1, the others are not normalised.
    """
    encoder = saved_encoder(teacher_model)
    if (embed_frozen := library_of(encoder.library).embed) is not None:
        return embed_frozen(encoder, chosen)
    read, device = load_inputs(task.teacher, chosen, Roots(sources), inputs), device_for(accelerator)
    if teacher_model.kind != PRETRAINED:
        return embed_inputs(build_student(teacher_model).to(device), read)
    return embed_inputs(build_pretrained(teacher_model, inputs).to(device), read)


def embed_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher_model: ModelBundle,
    embedding_cache: Path,
    accelerator: str = "auto",
    engine: Engine = LOCAL,
) -> EmbeddingTable:
    """Embeddings of every sample of the teacher's modality, taken from the cache where nothing has changed.

    Args:
        samples: the samples table.
        task: names the teacher's modality.
        sources: where the files lie.
        inputs: how samples become tensors.
        teacher_model: of ``pretrained_teacher`` or ``train_teacher``.
        embedding_cache: folder of tables, by a fingerprint of the encoder's weights, the transform and the samples'
            contents; a new table is added to it.
        accelerator: as ``compute.accelerator``, the device to embed on.
        engine: who embeds; tasks may ask for a GPU.

    Returns:
        (N, D) float32 of the N teacher samples, with the fingerprint.
    """
    chosen = samples[samples["modality"] == task.teacher]
    remark(not_read(chosen, task.teacher, teacher_model, inputs))
    fingerprint = embedding_fingerprint(chosen, teacher_model, inputs)
    kept = embedding_cache / fingerprint
    if kept.is_dir():
        try:
            table = load_table(kept)
        except NotReadableError:
            raise
        except (ValueError, OSError) as error:
            logger.warning("teacher embeddings %s are embedded again: %s", fingerprint[:12], error)
        else:
            logger.info("teacher embeddings %s: unchanged, taken from the cache", fingerprint[:12])
            return table
    work = partial(_embedded, (task, sources, inputs, teacher_model, accelerator))
    found = engine.over(work, chosen.reset_index(drop=True), TASK, on_gpu=True)
    values = np.concatenate([each for _, each in sorted(found, key=lambda part: part[0])])
    table = EmbeddingTable(chosen["sample_id"].tolist(), values, fingerprint)
    save_table(kept, table)
    return table


def _embedded(
    about: tuple[TaskConfig, SourcesConfig, InputConfig, ModelBundle, str],
    chosen: pd.DataFrame,
    advance: Callable[[int], object],
) -> Iterator[tuple[int, np.ndarray]]:
    """Where a part of the samples begins, and their embeddings."""
    values = teacher_embeddings(chosen, *about)
    advance(len(values))
    yield int(chosen.index[0]), values


def measure_teacher(samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable) -> dict:
    """How good the teacher's raw embeddings are on the dev split, by the metric of the kind of task.

    What is asked for a class answers with the nearest class mean of the training split. Embeddings are centred on the
    mean of the training split.

    Args:
        samples: the samples table.
        task: its kind, and its two modalities.
        teacher_embeddings: (N, D) of the teacher's samples of both splits, at least.

    Returns:
        ``dimension`` D, ``samples`` N, ``fingerprint`` of the table, and ``dev_<metric>`` in [0, 1], None where it is
        not defined: an EER of a dev split in which no label has two teacher samples, and class means where no
        training sample has a label (the words of the classes stand for them; ``projection_metrics`` has their worth).
    """
    kind = kind_of(task)
    train, dev = (split_rows(samples, task.teacher, split) for split in ("train", "dev"))
    centre = teacher_embeddings.at(train["sample_id"]).mean(axis=0)
    values = teacher_embeddings.at(dev["sample_id"]) - centre
    classes = train_classes(samples, task)

    def nearest_class() -> np.ndarray:
        numbers = class_numbers(train["label"], classes)
        known = numbers >= 0
        means = np.zeros((len(classes), teacher_embeddings.dim))
        np.add.at(means, numbers[known], teacher_embeddings.at(train["sample_id"])[known] - centre)
        return (values @ unit_rows(means).T).argmax(axis=1)

    unnamed = names_classes(task) and not classes
    measured = np.nan if unnamed else kind.measure(values, dev["label"], classes, nearest_class)
    return {
        "dimension": teacher_embeddings.dim,
        "samples": len(teacher_embeddings),
        "fingerprint": teacher_embeddings.fingerprint,
        kind.dev_metric: None if np.isnan(measured) else measured,
    }

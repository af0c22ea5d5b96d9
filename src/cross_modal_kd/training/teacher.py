"""A teacher with its weights, and its embeddings (imports torch: reached from nodes only)."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.compute import device_for, make_fabric
from cross_modal_kd.config.encoder import EncoderConfig, InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.losses import Objective
from cross_modal_kd.losses.aam import AAMSoftmaxHead
from cross_modal_kd.metrics import pairwise_eer, unit_rows
from cross_modal_kd.modalities.inputs import augmentation, load_inputs
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.encoders import create_encoder
from cross_modal_kd.models.libraries import library_of
from cross_modal_kd.models.student import Student, build_student, student_bundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.selection import class_numbers, split_rows, train_classes
from cross_modal_kd.samples.table_store import load_table, save_table
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.tracking.run import epoch_logger
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.embed import embed
from cross_modal_kd.training.loop import DevMetric, Plan, fit
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.run_key import embedding_fingerprint, run_key
from cross_modal_kd.training.seeds import derive_seed

logger = logging.getLogger(__name__)


def pretrained_teacher(teacher: TeacherConfig, inputs: InputConfig) -> ModelBundle:
    """An encoder with the weights that its library has for it. Those of a frozen library stay where they are."""
    encoder, tensors = teacher.encoder, {}
    if library_of(encoder.library).create is not None:
        own = encoder.options | {"pretrained": True}
        tensors = create_encoder(encoder.model_copy(update={"options": own}), inputs).state_dict()
        plain = {name: value for name, value in own.items() if not name.startswith("pretrained")}
        encoder = encoder.model_copy(update={"options": plain})
    return ModelBundle("pretrained", {"encoder": encoder.model_dump(), "inputs": inputs.model_dump()}, tensors)


def train_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher: TeacherConfig,
    checkpoints: Path,
) -> ModelBundle:
    """An encoder and embedding trained with AAM-softmax on the teacher's training split, best EER on its dev split."""
    roots, config = Roots(sources), teacher.training
    train, dev = (split_rows(samples, task.teacher, split) for split in ("train", "dev"))
    classes = sorted(train["label"].unique())
    torch.manual_seed(derive_seed("teacher", config.seed))
    network = Student(teacher.encoder, inputs, teacher.embedding_dim)
    classifier = AAMSoftmaxHead(len(classes), teacher.embedding_dim, teacher.margin, teacher.scale)
    dev_inputs = load_inputs(task.teacher, dev, roots, inputs)
    ones = torch.ones(len(train))
    labels = torch.from_numpy(class_numbers(train["label"], classes))
    seen = pd.concat([train, dev])[["sample_id", "split", "label", "sha256"]].astype(str)
    key = run_key("teacher", teacher=teacher, inputs=inputs.model_dump(exclude={"cache_mb"}), samples=seen)
    data = TrainingData(load_inputs(task.teacher, train, roots, inputs), labels, ones, ones)
    fit(
        DistillationModule(network, classifier, Objective({}), None),
        data,
        Plan(
            config,
            DevMetric("eer", lambda model: pairwise_eer(embed(model, dev_inputs), dev["label"].to_numpy()), False),
            augment=augmentation(task.teacher) if config.augment else None,
            checkpoint=checkpoints / f"teacher-{key}.safetensors",
            on_epoch=epoch_logger("teacher"),
            description="teacher",
        ),
        make_fabric(config),
    )
    return student_bundle(
        network, classifier, encoder=teacher.encoder, inputs=inputs, dim=teacher.embedding_dim, classes=classes
    )


def teacher_embeddings(
    chosen: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher_model: ModelBundle,
    accelerator: str = "auto",
) -> np.ndarray:
    """(N, D) embeddings of the chosen samples with the teacher of that bundle, on the device of ``accelerator``."""
    encoder = EncoderConfig(**teacher_model.config["encoder"])
    if (embed_frozen := library_of(encoder.library).embed) is not None:
        return embed_frozen(encoder, chosen)
    read, device = load_inputs(task.teacher, chosen, Roots(sources), inputs), device_for(accelerator)
    if teacher_model.kind != "pretrained":
        return embed(build_student(teacher_model).to(device), read)
    network = create_encoder(encoder, inputs)
    network.load_state_dict(teacher_model.tensors)
    return embed(network.to(device), read)


def embed_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher_model: ModelBundle,
    embedding_cache: Path,
    accelerator: str = "auto",
) -> EmbeddingTable:
    """Embeddings of every sample of the teacher's modality, taken from the cache where nothing has changed.

    The key is a fingerprint of the encoder's weights, the transform and the samples' contents. accelerator: as
    ``training.accelerator``, the device to embed on.
    """
    chosen = samples[samples["modality"] == task.teacher]
    fingerprint = embedding_fingerprint(chosen, teacher_model, inputs)
    kept = embedding_cache / fingerprint
    if kept.is_dir():
        logger.info("teacher embeddings %s: unchanged, taken from the cache", fingerprint[:12])
        return load_table(kept)
    values = teacher_embeddings(chosen, task, sources, inputs, teacher_model, accelerator)
    table = EmbeddingTable(chosen["sample_id"].tolist(), values, fingerprint)
    save_table(kept, table)
    return table


def measure_teacher(samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable) -> dict:
    """How good the teacher's raw embeddings are on the dev split, by the metric of the kind of task.

    What is asked for a class answers with the nearest class mean of the training split. Null where the metric is not
    defined: an EER of a dev split in which no label has two teacher samples.
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

    measured = kind.measure(values, dev["label"], classes, nearest_class)
    return {
        "dimension": teacher_embeddings.dim,
        "samples": len(teacher_embeddings),
        "fingerprint": teacher_embeddings.fingerprint,
        kind.dev_metric: None if np.isnan(measured) else measured,
    }

"""A teacher with its weights, and its embeddings (imports torch: reached from nodes only)."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.config.encoder import EncoderConfig, InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.losses import Objective
from cross_modal_kd.losses.aam import AAMSoftmaxHead
from cross_modal_kd.modalities.inputs import augmentation, load_inputs
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.encoders import create_encoder
from cross_modal_kd.models.student import Student, build_student, student_bundle
from cross_modal_kd.pipelines.common.dev import class_numbers, pairwise_eer, split_rows
from cross_modal_kd.pipelines.tracking import epoch_logger
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.embed import embed
from cross_modal_kd.training.loop import DevMetric, fit
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.seeds import derive_seed


def pretrained_teacher(teacher: TeacherConfig, inputs: InputConfig) -> ModelBundle:
    """An encoder with the weights that its library has for it. A text encoder's stay where they are."""
    encoder, tensors = teacher.encoder, {}
    if encoder.library != "sentence_transformers":
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
    head = AAMSoftmaxHead(len(classes), teacher.embedding_dim, teacher.margin, teacher.scale)
    dev_inputs = load_inputs(task.teacher, dev, roots, inputs)
    ones = torch.ones(len(train))
    labels = torch.from_numpy(class_numbers(train["label"], classes))
    content = (train["sample_id"] + train["label"] + train["sha256"]).tolist()
    key = "\n".join([teacher.model_dump_json(), inputs.model_dump_json(), *content])
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    data = TrainingData(load_inputs(task.teacher, train, roots, inputs), labels, ones, ones)
    fit(
        DistillationModule(network, head, Objective({}), None),
        data,
        config,
        DevMetric("eer", lambda model: pairwise_eer(embed(model, dev_inputs), dev["label"].to_numpy()), False),
        augment=augmentation(task.teacher) if config.augment else None,
        checkpoint=checkpoints / f"teacher-{digest}.safetensors",
        on_epoch=epoch_logger("teacher"),
        description="teacher",
    )
    return student_bundle(
        network, head, encoder=teacher.encoder, inputs=inputs, dim=teacher.embedding_dim, classes=classes
    )


def teacher_embeddings(
    chosen: pd.DataFrame, task: TaskConfig, sources: SourcesConfig, inputs: InputConfig, teacher_model: ModelBundle
) -> np.ndarray:
    """(N, D) embeddings of the chosen samples with the teacher of that bundle."""
    encoder = EncoderConfig(**teacher_model.config["encoder"])
    if encoder.library == "sentence_transformers":
        from cross_modal_kd.modalities.text.encoder import embed_texts

        return embed_texts(encoder.name, chosen["text"].tolist())
    roots = Roots(sources)
    if teacher_model.kind == "pretrained":
        network = create_encoder(encoder, inputs)
        network.load_state_dict(teacher_model.tensors)
        return embed(network, load_inputs(task.teacher, chosen, roots, inputs))  # type: ignore[arg-type]
    return embed(build_student(teacher_model), load_inputs(task.teacher, chosen, roots, inputs))

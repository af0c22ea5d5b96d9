"""Training one arm: a student, its objective, its data (imports torch: reached from nodes only)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.config import (
    ArmConfig,
    ConfigError,
    InputConfig,
    KnownLabels,
    SourcesConfig,
    StudentConfig,
    TaskConfig,
    TrainingConfig,
)
from cross_modal_kd.losses import Classifier, Objective, Term, TwoViews, build_constraint, distillation_quality
from cross_modal_kd.losses import quality_weights as weigh
from cross_modal_kd.modalities import Inputs, load_inputs
from cross_modal_kd.models import (
    ModelBundle,
    Shared,
    Student,
    answer_logits,
    build_projection,
    described,
    projection_bundle,
    student_bundle,
)
from cross_modal_kd.samples import (
    EmbeddingTable,
    Roots,
    class_numbers,
    known_classes,
    labels_in_words,
    pair,
    split_rows,
    train_classes,
)
from cross_modal_kd.tasks import TaskKind, kind_of, names_classes
from cross_modal_kd.tracking import epoch_logger
from cross_modal_kd.training.augmented import augmented, batch_augmentation, mixup_of
from cross_modal_kd.training.data import TeacherSide, TrainingData
from cross_modal_kd.training.embed import embed_inputs
from cross_modal_kd.training.finished import once
from cross_modal_kd.training.keys import data_fingerprint, run_key
from cross_modal_kd.training.labelled import hold_labels_back, same_steps
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.seeds import derive_seed
from cross_modal_kd.training.stages import train_stages
from cross_modal_kd.training.teaching import not_read_by_student, remark

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArmData:
    """What all arms of a task share; read once, used by every arm and seed.

    classes: C names, in the order of their numbers: of labelled training samples, or, where there are none and the kind
    of task names classes, all that are known. train: N rows of the samples table, in the order of
    ``train_inputs`` and ``quality``; the label of some, or of all, may be null. teacher: the other side of their pairs.
    fingerprint: run key of the data. known: (N,) class numbers in place of the table's, -1 where a label is held back;
    None holds none back. labelled_share: of each batch, as ``TrainingData`` has it. labelled_part: reads the same
    without the training samples that have no label, for arms that learn from no others; None where all have one, or
    none.
    """

    task: TaskConfig
    inputs: InputConfig
    classes: list[str]
    train: pd.DataFrame
    train_inputs: Inputs
    dev_inputs: Inputs
    dev_labels: pd.Series
    teacher: TeacherSide
    quality: pd.DataFrame
    fingerprint: str
    known: np.ndarray | None = None
    labelled_share: float | None = None
    labelled_part: "Callable[[], ArmData] | None" = None

    @property
    def labels(self) -> np.ndarray:
        """(N,) class numbers of the training samples, -1 where a label is held back or has no class."""
        return class_numbers(self.train["label"], self.classes) if self.known is None else self.known


def read_arm_data(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher_embeddings: EmbeddingTable,
    sample_quality: pd.DataFrame,
    labelled: KnownLabels = KnownLabels(),  # noqa: B008 (it cannot be changed)
) -> ArmData:
    """Inputs in memory, pairs, and the quality of both sides of every pair.

    Labels that are held back are so from the task's loss alone: pairs are made by what the table says.

    Args:
        samples: the samples table; training samples may be without a label.
        task: its kind, its two modalities and how they are paired.
        sources: where the files lie.
        inputs: how the student's samples become tensors, and how much is kept in memory.
        teacher_embeddings: of every teacher sample that may stand beside a student sample.
        sample_quality: columns sample_id, quality_student, quality_teacher (in [0, 1]), a row for every training sample
            of the student.
        labelled: which labels are known.

    Returns:
        The student's training and dev samples, and the teacher's side of the training pairs.

    Raises:
        ValueError: a training sample has no quality.
        SamplesError: a training sample has no partner, or a file is missing.
    """
    roots, known = Roots(sources), hold_labels_back(samples, task, labelled)
    train, dev = (split_rows(known, task.student, split) for split in ("train", "dev"))
    remark(not_read_by_student(pd.concat([train, dev]), task.student, inputs))
    pairing = pair(samples, task)
    pairing.require_partners(train["sample_id"])
    pool = pairing.pool[pd.Index(pairing.student_ids).get_indexer(pd.Index(train["sample_id"]))]
    quality = sample_quality.set_index("sample_id").reindex(train["sample_id"])
    unknown = quality.index[quality["quality_student"].isna()].tolist()
    if unknown:
        raise ValueError(
            f"sample_weights: no quality of {len(unknown)} training samples, {unknown[:3]}; run quality again"
        )
    part, none = None, train["label"].isna()
    if none.any() and not none.all():
        rest = samples.drop(index=train.index[none])
        part = partial(read_arm_data, rest, task, sources, inputs, teacher_embeddings, sample_quality)
    return ArmData(
        task=task,
        inputs=inputs,
        classes=train_classes(known, task) or (known_classes(samples, task) if names_classes(task) else []),
        train=train,
        train_inputs=load_inputs(task.student, train, roots, inputs),
        dev_inputs=load_inputs(task.student, dev, roots, inputs),
        dev_labels=dev["label"],
        teacher=TeacherSide.from_pools(teacher_embeddings.at(pairing.teacher_ids), pool, pairing.rows, pairing.starts),
        quality=quality,
        fingerprint=data_fingerprint(known, task, inputs, teacher_embeddings, {}, sample_quality),
        labelled_share=labelled.in_batch if none.any() else None,
        labelled_part=part,
    )


def require_trainable(data: ArmData, arms: Mapping[str, ArmConfig]) -> None:
    """Make sure that arms can be trained on the labels that there are, and say how many those are.

    Args:
        data: of the training; where ``known`` is given, whoever gave it has seen to it.
        arms: that are to be trained, by name.

    Raises:
        ConfigError: no training sample has a label, and an arm asks for some.
    """
    if said := labels_in_words(data.train["label"]):
        logger.info(said)
    for name, arm in arms.items():
        _require_labels(data, arm, name)


def _require_labels(data: ArmData, arm: ArmConfig, name: str) -> None:
    if data.known is not None or (data.labels >= 0).any():
        return
    named = names_classes(data.task)
    if asks := arm.asks_for_labels(named):
        env = "no_labels_image" if named else "no_labels"
        raise ConfigError(
            f"arms.{name} cannot be trained: no {data.task.student} sample of the training split has a known label, "
            f"and {asks}. Take another arm (distillation.baseline, distillation.arm; conf/{env} has two), give "
            "some a label, or raise distillation.labelled.share"
        )


def build_objective(arm: ArmConfig) -> Objective:
    """The arm's constraints as one objective.

    Args:
        arm: without constraints the objective is the task's loss alone.

    Returns:
        One term for each constraint, by the arm's own names.
    """
    return Objective(
        {
            name: Term(
                build_constraint(term.kind, term.margin, term.temperature, **term.options),
                weight=term.weight,
                reducer=term.reducer,
                warmup=term.warmup,
            )
            for name, term in arm.constraints.items()
        }
    )


def sample_weights(data: ArmData, arm: ArmConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Task and distillation weights of the training samples.

    Args:
        data: with the quality of both sides of every pair.
        arm: its ``quality`` says which losses are weighed and how; None weighs none.

    Returns:
        (task weights, distillation weights), each (N,) float of mean 1; ones where a loss is not weighed.
    """
    task = distillation = torch.ones(len(data.train))
    if arm.quality is None:
        return task, distillation
    student, teacher = (torch.tensor(data.quality[f"quality_{side}"].to_numpy()) for side in ("student", "teacher"))
    options = {"gamma": arm.quality.gamma, "w_min": arm.quality.w_min, "w_max": arm.quality.w_max}
    if arm.quality.loss != "distillation":
        task = weigh(student, **options).float()
    if arm.quality.loss != "task":
        distillation = weigh(distillation_quality(student, teacher), **options).float()
    return task, distillation


def train_arm(
    data: ArmData,
    student: StudentConfig,
    training: TrainingConfig,
    arm: ArmConfig,
    projection: ModelBundle,
    *,
    name: str,
    checkpoint: Path | None = None,
    watch: Callable[[dict[str, float], int], None] | None = None,
) -> tuple[ModelBundle, pd.DataFrame]:
    """One student under one arm.

    Two arms with the same seed start from the same student and see the same batches in the same order: what differs is
    the objective alone. Where some samples have no label, an arm that learns from labels alone takes as many steps on
    the others.

    Args:
        data: the training and the dev split.
        student: its network.
        training: its length, steps and seed.
        arm: which constraints bind it.
        projection: of the teacher, with its prototypes; of ``arm.projection``'s kind.
        name: of the training, for its curves, its progress bar and errors.
        checkpoint: a file to go on from, see ``Plan``.
        watch: called with every row of the history and its epoch, in place of the tracked run; it may raise to stop.

    Returns:
        The student, best on dev, and its history, a row an epoch.

    Raises:
        ConfigError: no training sample has a known label, and the arm asks for some.
        ValueError: as ``fit`` has it.
    """
    _require_labels(data, arm, name)
    if data.labelled_part is not None and not arm.learns_from_unlabelled:
        every, data = len(data.train), data.labelled_part()
        training = same_steps(training, every, len(data.train))
    kind, training = kind_of(data.task), arm.trained_by(training)
    views = None if arm.self_supervised is None else TwoViews(**arm.self_supervised.model_dump())
    dim = int(projection.config["projection"]["dim"]) + student.free_dim
    torch.manual_seed(derive_seed("student", training.seed))
    encoder = described(student.encoder, data.inputs, student.pretrained)
    network = Student(encoder, data.inputs, dim, student.dropout, student.pretrained)
    inputs = augmented(network.encoder, data.train_inputs, training, data.task.student)
    apart = 0 if kind.design.closed_set or inputs.variants == 1 else len(data.classes)
    classifier = kind.build_classifier(student, len(data.classes) + apart * (inputs.variants - 1), dim)
    bound = build_projection(projection)
    objective = build_objective(arm)
    task_weights, kd_weights = sample_weights(data, arm)
    teacher = bound if objective.terms else None
    history = train_stages(
        DistillationModule(network, classifier, objective, teacher, arm.joint, views),
        TrainingData(
            inputs,
            torch.from_numpy(data.labels),
            task_weights,
            kd_weights,
            data.teacher if objective.terms else None,
            data.labelled_share if arm.labelled_in_batch is None else arm.labelled_in_batch,
            apart,
        ),
        Plan(
            training,
            dev_metric(data, classifier, partial(kind.shared_classifier, arm.answer, teacher), training.workers),
            augment=batch_augmentation(training, data.task.student),
            mixup=mixup_of(training, data.task.student),
            joint_lr_scale=arm.joint_lr_scale,
            checkpoint=checkpoint,
            on_epoch=watch or epoch_logger(name),
            description=name,
        ),
    )
    if apart:
        classifier = classifier.first(len(data.classes))
    moved = (
        projection_bundle(teacher, data.teacher.embeddings.shape[1], data.classes) if teacher and arm.joint else None
    )
    bundle = student_bundle(
        network,
        classifier,
        encoder=encoder.model_copy(update={"options": encoder.fresh_options}),
        inputs=data.inputs,
        dim=dim,
        classes=data.classes,
        projection=moved,
        shared=kind.shared_classifier(arm.answer, teacher),
    )
    return bundle, pd.DataFrame(history)


def train_arm_once(
    data: ArmData,
    student: StudentConfig,
    training: TrainingConfig,
    arm: tuple[str, ArmConfig],
    projection: ModelBundle,
    *,
    role: str,
    checkpoints: Path,
) -> tuple[ModelBundle, pd.DataFrame]:
    """``train_arm``, unless a run before has left the same training finished; an interrupted one goes on.

    Args:
        data: the training and the dev split.
        student: its network.
        training: its length, steps and seed.
        arm: its name, for the name of the file, and which constraints bind the student.
        projection: of the teacher, of the arm's kind.
        role: of the training, for its curves, its progress bar and errors.
        checkpoints: folder of the file that is named after the run key, and of what is finished.

    Returns:
        The student, best on dev, and its history, a row an epoch.
    """
    name, config = arm
    decides: dict[str, Any] = {"projection": projection, "student": student, "training": training}
    if data.labelled_share is not None:
        decides["labelled_share"] = data.labelled_share
    key = run_key("student", data=data.fingerprint, arm=config.model_dump(exclude={"title"}), **decides)
    checkpoint = checkpoints / f"{name}-{key}.safetensors"

    def trained() -> tuple[ModelBundle, pd.DataFrame]:
        return train_arm(data, student, training, config, projection, name=role, checkpoint=checkpoint)

    return once(checkpoint, trained, epoch_logger(role))


def dev_metric(
    data: ArmData, classifier: Classifier, shared: Callable[[], Shared | None], workers: int | None = None
) -> DevMetric:
    """The metric of the kind of task, measured on the student's dev samples.

    Args:
        data: of the arm.
        classifier: the student's own.
        shared: () -> the teacher's classifier as it is now, where the student answers by it.
        workers: processes that read the samples, as ``training.workers``.

    Returns:
        The metric, by its name in the kind of task; a student is measured on the device where its weights lie.
    """
    kind = kind_of(data.task)
    measure = _OnDev(kind, data.dev_inputs, data.dev_labels, data.classes, classifier, shared, workers)
    return DevMetric(kind.metric, measure, kind.larger_is_better)


@dataclass(frozen=True)
class _OnDev:
    """``dev_metric`` of a student; another process can be given it."""

    kind: TaskKind
    inputs: Inputs
    labels: pd.Series
    classes: list[str]
    classifier: Classifier
    shared: Callable[[], Shared | None]
    workers: int | None

    def __call__(self, model: Student) -> float:
        values = embed_inputs(model, self.inputs, workers=self.workers)

        def predict() -> np.ndarray:
            embeddings = torch.from_numpy(values).to(next(self.classifier.parameters()).device)
            answer = answer_logits(self.classifier.logits(embeddings), embeddings, self.shared())
            return answer.argmax(dim=1).cpu().numpy()

        return self.kind.measure(values, self.labels, self.classes, predict)

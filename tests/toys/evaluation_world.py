"""A small world to be measured in: labels with a latent vector each, seen by a student and by a teacher."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.deployment import DeploymentConfig
from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.objective import DistillationConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.evaluation import Folds
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.projection import Projection, projection_bundle
from cross_modal_kd.pipelines.evaluation import nodes
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.pairing import pair
from cross_modal_kd.samples.schema import conform
from cross_modal_kd.samples.summary import summarise_splits
from cross_modal_kd.tasks import kind_of

DIM = 16
VERIFICATION = TaskConfig(name="v", title="Same?", kind="verification", student="image", teacher="text", note="A note.")
CLASSIFICATION = TaskConfig(name="c", title="Which?", kind="classification", student="image", teacher="text")
CHIMERIC = TaskConfig(
    name="x", title="Whose?", kind="verification", student="image", teacher="text", pairing="label", chimeric=True
)
EVALUATION = EvaluationConfig(bootstrap=60, max_impostors=2000, gallery=[2, 5], vocabulary=[2, 5], shots=[1, 2])
ARMS = ArmsConfig({"none": {"title": "student alone"}, "soft": {"title": "soft <both>"}})
DISTILLATION = DistillationConfig(baseline="none", arm="soft")


@dataclass(frozen=True)
class World:
    """samples, and how they are measured; ``latent`` (N, d) is what a perfect student and the teacher see of each."""

    samples: pd.DataFrame
    latent: dict[str, np.ndarray]
    task: TaskConfig = VERIFICATION
    evaluation: EvaluationConfig = EVALUATION
    classes: list[str] = field(default_factory=list)

    @property
    def teacher(self) -> EmbeddingTable:
        ids = self.samples.loc[self.samples["modality"] == "text", "sample_id"].tolist()
        return EmbeddingTable(ids, np.stack([self.latent[sample] for sample in ids]), "teacher")

    @property
    def projection(self) -> ModelBundle:
        """The identity, with the labels' mean latent vectors for prototypes."""
        projection = Projection(DIM, len(self.classes), ProjectionConfig(kind="pca", dim=DIM))
        rows = self.samples[self.samples["split"] == "train"]
        with torch.no_grad():
            projection.head.linear.weight.copy_(torch.eye(DIM))
            for number, label in enumerate(self.classes):
                seen = [self.latent[sample] for sample in rows.loc[rows["label"] == label, "sample_id"]]
                projection.weight[number] = torch.tensor(np.mean(seen, axis=0))
        return projection_bundle(projection, DIM, self.classes)

    def student(self) -> ModelBundle:
        """A classifier that knows the labels' mean latent vectors."""
        weight = 20 * torch.nn.functional.normalize(self.projection.tensors["weight"], dim=1)
        tensors = {"head.weight": weight, "head.bias": torch.zeros(len(self.classes))}
        return ModelBundle("student", {"classes": self.classes}, tensors)

    def embeddings(self, noise: float, seed: int = 0) -> EmbeddingTable:
        """What a student sees: the latent vector under noise; with infinite noise nothing of it."""
        ids = self.samples.loc[self.samples["modality"] == "image", "sample_id"].tolist()
        random = np.random.default_rng(seed).normal(size=(len(ids), DIM))
        latent = np.stack([self.latent[sample] for sample in ids])
        return EmbeddingTable(ids, random if np.isinf(noise) else latent + noise * random, f"{noise}")

    def trials(self) -> pd.DataFrame:
        return nodes.make_trials(self.samples, self.task, self.evaluation)

    def protocol(self, alone: EmbeddingTable):
        return nodes.set_protocol(
            self.samples, self.task, self.evaluation, self.trials(), self.teacher, self.projection, alone
        )

    def metrics(self, alone: EmbeddingTable, distilled: EmbeddingTable) -> dict:
        protocol = self.protocol(alone)
        measured = [nodes.measure_student(protocol, self.student(), each) for each in (alone, distilled)]
        return nodes.compare_students(
            protocol, *measured, nodes.measure_teacher(protocol), Folds(), self.samples, ARMS, DISTILLATION
        )

    def plots(self, metrics: dict, alone: EmbeddingTable, distilled: EmbeddingTable) -> tuple:
        histories = history(self.task), history(self.task).assign(soft_active=0.5)
        students = self.student(), self.student()
        return nodes.draw_plots(self.protocol(alone), metrics, *students, alone, distilled, *histories)

    def figures(self, alone: EmbeddingTable, distilled: EmbeddingTable) -> dict:
        return nodes.compute_figures(self.protocol(alone), self.student(), self.student(), alone, distilled)

    def operating(self, embeddings: EmbeddingTable, **deployment: object) -> dict:
        network = StudentConfig(encoder={"library": "timm", "name": "resnet10t"})
        asked = DeploymentConfig(**{"min_labels": 2, "min_errors": 1, **deployment})
        given = (self.samples, self.task, self.student(), embeddings)
        return nodes.find_thresholds(*given, network, self.evaluation, asked)

    def report(self, root: Path, training: TrainingConfig | None = None, **changed: object) -> str:
        """The page of a random student against a good one, with pictures under ``root``.

        ``changed``: other ``metrics`` or ``figures``, values of the block ``deployment``, or a folder ``reported``
        with the table of a study.
        """
        alone, distilled = self.embeddings(np.inf), self.embeddings(0.5)
        metrics, sources = self.metrics(alone, distilled) | changed.get("metrics", {}), pictures(self.samples, root)
        measures = self.samples[["sample_id", "modality"]].assign(contrast=np.arange(len(self.samples)) * 1.0)
        found = json.loads(json.dumps(self.figures(alone, distilled) | changed.get("figures", {})))
        figures = nodes.show_figures(
            self.samples,
            self.task,
            sources,
            found,
            self.operating(alone, **changed.get("deployment", {})),
            self.operating(distilled, **changed.get("deployment", {})),
        )
        data = nodes.describe_data(
            self.samples,
            self.task,
            sources,
            self.evaluation,
            split_summary=summarise_splits(self.samples, pair(self.samples, self.task), self.task),
            rejected_samples=pd.DataFrame({"source": ["made"], "path": ["p"], "reason": ["<b>broken</b>"]}),
            quality_measures=measures,
            quality_scores=measures[["sample_id", "modality"]].assign(quality=0.5),
        )
        run = nodes.describe_run(
            StudentConfig(encoder={"library": "timm", "name": "resnet10t"}),
            training or TrainingConfig(),
            ARMS,
            DISTILLATION,
            self.evaluation,
            teacher_metrics={"dev_eer": 0.1},
            projection_metrics={"mlp": {"dev_eer": None}},
        )
        images = self.plots(metrics, alone, distilled)[-1]
        damage = nodes.find_damage(changed.get("reported", root), metrics, found)
        return nodes.write_report(self.task, metrics, images, figures, data, run, damage)


def world(task: TaskConfig = VERIFICATION, labels: int = 12, views: int = 4, **evaluation: object) -> World:
    """``labels`` labels a split (for classification the same ones in all), ``views`` images and two texts of each."""
    rng = np.random.default_rng(1)
    closed_set = kind_of(task).design.closed_set
    rows, latent = [], {}
    of_label: dict[str, np.ndarray] = {}
    for split in ("train", "dev", "test"):
        for number in range(labels):
            label = f"l{number:02d}" if closed_set else f"{split}{number:02d}"
            of_label.setdefault(label, rng.normal(size=DIM))
            group = f"{split}-{label}"
            own = of_label[label] + 0.4 * rng.normal(size=DIM)
            for view in range(views + 2):
                text = view >= views
                sample = f"{group}/{view}"
                body = {"text": f"{label} {'x' * view}"} if text else {"path": f"{group}-{view}.png"}
                rows.append(
                    {"sample_id": sample, "modality": "text" if text else "image", "label": label, "group": group}
                    | {"split": split, "source": "made", "sha256": f"{len(rows):064x}", "domain": f"artist{view}"}
                    | body
                )
                latent[sample] = own if text else of_label[label] if closed_set else own
    samples = conform(pd.DataFrame(rows).sort_values("sample_id"))
    classes = sorted(samples.loc[samples["split"] == "train", "label"].unique())
    return World(samples, latent, task, EVALUATION.model_copy(update=evaluation), classes)


def keep(made: World, rows: pd.Series) -> World:
    """The same world with only those samples."""
    return replace(made, samples=made.samples[rows].reset_index(drop=True))


def history(task: TaskConfig) -> pd.DataFrame:
    dev = kind_of(task).dev_metric
    return pd.DataFrame({"epoch": [1.0, 2.0], "loss": [2.0, 1.0], "task": [2.0, 1.0], dev: [np.nan, 0.2]})


def pictures(samples: pd.DataFrame, root: Path) -> SourcesConfig:
    """A small picture for every path."""
    from PIL import Image

    for number, path in enumerate(samples["path"].dropna()):
        picture = Image.new("RGB", (8, 8), (number % 256, 90, 30))
        picture.putpixel((0, 0), (0, 0, 0))
        picture.save(root / path)
    return SourcesConfig({"made": {"layout": "folder", "root": str(root)}})

"""Small trainings that take a fraction of a second: numbers for inputs, a student of one layer."""

import numpy as np
import torch
from torch import Tensor, nn

from cross_modal_kd.compute import make_fabric
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.losses import LinearClassifier, Objective, Term, build_constraint
from cross_modal_kd.modalities.inputs import Inputs
from cross_modal_kd.models.projection import Projection
from cross_modal_kd.training.data import TeacherSide, TrainingData
from cross_modal_kd.training.loop import fit
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan

CLASSES, COUNT, FEATURES, DIM, TEACHER_DIM = 4, 36, 6, 8, 10
TIMES = ["seconds", "data_wait_share"]  # columns of a history that are others each time
CONFIG = TrainingConfig(epochs=4, batch_size=8, lr=0.01, eval_every=1, augment=False, compute={"accelerator": "cpu"})


class ArrayInputs(Inputs):
    """(N, ...) numbers; remembers the batches that were asked for."""

    def __init__(self, values: Tensor) -> None:
        self.values, self.sample_ids = values, [str(number) for number in range(len(values))]
        self.batches: list[list[int]] = []
        self.draws: list[tuple[int, int] | None] = []

    def __getitems__(self, items):
        indices = [item.row for item in items]
        self.batches.append(indices)
        self.draws.extend(dict.fromkeys(item.draw for item in items))
        return torch.tensor(indices), self.values[indices]


class TinyStudent(nn.Sequential):
    """One layer, with dropout and a batch norm: randomness and buffers that a checkpoint must keep."""

    def __init__(self, dim: int = DIM) -> None:
        super().__init__(nn.Dropout(0.2), nn.Linear(FEATURES, dim), nn.BatchNorm1d(dim))


def term(kind: str, **options: float) -> Term:
    return Term(build_constraint(kind, options.pop("margin", 0.0), options.pop("temperature", 1.0)), **options)


BOTH = {"feature": ("cosine", {"margin": 0.2}), "classifier": ("classifier_kl", {"weight": 0.5})}


def objective(terms: dict | None = None) -> Objective:
    return Objective({name: term(kind, **options) for name, (kind, options) in (terms or {}).items()})


def projection(dropout: float = 0.2) -> Projection:
    torch.manual_seed(7)
    return Projection(TEACHER_DIM, CLASSES, ProjectionConfig(dim=DIM, hidden=12, dropout=dropout))


def module(terms: dict | None = BOTH, joint: bool = False, seed: int = 0, free_dim: int = 0) -> DistillationModule:
    torch.manual_seed(seed)
    student, classifier = TinyStudent(DIM + free_dim), LinearClassifier(CLASSES, DIM + free_dim, 0.1)
    return DistillationModule(student, classifier, objective(terms), projection() if terms else None, joint)  # type: ignore[arg-type]


def data(labels: Tensor | None = None, teacher: bool = True, share: float | None = None) -> TrainingData:
    rng = np.random.default_rng(3)
    inputs = ArrayInputs(torch.tensor(rng.normal(size=(COUNT, FEATURES)), dtype=torch.float32))
    known = torch.arange(COUNT) % CLASSES if labels is None else labels
    candidates = [np.array([3 * (number % CLASSES), 3 * (number % CLASSES) + 1]) for number in range(COUNT)]
    side = TeacherSide.from_candidates(rng.normal(size=(3 * CLASSES, TEACHER_DIM)), candidates) if teacher else None
    weights = torch.tensor(rng.uniform(0.5, 1.5, COUNT), dtype=torch.float32)
    return TrainingData(inputs, known, weights, weights.flip(0), side, share)


def scripted(values: list[float], larger_is_better: bool = True) -> DevMetric:
    """A dev metric that says what it is told, one value a look."""
    left = iter(values)
    return DevMetric("score", lambda student: next(left), larger_is_better)


def norm_metric() -> DevMetric:
    """A dev metric that depends on the weights alone."""
    return DevMetric("score", lambda student: float(student[1].weight.norm()), True)


def train(
    made: DistillationModule | None = None,
    given: TrainingData | None = None,
    config: TrainingConfig = CONFIG,
    dev: DevMetric | None = None,
    **plan: object,
) -> list[dict[str, float]]:
    """``fit`` of what is given, and of toys in place of the rest; the history without what the clock says."""
    plan = Plan(config, dev or norm_metric(), **plan)  # type: ignore[arg-type, assignment]
    return without_seconds(fit(made or module(), given or data(), plan, make_fabric(config)))  # type: ignore[arg-type]


def weights_of(made: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in made.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def without_seconds(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """A history without what the clock says."""
    return [{name: value for name, value in row.items() if name not in TIMES} for row in history]

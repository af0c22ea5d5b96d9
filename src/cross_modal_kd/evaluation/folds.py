"""Both students over all folds: every cluster is tested once, and scores are pooled (imports torch)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cross_modal_kd.evaluation.embed import embed_samples
from cross_modal_kd.evaluation.protocol import Fold, Protocol, make_protocol, make_trials, pooled_metrics, side_by_side
from cross_modal_kd.evaluation.teacher import teacher_metrics
from cross_modal_kd.metrics import MetricSet
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import Method, TrainedFold

Student = tuple[ModelBundle, EmbeddingTable]


@dataclass(frozen=True)
class Folds:
    """What was measured over all folds; nothing where there is one alone.

    protocols: of each fold, side by side. pooled: the metrics of both students, by role. teacher: of the projected
    teachers. each: the metric that students are judged by, of each fold by itself, by role.
    """

    protocols: Sequence[Protocol] = ()
    pooled: Mapping[str, MetricSet] = field(default_factory=dict)
    teacher: MetricSet = field(default_factory=MetricSet)
    each: Mapping[str, Sequence[float | None]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.protocols)


def measure_folds(
    protocol: Protocol, first: Mapping[str, Student], trained: Sequence[TrainedFold], method: Method
) -> Folds:
    """Both students over all folds.

    Args:
        protocol: of the first fold, the split as it is.
        first: student and embeddings of the first fold, by role.
        trained: the other folds; none where the split is measured alone.
        method: says how samples are read.

    Returns:
        What was measured; empty without other folds.
    """
    if not trained:
        return Folds()
    task, evaluation, accelerator = protocol.task, protocol.evaluation, method.training.compute.accelerator
    students: list[Mapping[str, Student]] = [first]
    protocols = [protocol]
    for fold in trained:
        embedded = {
            role: (student, embed_samples(fold.samples, task, method.sources, student, evaluation, accelerator))
            for role, student in fold.students.items()
        }
        students.append(embedded)
        trials = make_trials(fold.samples, task, evaluation)
        given = (fold.samples, task, evaluation, trials, fold.teacher_embeddings, fold.projection)
        protocols.append(make_protocol(*given, next(iter(embedded.values()))[1]))
    protocols = side_by_side(protocols)
    by_role = {
        role: [Fold(each, *found[role]) for each, found in zip(protocols, students, strict=True)] for role in first
    }
    teachers = [each.teacher for each in protocols]
    return Folds(
        protocols,
        {role: pooled_metrics(folds) for role, folds in by_role.items()},
        teacher_metrics(teachers, task, evaluation),
        {role: [_judged(fold) for fold in folds] for role, folds in by_role.items()},
    )


def _judged(fold: Fold) -> float | None:
    """The metric of the kind of task of one fold, None where it is not defined there."""
    kind = kind_of(fold.protocol.task)
    found = kind.train_metric([fold.on_test]).metrics.get(kind.metric)
    return None if found is None else found.value

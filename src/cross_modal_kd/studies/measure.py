"""Every metric of trained students, all on the same samples, trials and resamples (imports torch)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cross_modal_kd.compute import progress_bar
from cross_modal_kd.evaluation import Protocol, make_protocol, student_metrics
from cross_modal_kd.metrics import MetricSet
from cross_modal_kd.models import ModelBundle, own_projection
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.grid import Outcome
from cross_modal_kd.studies.headline import log_student
from cross_modal_kd.tasks import kind_of

Embeddings = Callable[[Outcome], EmbeddingTable]


def measure(
    context: Context,
    outcomes: Sequence[Outcome],
    resampling: Mapping[str, Any],
    teacher: EmbeddingTable,
    projections: Mapping[str, ModelBundle],
    embeddings: Embeddings | None = None,
    description: str = "measuring the arms",
) -> list[MetricSet]:
    """The metrics of every outcome, in their order; the headline of each is logged in the run of its training.

    Args:
        context: of the study; its samples and trials are measured on.
        outcomes: at least one; the training samples that the first is embedded at are those of all.
        resampling: ``bootstrap`` (resamples) and ``level`` of the intervals, in place of the evaluation's.
        teacher: embeddings that students are matched with.
        projections: by kind; each student is matched through that of its arm's kind, or through its own where the
            training has moved it.
        embeddings: of an outcome, in place of those that it has kept.
        description: of the progress bar.

    Returns:
        What ``student_metrics`` gives for each outcome.
    """
    evaluation = context.configuration.evaluation.model_copy(update=dict(resampling))
    embedded = outcomes[0].embeddings

    def through(projection: ModelBundle) -> Protocol:
        return make_protocol(context.samples, context.task, evaluation, context.trials, teacher, projection, embedded)

    protocols = {kind: through(projection) for kind, projection in projections.items()}
    found = []
    for outcome in progress_bar(outcomes, desc=description, leave=False):
        student = outcome.student
        moved = own_projection(student)
        measured_in = through(moved) if moved is not None else of_kind(protocols, outcome.job.config.projection)
        found.append(student_metrics(measured_in, student, embeddings(outcome) if embeddings else outcome.embeddings))
        if embeddings is None:
            log_student(outcome.folder, found[-1], kind_of(context.task), evaluation.level)
    return found


def of_kind(by_kind: Mapping[str, Any], kind: str) -> Any:
    """What belongs to that kind of projection; an arm that is bound through none takes any (it needs the dimension).

    Args:
        by_kind: by ``mlp`` or ``pca``; not empty.
        kind: that the arm names.

    Returns:
        The value of ``kind``, the first of all where there is none.
    """
    return by_kind[kind] if kind in by_kind else next(iter(by_kind.values()))

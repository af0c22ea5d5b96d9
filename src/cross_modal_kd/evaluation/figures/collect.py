"""All figures of a run, as one JSON file keeps them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cross_modal_kd.evaluation.figures.counterparts import Counterparts
from cross_modal_kd.evaluation.figures.plane import planes
from cross_modal_kd.evaluation.figures.retrieval import retrieval
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.models import ModelBundle, weights_of
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks import kind_of


def collect_figures(
    protocol: Protocol, students: Mapping[str, ModelBundle], embeddings: Mapping[str, EmbeddingTable]
) -> dict[str, Any]:
    """Numbers and sample ids, from which the page is made again without a model.

    Args:
        protocol: what both students were measured on; of several folds the first.
        students: by arm, ``student_alone`` and ``distilled``.
        embeddings: by arm, of the test samples at least.

    Returns:
        Plain values: ``planes``, ``retrieval``, ``confusion`` (of ``tasks.Confusion``; None where the kind of task has
        none), ``mistakes`` (of ``TaskKind.worst``) and ``students`` (by arm, which they are of: ``weights_of``).
    """
    kind, on_test, counterparts = kind_of(protocol.task), protocol.on_test(students, embeddings), Counterparts(protocol)
    confusion = kind.confusion(on_test)
    return {
        "planes": planes(protocol, embeddings, counterparts),
        "retrieval": retrieval(protocol, embeddings, counterparts),
        "confusion": None if confusion is None else asdict(confusion),
        "mistakes": [asdict(sort) for sort in kind.worst(on_test)],
        "students": {arm: weights_of(student) for arm, student in students.items()},
    }

"""Where the distilled student is most wrong, ready to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cross_modal_kd.config import SourcesConfig
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.evaluation.report.exhibits import Exhibit, Exhibits
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks import kind_of


@dataclass(frozen=True)
class Example:
    """exhibits: one sample, or the two of a pair. remarks: what the students make of it, by name."""

    exhibits: list[Exhibit]
    remarks: dict[str, str]


@dataclass(frozen=True)
class Group:
    """Examples of one sort of mistake, the worst first. title: of the sort. explains: which they are."""

    title: str
    explains: str
    examples: list[Example]


def worst_examples(
    samples: pd.DataFrame,
    sources: SourcesConfig,
    protocol: Protocol,
    *,
    students: Mapping[str, ModelBundle],
    embeddings: Mapping[str, EmbeddingTable],
) -> list[Group]:
    """The worst mistakes of the distilled student, beside what the student alone makes of them.

    Args:
        samples: the table, whose samples are shown.
        sources: where their files lie.
        protocol: the test samples and trials.
        students: by arm, ``student_alone`` and ``distilled``.
        embeddings: by arm, of the test samples at least.

    Returns:
        A group for each sort of mistake of the kind of task.
    """
    exhibits = Exhibits(samples, sources)
    worst = kind_of(protocol.task).worst(protocol.on_test(students, embeddings))
    return [
        Group(
            sort.title,
            sort.explains,
            [Example([exhibits.show(each) for each in one.sample_ids], one.remarks) for one in sort.mistakes],
        )
        for sort in worst
    ]

"""Where the distilled student is most wrong, ready to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cross_modal_kd.evaluation.report.exhibits import Exhibit, Exhibits


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


def shown_examples(mistakes: Sequence[Mapping[str, Any]], exhibits: Exhibits) -> list[Group]:
    """The worst mistakes of the distilled student, beside what the student alone makes of them.

    Args:
        mistakes: of ``TaskKind.worst``, in plain values.
        exhibits: of the table that the samples are in.

    Returns:
        A group for each sort of mistake of the kind of task.
    """
    return [
        Group(
            sort["title"],
            sort["explains"],
            [Example([exhibits.show(each) for each in one["sample_ids"]], one["remarks"]) for one in sort["mistakes"]],
        )
        for sort in mistakes
    ]

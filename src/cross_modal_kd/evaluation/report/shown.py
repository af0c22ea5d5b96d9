"""The figures of a run with the samples that they are of: all that the page needs of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cross_modal_kd.config import SourcesConfig, TaskConfig
from cross_modal_kd.evaluation.report.across import Direction, shown_retrieval
from cross_modal_kd.evaluation.report.decisions import Decisions, shown_decisions
from cross_modal_kd.evaluation.report.examples import Group, shown_examples
from cross_modal_kd.evaluation.report.exhibits import Exhibits
from cross_modal_kd.evaluation.report.on_a_plane import Planes, shown_planes
from cross_modal_kd.evaluation.report.shelf import Shelf


@dataclass(frozen=True)
class FiguresSection:
    """What the page says of the students by their samples.

    decisions: thresholds, found on dev. planes: embeddings in two dimensions. across: queries into the other modality.
    confusion: labels against labels, as ``tasks.Confusion`` in plain values; None where there is none. names: of its
    labels. examples: of the distilled student's mistakes.
    """

    decisions: Decisions
    planes: Planes
    across: list[Direction]
    confusion: Mapping[str, Any] | None
    names: Mapping[str, str]
    examples: list[Group]


def show_figures(
    figures: Mapping[str, Any],
    operating: Mapping[str, Mapping[str, Any]],
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
) -> FiguresSection:
    """The figures with their samples, which are read from their files.

    Args:
        figures: of ``collect_figures``.
        operating: by arm, thresholds and calibration.
        samples: the table, whose samples are shown.
        task: its modalities.
        sources: where the files of samples lie.

    Returns:
        The section; pictures are tiny, and sounds of all figures stay within one budget.
    """
    exhibits = Exhibits(samples, sources)
    shelf, mute = Shelf(exhibits), Shelf(exhibits, most_sound=0)
    planes, confusion = figures["planes"], figures["confusion"]
    labels = [*planes.get("labels", []), *(confusion["labels"] if confusion else [])]
    names = {label: exhibits.name_of_label(label) for label in labels}
    return FiguresSection(
        decisions=shown_decisions(operating),
        planes=shown_planes(planes, mute, names),
        across=shown_retrieval(figures["retrieval"], task, shelf),
        confusion=confusion,
        names=names,
        examples=shown_examples(figures["mistakes"], exhibits),
    )

"""The distilled student without this package: ONNX and torch.export programs in one folder."""

from pathlib import Path

import pandas as pd
from kedro.pipeline import Node, Pipeline

from cross_modal_kd.config import ExportConfig, SourcesConfig, TaskConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.pipelines.stage import bound, stage


def exporting() -> Pipeline:
    """The distilled student's programs, held against PyTorch on dev samples.

    Returns:
        One node, tagged ``deployment``.
    """
    node = Node(
        export_student,
        bound(
            "samples",
            params=["task", "sources", "export"],
            student="distilled.student",
            operating="distilled.operating",
            exported="distilled.exported",
        ),
        "distilled.export_report",
        name="export_student",
    )
    return stage("deployment", [node])


def export_student(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    student: ModelBundle,
    operating: dict,
    exported: Path,
    export: ExportConfig,
) -> dict:
    """Write the programs, export.json and run_student.py, unless a program differs from PyTorch.

    Args:
        samples: the table, with its splits.
        task: its kind, and the student's modality.
        sources: where the files lie.
        student: with its classifier.
        operating: thresholds and temperature, of ``find_thresholds``.
        exported: the folder to write.
        export: the tolerance, the number of samples, and whether there is an 8-bit network.

    Returns:
        The content of export.json: sizes, parameters, latency, parity by length, and what 8 bits cost.
    """
    from cross_modal_kd.export import Operating, export_onnx, gather

    thresholds = {each["name"]: each["value"] for each in operating["thresholds"] if each["value"] is not None}
    found = Operating(operating["temperature"]["value"] or 1.0, thresholds)
    about = {"task": task.model_dump(mode="json"), "arm": "distilled"}
    return export_onnx(student, exported, gather(samples, task, sources, student, export), export, found, about)

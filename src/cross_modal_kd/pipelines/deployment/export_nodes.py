"""The distilled student as ONNX and torch.export programs in one folder."""

from pathlib import Path

import pandas as pd

from cross_modal_kd.config import ExportConfig, SourcesConfig, TaskConfig
from cross_modal_kd.models import ModelBundle


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

    Thresholds that were found with another student are refused before anything is written.

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
    from cross_modal_kd.student import require_operating_of

    require_operating_of(student, operating.get("student", ""), "distilled")
    about = {"task": task.model_dump(mode="json"), "arm": "distilled"}
    material = gather(samples, task, sources, student, export)
    return export_onnx(student, exported, material, export, Operating.found(operating), about)

"""The folder of an exported student."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import cross_modal_kd.modalities  # noqa: F401 (registers the encoders that students are made of)
from cross_modal_kd.config import ExportConfig
from cross_modal_kd.export.errors import ExportError
from cross_modal_kd.export.latency import milliseconds, one_torch_thread
from cross_modal_kd.export.material import Material
from cross_modal_kd.export.network import Answering, Operating
from cross_modal_kd.export.parity import hold_against
from cross_modal_kd.export.program import BATCH, save_onnx, save_program, trace
from cross_modal_kd.export.quantise import quantise
from cross_modal_kd.export.runtime import OnnxStudent
from cross_modal_kd.modalities import Standalone, modality_of_library
from cross_modal_kd.models import ModelBundle, saved_encoder, saved_inputs, weights_of
from cross_modal_kd.storage import replaced

FORMAT = 1
ONNX, PT2, INT8, ABOUT = "student.onnx", "student.pt2", "int8.onnx", "export.json"
SCRIPT, READER = "run_student.py", "read_input.py"


@dataclass(frozen=True)
class _Job:
    """What the steps of one export share."""

    network: Answering
    alone: Standalone
    material: Material
    config: ExportConfig

    @property
    def sample(self) -> torch.Tensor:
        """(1, ...) as evaluation reads it."""
        return next(iter(self.material.probes.values()))[0][None]


def export_onnx(
    bundle: ModelBundle,
    folder: Path,
    material: Material,
    config: ExportConfig,
    operating: Operating | None = None,
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write the programs, ``run_student.py``, what it needs and ``export.json`` in the place of a folder.

    Nothing is written where a program differs from PyTorch by more than ``config.tolerance`` on any sample.

    Args:
        bundle: the student, of ``student_bundle``.
        folder: of this export alone; made where it is missing.
        material: real samples, at least one.
        config: the tolerance, and whether there is an 8-bit network too.
        operating: its temperature and thresholds.
        about: plain values to be noted too (task, run key ...).

    Returns:
        The content of export.json.

    Raises:
        ExportError: a program cannot be made, or differs from PyTorch; no sample is given; or 8 bits are asked for
            without training samples.
        ModalityError: students of this modality are not exported.
    """
    if not material.probes:
        raise ExportError("an export is held against PyTorch on real samples: expected at least one, found none")
    if config.int8 == "static" and not material.calibration:
        raise ExportError("export.int8 = 'static' is calibrated with training samples: expected some, found none")
    operating = operating or Operating()
    alone = modality_of_library(saved_encoder(bundle).library).standalone(saved_inputs(bundle))
    job = _Job(Answering(bundle, operating), alone, material, config)
    with replaced(Path(folder)) as new:
        portable = Answering(bundle, operating, portable=True)
        programs, any_batch = _programs(job, portable, new)
        content = _described(job, bundle, operating) | {
            "input": _input(job, any_batch),
            "programs": programs,
            "about": dict(about or {}),
        }
        if config.int8 != "none":
            content["programs"][INT8] = _eight_bits(job, new)
        if job.material.measure is not None and config.int8 != "none":
            content["metric"] = _metrics(job, new)
        shutil.copyfile(Path(__file__).with_name(SCRIPT), new / SCRIPT)
        shutil.copyfile(alone.reader, new / READER)
        text = "\n".join(f"{name}=={version(name)}" for name in ("numpy", "onnxruntime", *alone.needs))
        (new / "requirements.txt").write_text(text + "\n", encoding="utf-8")
        (new / ABOUT).write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return content


def _programs(job: _Job, portable: Answering, folder: Path) -> tuple[dict[str, Any], bool]:
    """Both programs, for any batch; one sample at a time where the network cannot be exported otherwise."""
    try:
        return _written(job, portable, folder, any_batch=True), True
    except ExportError:
        return _written(job, portable, folder, any_batch=False), False


def _written(job: _Job, portable: Answering, folder: Path, any_batch: bool) -> dict[str, Any]:
    axes = {axis + 1: name for axis, name in job.alone.axes.items()} | ({0: BATCH} if any_batch else {})
    example = torch.zeros_like(torch.cat([job.sample] * (2 if any_batch else 1)))  # it is stored: nobody's voice
    program = trace(portable, example, axes)
    save_program(program, folder / PT2)
    save_onnx(program, folder / ONNX, job.alone.input, job.network.outputs, axes)
    loaded = torch.export.load(folder / PT2).module()

    def run_torch(batch: np.ndarray) -> dict[str, np.ndarray]:
        parts = [torch.from_numpy(batch)] if any_batch else torch.from_numpy(batch).split(1)
        try:
            with torch.no_grad():
                found = [loaded(part) for part in parts]
        except (AssertionError, RuntimeError) as error:  # what tracing took for granted of an example
            raise ExportError(f"{PT2} does not take inputs of {list(parts[0].shape)} ({error})") from error
        columns = (torch.cat(column).numpy() for column in zip(*found, strict=True))
        return dict(zip(job.network.outputs, columns, strict=True))

    hold = (job.material.probes, job.config.tolerance)
    with one_torch_thread():
        timed = milliseconds(lambda: run_torch(job.sample.numpy()), job.config.runs)
    return {
        ONNX: _weighed(job, folder / ONNX)
        | {"parity": hold_against(job.network, OnnxStudent(folder / ONNX), *hold, ONNX)},
        PT2: {
            "bytes": (folder / PT2).stat().st_size,
            "latency_ms": timed,
            "parity": hold_against(job.network, run_torch, *hold, PT2),
        },
    }


def _weighed(job: _Job, file: Path) -> dict[str, Any]:
    run, sample = OnnxStudent(file, threads=1), job.sample.numpy()
    return {"bytes": file.stat().st_size, "latency_ms": milliseconds(lambda: run(sample), job.config.runs)}


def _eight_bits(job: _Job, folder: Path) -> dict[str, Any]:
    """Its size and latency, and how far it is from PyTorch: what that costs is said in the metric."""
    method = job.config.int8
    assert method != "none"  # noqa: S101 (asked by the caller)
    quantise(folder / ONNX, folder / INT8, method, job.material.calibration)
    evaluated = {name: inputs[:1] for name, inputs in job.material.probes.items()}
    found = hold_against(job.network, OnnxStudent(folder / INT8), evaluated, float("inf"), INT8)
    return _weighed(job, folder / INT8) | {
        "method": method,
        "calibration": len(job.material.calibration),
        "difference": {name: found[name] for name in ("samples", "max_abs_difference", "min_cosine")},
    }


def _metrics(job: _Job, folder: Path) -> dict[str, Any]:
    """The task's metric of both networks, on dev and test; None where it is not defined."""
    measure = job.material.measure
    assert measure is not None  # noqa: S101 (asked by the caller)
    found = {name: measure(OnnxStudent(folder / name)) for name in (ONNX, INT8)}
    return {name: {key: _number(value) for key, value in values.items()} for name, values in found.items()}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _described(job: _Job, bundle: ModelBundle, operating: Operating) -> dict[str, Any]:
    answers = "probability" in job.network.outputs
    return {
        "format": FORMAT,
        "student": weights_of(bundle),
        "outputs": job.network.outputs,
        "classes": bundle.config["classes"] if answers else [],
        "temperature": operating.temperature,
        "thresholds": dict(operating.thresholds),
        "undecided": dict(operating.undecided),
        "embedding": bundle.config["dim"],
        "parameters": sum(each.numel() for each in job.network.student.parameters()),
        "versions": {name: version(name) for name in ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")},
    }


def _input(job: _Job, any_batch: bool) -> dict[str, Any]:
    shape = list(job.sample.shape)
    named = [job.alone.axes.get(axis, size) for axis, size in enumerate(shape[1:])]
    return {
        "name": job.alone.input,
        "dtype": str(job.sample.dtype).removeprefix("torch."),
        "shape": [BATCH if any_batch else 1, *named],
        **job.alone.facts,
    }

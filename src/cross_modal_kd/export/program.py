"""A network as a torch.export program and as an ONNX graph, without a trace of the machine that made them."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cross_modal_kd.export.errors import ExportError
from cross_modal_kd.export.network import Answering

BATCH = "batch"
OUTPUT = "output."
"""Before the name of an output, until no other value of the graph has that name."""


def trace(network: Answering, example: Tensor, axes: Mapping[int, str]) -> Any:
    """The program of a network.

    Args:
        network: to be exported.
        example: (B, ...) inputs, of which ``axes`` may change.
        axes: names by place in a batch, 0 being the batch.

    Returns:
        A ``torch.export.ExportedProgram``.

    Raises:
        ExportError: PyTorch cannot trace it.
    """
    shapes = dict.fromkeys(axes, torch.export.Dim.AUTO)
    with _quiet(), torch.no_grad():
        try:
            program = torch.export.export(network, (example,), dynamic_shapes=(shapes,), strict=False)
        except Exception as error:  # tracing fails with whatever the network's code meets
            raise ExportError(f"torch.export cannot trace the student ({_first_line(error)})") from error
    for module in program.graph_module.modules():
        for node in getattr(getattr(module, "graph", None), "nodes", ()):
            node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def save_program(program: Any, file: Path) -> None:
    """Write a program for ``torch.export.load``.

    Args:
        program: of ``trace``.
        file: that ends in ``.pt2``.
    """
    with _quiet():
        torch.export.save(program, file)


def save_onnx(program: Any, file: Path, inputs: str, outputs: Sequence[str], axes: Mapping[int, str]) -> None:
    """Write a program as an ONNX graph, its axes named.

    Args:
        program: of ``trace``.
        file: that ends in ``.onnx``.
        inputs: name of the one input.
        outputs: names of the outputs.
        axes: names of the axes of any size, by place.

    Raises:
        ExportError: an operation has no counterpart in ONNX.
    """
    import onnx

    with _quiet():
        try:
            converted = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[inputs],
                output_names=[OUTPUT + name for name in outputs],
                verbose=False,
            )
        except Exception as error:
            raise ExportError(f"torch.onnx cannot convert the student ({_first_line(error)})") from error
        assert converted is not None  # noqa: S101 (with dynamo=True it is a program)
        model = converted.model_proto
    _name_outputs(model, outputs)
    _name_axes(model, axes)
    _without_traces(model)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def _name_outputs(model: Any, outputs: Sequence[str]) -> None:
    """Outputs by their names, and what is named so within the graph (by an operation, ``embedding`` say) by another."""
    names = {name: f"inner_{name}" for name in outputs} | {OUTPUT + name: name for name in outputs}
    for node in model.graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(value, value) for value in values]
    for output in model.graph.output:
        output.name = names[output.name]


def _name_axes(model: Any, axes: Mapping[int, str]) -> None:
    """The names that tracing drew (s77) become those of the axes."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    names = {dims[axis].dim_param: name for axis, name in axes.items() if dims[axis].dim_param}
    for value in (*model.graph.input, *model.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in names:
                dim.dim_param = names[dim.dim_param]
    del model.graph.value_info[:]


def _without_traces(model: Any) -> None:
    """Metadata of nodes and values are stack traces: paths of this machine."""
    graph = model.graph
    for each in (*graph.node, *graph.input, *graph.output, *graph.initializer, graph):
        del each.metadata_props[:]
    for function in model.functions:
        for each in (function, *function.node):
            del each.metadata_props[:]


def _first_line(error: BaseException) -> str:
    """The innermost reason, which the libraries' own errors hide under advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0].strip()[:300] if lines else ''}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's advice to those who develop it."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)

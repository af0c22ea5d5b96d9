"""How a stage is put together: inputs bound by name, one namespace a stage."""

from collections.abc import Iterable

from kedro.pipeline import Node, Pipeline


def bound(*datasets: str, params: Iterable[str] = (), **renamed: str) -> dict[str, str]:
    """Inputs of a node by the names of its function's parameters, so that no two of them can be exchanged.

    Args:
        *datasets: of the catalog, each bound to the parameter of its own name.
        params: blocks of the parameters, each bound to the parameter of its own name.
        **renamed: parameter -> dataset, where the two names differ (``student="distilled.student"``).

    Returns:
        Parameter -> dataset, what ``kedro.pipeline.Node`` takes as inputs.

    Raises:
        ValueError: a parameter is bound twice.

    >>> bound("samples", params=["task"], student="distilled.student")
    {'samples': 'samples', 'task': 'params:task', 'student': 'distilled.student'}
    """
    pairs = [*((name, name) for name in datasets), *((name, f"params:{name}") for name in params), *renamed.items()]
    inputs = dict(pairs)
    if len(inputs) < len(pairs):
        names = [parameter for parameter, _ in pairs]
        raise ValueError(f"inputs bound twice: {sorted({name for name in names if names.count(name) > 1})}")
    return inputs


def stage(name: str, nodes: Iterable[Node | Pipeline]) -> Pipeline:
    """The nodes under one namespace and tag, which kedro-viz shows as one box; datasets keep their names.

    Args:
        name: of the stage, the namespace and the tag.
        nodes: nodes, or pipelines of them that have namespaces of their own.

    Returns:
        The pipeline of the stage.
    """
    return Pipeline(Pipeline(list(nodes)), namespace=name, tags=name, prefix_datasets_with_namespace=False)

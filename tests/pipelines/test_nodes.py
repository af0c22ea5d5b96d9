"""A node is a sentence: short, few inputs, each bound by name to what bears that name."""

import ast
import inspect
import textwrap
from pathlib import Path
from typing import get_type_hints

import pytest

from cross_modal_kd.pipelines.stage import bound
from cross_modal_kd.studies.regimes.config import STUDIES

PIPELINES = Path(__file__).parents[2] / "src" / "cross_modal_kd" / "pipelines"
STAGES = (
    "ingestion",
    "quality",
    "teacher",
    "projection",
    "distillation",
    "evaluation",
    "deployment",
    "score",
    "score_trials",
)
MOST_LINES, MOST_INPUTS, MOST_OF_ALL = 30, 8, 1525  # lines without docstrings

# parameter -> datasets it may be bound to, where the name of neither the dataset nor its last part is the parameter's
ALIASES = {
    "inspected": {"inspected_samples"},
    "unusable": {"unusable_samples"},
    "embedded": {"student_alone.embeddings"},
    "teacher": {"teacher_measured"},
    "student_alone": {"student_alone.student", "student_alone.measured"},
    "distilled": {"distilled.student", "distilled.measured"},
    "network": {"student"},
    "projection": {"deployed_projection"},
    "arm": {"distillation.baseline", "distillation.arm"},
    "study": {"comparison", "tuning"},
}
# the same of what a node gives: each study of the regimes is one node, stamped
MADE = {
    given: {f"{study}_regime{ending}" for study in STUDIES}
    for given, ending in {"table": "", "plot": "_plot", "spread": "_spread"}.items()
}


def fits(parameter: str, dataset: str) -> bool:
    """Whether a dataset may be bound to that parameter: it bears its name, after dots and namespaces, or an alias."""
    name = dataset.removeprefix("params:")
    return parameter in (name, name.replace(".", "_"), name.rpartition(".")[2]) or name in ALIASES.get(parameter, ())


def misplaced(function, outputs: list[str]) -> list[tuple[str, str]]:
    """(what the function gives at a place, the dataset that the pipeline file has there) where the two differ."""
    given = get_type_hints(function)["return"]
    fields = getattr(given, "_fields", ["a value without a name"] * len(outputs))
    return [
        (field, dataset)
        for field, dataset in zip(fields, outputs, strict=True)
        if field not in (dataset, dataset.rpartition(".")[2]) and dataset not in MADE.get(field, ())
    ]


def body_lines(function) -> int:
    """Lines of a function without its signature and docstring."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    return node.end_lineno - first.lineno + 1


def lines_without_docstrings(text: str) -> int:
    """Lines of a file: what docstrings say does not make it thick."""
    documented = [
        node.body[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    ]
    return len(text.splitlines()) - sum(each.end_lineno - each.lineno + 1 for each in documented)


@pytest.fixture(scope="session")
def nodes(project_path):
    from kedro.framework.project import pipelines

    return [node for stage in STAGES for node in pipelines[stage].nodes]


def test_every_node_is_short_and_takes_few_inputs(nodes):
    for node in nodes:
        assert body_lines(node.func) <= MOST_LINES, node.name
        assert len(node.inputs) <= MOST_INPUTS, f"{node.name} takes {len(node.inputs)} inputs"


def test_every_input_is_bound_to_the_parameter_of_its_name(nodes):
    """Two inputs exchanged in a pipeline file would plot the wrong student without an error."""
    for node in nodes:
        assert isinstance(node._inputs, dict), f"{node.name} takes its inputs by their places"
        wrong = {name: dataset for name, dataset in node._inputs.items() if not fits(name, dataset)}
        assert not wrong, f"{node.name}: {wrong}"


def test_each_of_several_outputs_is_what_the_function_gives_under_that_name(project_path):
    """A function that gives several things names them: exchanged, kept samples would be saved as the rejected."""
    from kedro.framework.project import pipelines

    several = {node for pipeline in pipelines.values() for node in pipeline.nodes if len(node.outputs) > 1}
    assert len(several) > 12
    wrong = {node.name: misplaced(node.func, node._outputs) for node in several}
    assert not {name: places for name, places in wrong.items() if places}


def test_two_outputs_exchanged_are_found(project_path):
    from kedro.framework.project import pipelines

    for node in (node for pipeline in pipelines.values() for node in pipeline.nodes if len(node.outputs) > 1):
        first, second, *rest = node._outputs
        assert len(misplaced(node.func, [second, first, *rest])) == 2, node.name
    assert misplaced(pair_without_names, ["one", "two"]) == [
        ("a value without a name", "one"), ("a value without a name", "two")
    ]  # fmt: skip


def pair_without_names() -> tuple[int, int]:
    return 1, 2


def test_a_node_of_one_student_reads_and_writes_that_student_alone(nodes):
    for node in nodes:
        for student, other in (("student_alone", "distilled"), ("distilled", "student_alone")):
            if all(name.startswith(f"{student}.") for name in node.outputs):
                assert not [name for name in node.inputs if name.startswith(f"{other}.")], node.name


def test_each_student_is_trained_under_its_own_arm(nodes):
    """Both arms fit the parameter ``arm``: exchanged, the distilled student would be the one alone."""
    arms = {node.namespace: node._inputs["arm"] for node in nodes if "arm" in node._inputs}
    assert arms == {
        "distillation.student_alone": "params:distillation.baseline",
        "distillation.distilled": "params:distillation.arm",
        "deployment.student_alone": "params:distillation.baseline",
        "deployment.distilled": "params:distillation.arm",
    }


def test_a_node_opens_no_dataset_and_takes_no_lock(nodes):
    for file in {Path(inspect.getsourcefile(node.func)) for node in nodes}:
        text = file.read_text(encoding="utf-8")
        assert "cross_modal_kd.datasets" not in text and "filelock" not in text, file


@pytest.mark.parametrize(
    ("parameter", "dataset"),
    [("student_alone", "distilled.student"), ("student_alone_history", "distilled.history"),
     ("projection_mlp", "projection_pca"), ("task", "params:sources"), ("quality_scores", "quality_measures")],
)  # fmt: skip
def test_an_exchanged_input_does_not_fit(parameter, dataset):
    assert not fits(parameter, dataset)


def test_the_hints_of_every_node_can_be_read_so_that_kedro_validates_its_parameters(nodes):
    """A hint that cannot be resolved makes Kedro pass plain dictionaries, in silence."""
    for node in nodes:
        hints = get_type_hints(node.func)
        blocks = [name for name, dataset in node._inputs.items() if dataset.startswith("params:") and name != "arm"]
        assert all(hasattr(hints[name], "model_validate") for name in blocks), node.name


def test_pipelines_stay_thin():
    files = PIPELINES.rglob("*.py")
    assert sum(lines_without_docstrings(file.read_text(encoding="utf-8")) for file in files) <= MOST_OF_ALL


def test_each_stage_is_one_namespace_so_that_kedro_viz_shows_one_box(project_path):
    from kedro.framework.project import pipelines

    for stage in STAGES:
        assert {node.namespace.partition(".")[0] for node in pipelines[stage].nodes} == {stage}


def test_an_input_cannot_be_bound_twice():
    with pytest.raises(ValueError, match="bound twice: \\['task'\\]"):
        bound("task", params=["task"])

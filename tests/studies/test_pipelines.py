"""The studies' pipelines: every input bound by name, few of them, and each to the dataset of its name."""

import ast
import inspect
import textwrap

import pytest

STUDIES = ("comparison", "tuning", "regimes", "robustness", "quality_study", "results")
MOST_INPUTS, MOST_LINES = 8, 30
OTHER_NAMES = {
    "study": {"params:comparison", "params:tuning"},
    "context": {"study_context"},
    "configuration": {"study_configuration"},
    "world": {"regimes_world"},
    "worlds": {"regimes_worlds"},
    "students": {"robustness_students"},
    "store": {"comparison_store", "tuning_store", "regimes_store"},
    "folder": {"reporting_folder"},
    "table": {"comparison", "robustness"},
    "student_alone": {"student_alone.student"},
    "distilled": {"distilled.student"},
    "embeddings": {"distilled.embeddings"},
}


@pytest.fixture(scope="module")
def nodes(project_path):
    from kedro.framework.project import pipelines

    return {(name, node.name.rpartition(".")[2]): node for name in STUDIES for node in pipelines[name].nodes}


def test_every_input_is_bound_by_name_to_the_dataset_of_that_name(nodes):
    for (study, name), node in nodes.items():
        assert isinstance(node._inputs, dict), f"{study}, {name}: bind the inputs by name"
        for argument, dataset in node._inputs.items():
            own = {argument, f"params:{argument}", f"{argument}_regime"} | OTHER_NAMES.get(argument, set())
            assert dataset in own, f"{study}, {name}: {argument} is bound to {dataset}"
            if argument == "store":
                assert dataset == f"{study}_store"


def test_a_node_has_few_inputs_and_few_lines(nodes):
    for (study, name), node in nodes.items():
        if name == "join_studies":  # one input a study
            continue
        assert len(node.inputs) <= MOST_INPUTS, f"{study}, {name}: {len(node.inputs)} inputs"
        lines = len(inspect.getsource(node.func).splitlines()) - len((node.func.__doc__ or "").splitlines())
        assert lines <= MOST_LINES, f"{study}, {name}: {lines} lines"


def test_a_node_opens_no_dataset_and_takes_no_lock(nodes):
    for (study, name), node in nodes.items():
        tree = ast.parse(textwrap.dedent(inspect.getsource(node.func)))
        imported = [part.module or "" for part in ast.walk(tree) if isinstance(part, ast.ImportFrom)]
        assert not [module for module in imported if "datasets" in module or "filelock" in module], f"{study}, {name}"


def test_the_context_is_gathered_once_where_several_studies_run_together(nodes):
    gathered = {node for (_, name), node in nodes.items() if name == "gather_context"}
    assert len(gathered) == 1
    (gather,) = gathered
    assert {"comparison", "tuning", "regimes", "robustness", "labels", "crossfit"} <= set().union(
        *(node.tags for (_, name), node in nodes.items() if name == "gather_context")
    )
    assert len(gather.inputs) == 8


@pytest.mark.parametrize("tag", ["labels", "noise", "variants"])
def test_one_study_alone_takes_along_what_it_starts_from(project_path, tag):
    from kedro.framework.project import pipelines

    alone = pipelines["regimes"].only_nodes_with_tags(tag)
    assert {node.name.rpartition(".")[2] for node in alone.nodes} == {
        "gather_configuration",
        "gather_context",
        "gather_world",
        "prepare_worlds",
        f"study_{tag}",
    }

"""What must hold of the whole project: names, descriptions, layers, start-up, typed parameters."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "cross_modal_kd"
CONF = Path(__file__).parents[1] / "conf"
LAYERS = tuple(
    f"{number:02}_{name}"
    for number, name in enumerate(
        ("raw", "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting"), start=1
    )
)
WITHOUT_LAYER = (  # see conf/base/catalog.yml
    "teacher_model",
    "cross_modal_kd.datasets.DirectoryDataset",
    "cross_modal_kd.pipelines.deployment.PackagedStudentDataset",
    "{role}.assembled",  # likewise, before its card is written
)
ENVIRONMENTS = sorted(folder.name for folder in CONF.iterdir() if folder.is_dir() and folder.name != "local")
QUALITY_ARMS = ("both_quality", "both_task_quality", "both_distillation_quality", "both_strong_quality")
HEAVY = (
    *(
        "torch",
        "mlflow",
        "lightning",
        "lightning_fabric",
        "timm",
        "speechbrain",
        "sentence_transformers",
        "matplotlib",
        "sklearn",
        "scipy",
    ),
    *("optuna", "torchmetrics", "pytorch_metric_learning", "soundfile"),
)


DATA_ROOT = "/nowhere/data"  # nothing is written


@pytest.fixture(scope="module")
def context(project_path):
    """``context(env)``: the project's context in one environment."""
    from kedro.framework.session import KedroSession

    def load(env: str):
        runtime = {"data_root": DATA_ROOT}
        return KedroSession.create(project_path, env=env, runtime_params=runtime, save_on_close=False).load_context()

    return load


@pytest.fixture(scope="module")
def configured(context):
    """``configured(env)``: what one environment says, read once and only looked at.

    At once, for Kedro's ``${globals:}`` are those of the loader that was made last.
    """

    @cache
    def read(env: str):
        loaded = context(env)
        loader = loaded.config_loader
        return SimpleNamespace(globals=loader["globals"], catalog=loader["catalog"], params=loaded.params)

    return read


@pytest.fixture(scope="module")
def catalog(context):
    """That of conf/base, which is only looked at."""
    return context("base").catalog


@pytest.fixture(scope="session")
def pipelines(project_path):
    from kedro.framework.project import pipelines

    return dict(pipelines)


def imports(file: Path) -> list[tuple[str, bool]]:
    """(module, whether at the top level) of every import in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    found = []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [(name, id(node) in top) for name in names]
    return found


def test_the_stages_are_registered_and_distill_is_all_of_them(pipelines):
    stages = ("ingestion", "quality", "teacher", "projection", "distillation", "evaluation", "deployment")
    assert {*stages, "score", "score_trials", "distill", "__default__"} <= set(pipelines)
    all_of_them, distill = set().union(*(pipelines[stage].nodes for stage in stages)), set(pipelines["distill"].nodes)
    assert distill < all_of_them
    assert {node.name for node in all_of_them - distill} == {"deployment.export_student"}  # dear, and needs an extra
    assert pipelines["__default__"] == pipelines["distill"]


def test_every_node_is_named(pipelines):
    unnamed = [str(node) for pipeline in pipelines.values() for node in pipeline.nodes if not node._name]
    assert not unnamed


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_dataset_has_a_description_and_a_layer_and_the_tasks_name_in_its_path(configured, env):
    said = configured(env)
    task = said.globals["task"]
    for name, entry in said.catalog.items():
        if name.startswith("_"):
            continue
        assert entry["metadata"]["description"], name
        layer = entry["metadata"].get("kedro-viz", {}).get("layer")
        assert layer in LAYERS or {name, entry["type"]} & set(WITHOUT_LAYER), name
        if entry["type"] != "MemoryDataset":
            folder, of_task, *_ = Path(entry["filepath"]).relative_to(DATA_ROOT).parts
            assert of_task == task, name
            assert layer in (folder, None), name


@pytest.mark.slow
def test_tasks_do_not_share_a_name(configured):
    """They would overwrite each other's results; the default task at another scale keeps its name and says so."""
    names = {env: configured(env).globals["task"] for env in ENVIRONMENTS}
    shared = {env for env, name in names.items() if name == names["base"]}
    assert shared == {"base", "ten_seeds", "before_search"}
    assert configured("base").params["results"].default_task == names["base"]
    others = [name for env, name in names.items() if env not in shared]
    assert len(set(others)) == len(others)


def test_every_dataset_of_every_pipeline_is_in_the_catalog(pipelines, catalog):
    names = set().union(*(pipeline.datasets() for pipeline in pipelines.values()))
    assert not sorted(name for name in names if not name.startswith("param") and name not in catalog)


def test_the_layers_go_in_no_circle(pipelines, catalog):
    """kedro-viz shows no layers at all where they do."""
    for pipeline in pipelines.values():
        makers = {output: node for node in pipeline.nodes for output in node.outputs}

        @cache
        def layers(name: str, makers=makers) -> set[str]:
            """Of the dataset; where it has none, those that it comes from."""
            own = (catalog.get(name).metadata.get("kedro-viz") or {}).get("layer")
            return {own} if own else sources(makers[name]) if name in makers else set()

        def sources(node, layers=layers) -> set[str]:
            return {each for name in node.inputs if not name.startswith("param") for each in layers(name)}

        before: dict[str, set[str]] = {}
        for node in pipeline.nodes:
            for output in node.outputs:  # one without a layer stands for nothing by itself
                if layer := (catalog.get(output).metadata.get("kedro-viz") or {}).get("layer"):
                    before.setdefault(layer, set()).update(sources(node) - {layer})
        TopologicalSorter(before).prepare()  # raises where there is a circle


def test_every_pipeline_is_boxes_that_kedro_viz_collapses(pipelines):
    """Each node is in the box of its stage or study, which kedro-viz shows closed."""
    stages = {"ingestion", "quality", "teacher", "projection", "distillation", "evaluation", "deployment"}
    for name, pipeline in pipelines.items():
        boxes = {node.namespace.partition(".")[0] if node.namespace else None for node in pipeline.nodes}
        if name in ("distill", "__default__"):
            assert boxes == stages
        else:
            assert boxes <= {name, "gathering"}, name


def test_every_plot_has_a_preview_in_kedro_viz(pipelines, catalog):
    names = {name for pipeline in pipelines.values() for name in pipeline.all_outputs()}
    plots = {name: catalog.get(name) for name in names if type(catalog.get(name)).__name__ == "MatplotlibDataset"}
    assert len(plots) > 15
    for name, dataset in plots.items():
        assert hasattr(dataset, "preview"), name
        shown = dataset.metadata["kedro-viz"].get("preview") is not False
        assert shown == (str(dataset._filepath).endswith(".png")), name  # a folder of plots cannot be shown


def test_every_page_is_utf_8_whatever_the_locale(pipelines, catalog):
    """Kedro writes texts in the locale's encoding, and a page says that it is UTF-8."""
    names = {output for pipeline in pipelines.values() for output in pipeline.all_outputs()}
    texts = [catalog.get(name) for name in names if type(catalog.get(name)).__name__ == "TextDataset"]
    assert len(texts) > 3
    for text in texts:
        assert text._fs_open_args_save["encoding"] == "utf-8", text


def test_what_a_stage_needs_of_another_is_in_the_catalog(pipelines, catalog):
    """So that each stage runs alone from what the catalog holds."""
    for stage in ("ingestion", "quality", "teacher", "projection", "distillation", "evaluation", "deployment"):
        for name in pipelines[stage].inputs():
            if not name.startswith(("params:", "parameters")):
                assert type(catalog.get(name)).__name__ != "MemoryDataset", f"{stage} needs {name}"


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_parameters_of_every_environment_fit_their_models(configured, env):
    assert configured(env).params


@pytest.mark.parametrize("level", ["feature", "classifier", "both"])
def test_a_matched_hard_arm_differs_from_the_soft_one_in_its_margins_alone(configured, level):
    arms = configured("base").params["arms"]
    soft, hard = (arms.get(name) for name in (f"soft_{level}", f"hard_{level}_matched"))
    assert all(constraint.margin > 0 for constraint in soft.constraints.values())
    without = {name: term.model_copy(update={"margin": 0.0}) for name, term in soft.constraints.items()}
    assert hard == soft.model_copy(update={"title": hard.title, "constraints": without})


@pytest.mark.parametrize("name", QUALITY_ARMS)
def test_arms_that_show_what_quality_weights_do_differ_from_soft_both_in_nothing_else(configured, name):
    arms = configured("base").params["arms"]
    weighed = arms.get(name)
    assert weighed.quality is not None
    assert weighed.model_copy(update={"title": "", "quality": None}) == arms.get("soft_both").model_copy(
        update={"title": ""}
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ingestion": {"splitt": 1}}, "unknown key 'splitt'.*expected one of:.*split"),
        ({"task": {"kind": "regression"}}, "task.*(verification.*classification)"),
        ({"ingestionn": {}}, "unknown parameter 'ingestionn'.*Did you mean 'ingestion'"),
    ],
)
def test_a_wrong_parameter_stops_before_any_node_and_says_what_is_allowed(run_kedro, params, message):
    with pytest.raises(Exception, match=f"(?s){message}"):
        run_kedro("ingestion", params=params)
    assert not run_kedro.data_root.exists()


def test_looking_at_the_pipelines_imports_nothing_heavy(project_path):
    code = (
        "import sys\n"
        "from kedro.framework.startup import bootstrap_project\n"
        f"bootstrap_project({str(project_path)!r})\n"
        "from kedro.framework.project import pipelines\n"
        "assert pipelines['__default__'].nodes\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project_path)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_nodes_import_what_is_heavy_only_where_they_use_it():
    for file in [
        file
        for room in ("pipelines", "studies")
        for name in ("nodes", "pipeline")
        for file in PACKAGE.glob(f"{room}/*/{name}.py")
    ]:
        heavy = [module for module, top in imports(file) if top and module.split(".")[0] in HEAVY]
        assert not heavy, f"{file.relative_to(PACKAGE)} imports {heavy} at its top"


def test_what_confirms_the_few_labels_was_in_no_dev_or_test_split_before():
    looked_at = {"base", "label_confirm"}  # the search's own split, and the one whose test figures made us think again
    fresh, *before = (
        pd.read_csv(CONF / env / "split.csv", index_col="cluster")["split"]
        for env in ("label_directions", *sorted(looked_at))
    )
    test = fresh.index[fresh == "test"]
    assert len(test) > 400
    for split in before:
        assert set(split.index) == set(fresh.index)
        assert (split.loc[test] == "train").all()
    assert set(fresh.index[fresh == "dev"]) == set(before[0].index[before[0] == "dev"])

"""Before the first node: does everything that the configuration names exist and go together, and what will be done?"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline

from cross_modal_kd.config import ConfigError
from cross_modal_kd.hooks.ends import check_runner
from cross_modal_kd.hooks.in_short import Networks, in_short
from cross_modal_kd.hooks.loader import TaskConfigLoader
from cross_modal_kd.hooks.making import command_of, made_by_any, nodes_of
from cross_modal_kd.hooks.one_writer import require_root

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

CANDIDATES, SAMPLES, PAGE, INSPECTED = "candidates", "samples", "data_page", "inspection_cache"


class PreflightHook:
    """Stops a run that could not end well before it begins, and says in a few lines what the others do.

    Raw files are listed for it, which opens none of them: so a modality that no source gives is found here, and the
    lines have their counts before the first node runs.
    """

    def __init__(self) -> None:
        self._blocks: dict[str, Any] = {}
        self._of_base = False

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the parameters, which are checked block by block by being asked for.

        Args:
            context: of the session, with its parameters.
        """
        self._blocks = dict(context.params)
        loader = context.config_loader
        self._of_base = isinstance(loader, TaskConfigLoader) and loader.under_another_name

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Check, build the networks that are to be trained, and say what will be done.

        Args:
            run_params: what Kedro says about the run.
            pipeline: of which it counts what its nodes read and make.
            catalog: with the parameters of this run.

        Raises:
            ConfigError: what is wrong, before a run is tracked; also ``data_root``, and inputs that are not there.
            SamplesError: the raw files do not give what the task asks for.
            ValueError: the runner would give other results.
            EngineError: no cluster answers where the work is to be done.
        """
        from cross_modal_kd.compute import engine_of
        from cross_modal_kd.hooks.checks import check_blocks  # imports pandas

        check_runner(str(run_params.get("runner", "")))
        _require_made_here(pipeline, catalog)
        self._blocks |= _typed(catalog)
        used = frozenset(_blocks_of(pipeline))
        if "task" not in self._blocks:  # a pipeline of somebody's own
            return
        require_root(pipeline, catalog)
        check_blocks(self._blocks, used)
        if "compute" in used:
            engine_of(self._blocks["compute"]).require()
        networks = _networks(self._blocks, used)
        _require_saved(pipeline, catalog)
        samples = _samples(self._blocks, pipeline, catalog)
        if "sources" not in used:
            return
        task, *lines = in_short(self._blocks, used, networks, samples)
        for line in (f"{task} (the task of conf/base, with other parameters)" if self._of_base else task, *lines):
            logger.info(line)


def _require_made_here(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """What is of memory alone is made in the run that reads it. Raises ConfigError, with the nodes that make it."""
    lacking = [name for name in _data_of(pipeline, catalog) if _in_memory(catalog, name) and not catalog.exists(name)]
    if lacking:
        raise ConfigError(
            f"{', '.join(lacking)}: kept in memory alone, and so made in the run that reads it. Begin with what makes "
            f"it (--from-nodes={','.join(nodes_of(lacking))}), or run the whole stage"
        )


def _require_saved(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """What other stages make lies there, all of it. Raises ConfigError, with one command for all that does not."""
    made = made_by_any()
    missing = [name for name in _data_of(pipeline, catalog) if name in made and not catalog.exists(name)]
    if not missing:
        return
    absent = [name for name in made if name in catalog and not _in_memory(catalog, name) and not catalog.exists(name)]
    is_, it = ("is", "it") if len(missing) == 1 else ("are", "them")
    raise ConfigError(
        f"{', '.join(missing)} {is_} missing: there is no {getattr(catalog.get(missing[0]), '_filepath', missing[0])}; "
        f"{command_of(missing, absent)} (with the same --env and --params) makes {it}"
    )


def _data_of(pipeline: Pipeline, catalog: CatalogProtocol) -> list[str]:
    """What a run reads of the catalog, beside parameters."""
    return [name for name in sorted(pipeline.inputs()) if not name.startswith("param") and name in catalog]


def _in_memory(catalog: CatalogProtocol, name: str) -> bool:
    return isinstance(catalog.get(name), MemoryDataset)


def _samples(blocks: Mapping[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> "pd.DataFrame | None":
    """The candidates, where the run lists them, else the samples that it reads; None where there are neither.

    Raises SamplesError where shards do not have what the table of samples names, which would be read in its place, and
    where a file has another content than ingestion saw.
    """
    if CANDIDATES in pipeline.all_outputs():
        from cross_modal_kd.pipelines.ingestion import list_ahead

        page = catalog.load(PAGE) if PAGE in pipeline.inputs() else None
        return list_ahead(blocks["task"], blocks["sources"], blocks["ingestion"], page)
    if SAMPLES not in pipeline.inputs() or not catalog.exists(SAMPLES):
        return None
    samples: pd.DataFrame = catalog.load(SAMPLES)
    if "sources" in blocks:
        from cross_modal_kd.modalities import modality_of
        from cross_modal_kd.samples import Roots, require_unchanged, update_shards

        update_shards(samples, blocks["sources"], None)
        roots = Roots(blocks["sources"])
        if cache := getattr(catalog.get(INSPECTED), "_filepath", None):
            require_unchanged(
                samples[samples["source"].isin(list(blocks["sources"].root))],
                Path(cache),
                roots.stamps,
                lambda row: modality_of(row["modality"]).digest(row, roots),
            )
    return samples


def check_environment(project: Path, env: str, pipeline: str) -> None:
    """The checks of a run's parameters, without the run, and without the networks, which take seconds to build.

    Args:
        project: the folder that holds ``conf/``.
        env: the environment.
        pipeline: name of the pipeline that would be run.

    Raises:
        ConfigError: what is wrong.
    """
    from kedro.framework.project import pipelines
    from kedro.framework.session import KedroSession

    from cross_modal_kd.hooks.checks import check_blocks

    session: Any = KedroSession.create(project, env=env, save_on_close=False)
    blocks = dict(session.load_context().params)
    check_blocks(blocks, _blocks_of(pipelines[pipeline]))


def _typed(catalog: CatalogProtocol) -> dict[str, Any]:
    """The blocks of this run, of which Kedro makes models where the pipeline's nodes ask for them."""
    parameters = catalog["parameters"].load() if "parameters" in catalog else {}
    return {name: block for name, block in parameters.items() if not isinstance(block, Mapping)}


def _blocks_of(pipeline: Pipeline) -> set[str]:
    """Names of the blocks that its nodes read."""
    return {name.removeprefix("params:").partition(".")[0] for name in pipeline.inputs() if name.startswith("params:")}


def _networks(blocks: Mapping[str, Any], used: frozenset[str]) -> Networks:
    """What is known of the networks that the run trains. Raises ConfigError for one that cannot be."""
    trained = {"student", "teacher"} & used
    if not trained or "training" not in used:
        return Networks()
    from cross_modal_kd.compute import check_started, make_fabric, pick_precision
    from cross_modal_kd.models import library_of
    from cross_modal_kd.training import Cut, parameters_of

    training, student, teacher = (blocks[name] for name in ("training", "student", "teacher"))
    task, inputs, compute = blocks["task"], blocks["inputs"], training.compute
    try:
        device = make_fabric(training).device
    except Exception as error:
        raise ConfigError(
            f"compute.accelerator {compute.accelerator!r} with compute.precision {compute.precision!r} and "
            f"compute.devices {compute.devices}: {error} Set compute.accelerator to auto, which takes what there is"
        ) from error
    if (precision := pick_precision(training)) == "16-mixed" and device.type == "cpu":
        raise ConfigError("compute.precision 16-mixed: a CPU has no half precision; set it to auto or bf16-mixed")
    check_started(compute)
    ranks = compute.count * compute.num_nodes
    own = {"training": training} | ({} if teacher.pretrained else {"teacher.training": teacher.training})
    for name, each in own.items():
        try:
            Cut(each.accumulate, each.compute.count * each.compute.num_nodes).check(each.batch_size, name)
        except ValueError as error:
            raise ConfigError(str(error)) from error
    where = str(device) if ranks == 1 else f"{ranks} x {device.type}"
    sizes = {}
    if "student" in used:
        dim = blocks["projection"].dim + student.free_dim
        sizes["student"] = parameters_of(student.encoder, inputs, dim, task.student, "student", student.pretrained)
    if "teacher" in used and library_of(teacher.encoder.library).create is not None:
        dim = teacher.embedding_dim
        size = parameters_of(teacher.encoder, inputs, dim, task.teacher, "teacher", teacher.pretrained)
        sizes |= {} if teacher.pretrained else {"teacher": size}
    return Networks(sizes, where, precision)

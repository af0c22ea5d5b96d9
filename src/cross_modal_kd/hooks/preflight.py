"""Before the first node: does everything that the configuration names exist and go together, and what will be done?"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cross_modal_kd.config import ConfigError
from cross_modal_kd.hooks.in_short import Networks, in_short

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

CANDIDATES, SAMPLES = "candidates", "samples"


class PreflightHook:
    """Stops a run that could not end well before it begins, and says in a few lines what the others do.

    The lines come as soon as it is known how many samples there are: after the raw files were listed, or at once where
    the samples table is read.
    """

    def __init__(self) -> None:
        self._blocks: dict[str, Any] = {}
        self._used: frozenset[str] = frozenset()
        self._networks = Networks()
        self._to_be_told = False

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the parameters, which are checked block by block by being asked for.

        Args:
            context: of the session, with its parameters.
        """
        self._blocks = dict(context.params)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Check, build the networks that are to be trained, and say what will be done.

        Args:
            run_params: what Kedro says about the run; its runner counts.
            pipeline: of which it counts what its nodes read and make.
            catalog: with the parameters of this run.

        Raises:
            ConfigError: what is wrong, before a run is tracked.
        """
        from cross_modal_kd.hooks.checks import check_blocks  # imports pandas

        self._blocks |= _typed(catalog)
        self._used = frozenset(_blocks_of(pipeline))
        self._to_be_told = "sources" in self._used and "task" in self._blocks
        if "task" not in self._blocks:  # a pipeline of somebody's own
            return
        check_blocks(self._blocks, self._used)
        self._networks = _networks(self._blocks, self._used)
        outputs = pipeline.all_outputs()
        # nodes of a ParallelRunner run in other processes, which this hook does not see
        if CANDIDATES not in outputs or "ParallelRunner" in str(run_params.get("runner")):
            there = SAMPLES in pipeline.inputs() and catalog.exists(SAMPLES)
            self._tell(catalog.load(SAMPLES) if there else None)

    @hook_impl
    def after_node_run(self, outputs: dict[str, Any]) -> None:
        """Say it, now that the raw files are listed.

        Args:
            outputs: of the node, by dataset.
        """
        if CANDIDATES in outputs:
            self._tell(outputs[CANDIDATES])

    def _tell(self, samples: "pd.DataFrame | None") -> None:
        if self._to_be_told:
            self._to_be_told = False
            for line in in_short(self._blocks, self._used, self._networks, samples):
                logger.info(line)


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
    from cross_modal_kd.compute import make_fabric, pick_precision
    from cross_modal_kd.models import library_of
    from cross_modal_kd.training import parameters_of

    training, student, teacher = (blocks[name] for name in ("training", "student", "teacher"))
    task, inputs = blocks["task"], blocks["inputs"]
    try:
        device = str(make_fabric(training).device)
    except Exception as error:
        raise ConfigError(
            f"training.accelerator {training.accelerator!r} with training.precision {training.precision!r}: {error}"
        ) from error
    sizes = {}
    if "student" in used:
        dim = blocks["projection"].dim + student.free_dim
        sizes["student"] = parameters_of(student.encoder, inputs, dim, task.student, "student")
    if "teacher" in used and library_of(teacher.encoder.library).create is not None:
        size = parameters_of(teacher.encoder, inputs, teacher.embedding_dim, task.teacher, "teacher")
        sizes |= {} if teacher.pretrained else {"teacher": size}
    return Networks(sizes, device, pick_precision(training))

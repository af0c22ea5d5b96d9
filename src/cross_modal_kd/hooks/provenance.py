"""Beside the reported files, how each came about: the command, the seeds, the machine, the commit, the time.

``provenance.json`` in the folder of the catalog's ``reporting_folder``: {file: {command, seeds, date, sha256, ...}}.
The hash tells whether the file is still the one that was written then. The pipeline `results` sets this beside every
table.
"""

import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cross_modal_kd.config import ConfigError, KnownLabels
from cross_modal_kd.storage import guarded, parse_json, write_whole
from cross_modal_kd.tracking import (
    ThisRun,
    command,
    device_facts,
    git_facts,
    leaves,
    set_this_run,
    this_run,
    without_other_arms,
)

logger = logging.getLogger(__name__)

FOLDER = "reporting_folder"
FILE = "provenance.json"
STUDENT, HISTORY = ".student", "history.csv"
PROJECTIONS, FITTED = {"projection_mlp", "projection_pca"}, "projection_history.csv"
# what studies read that train students of their own; `robustness` reads the comparison's block as well, and trains none
TRAINS = ({"params:comparison", "params:teacher"}, {"params:tuning"}, {"params:regimes"})
SEEDS = ("seed", "seeds")
FROZEN = "ingestion.split.frozen"
# how much was spent; of a table only what counts for it is shown (pipeline `results`)
BUDGET = ("training.epochs", "training.min_steps", "tuning.trials", "tuning.epochs", "tuning.repeats")
# what a student depends on; of a comparison's or a page's blocks it does not
OF_A_STUDENT = (
    *("task", "sources", "ingestion", "inputs", "quality", "teacher", "projection", "student", "training"),
    *("arms", "distillation"),
)
WHERE_AND_HOW = ("root", "frozen", "workers", "cache_mb", "shards", "mb")  # a path is another one from another folder
ALL_KNOWN: dict[str, Any] = {"share": 1.0}
KEPT = ("git.sha", "git.dirty", "device.cpu", "device.cores", "device.threads", "device.gpus")


class ProvenanceHook:
    """Notes every file that a run saves into the reporting folder."""

    def __init__(self) -> None:
        self._project = Path.cwd()
        self._seeds: dict[str, Any] = {}
        self._spent: dict[str, Any] = {}
        self._command = ""
        self._params: dict[str, Any] = {}
        self._blocks: dict[str, str] = {}
        self._labels = ALL_KNOWN
        self._catalog: CatalogProtocol | None = None
        self._folder: Path | None = None
        self._facts: dict[str, str] | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Note the project's folder, every parameter that is called ``seed`` or ``seeds``, the split and the budget.

        Args:
            context: Kedro's, with the parameters of the run.
        """
        self._project = Path(context.project_path)
        self._blocks = digests(context.params)
        known = dict(leaves(context.params))
        self._labels = known_labels(known)
        self._seeds = {name: value for name, value in known.items() if name.rpartition(".")[2] in SEEDS}
        self._spent = {
            "budget": {name: known[name] for name in BUDGET if known.get(name) is not None},
            "split": _split(known.get(FROZEN), self._project),
        }

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Note the command and the reporting folder; where the catalog has none, nothing is noted later.

        It is warned of, here and on the pages, if the students that the run takes as they are were made with other
        ``--params``, or its projections were fitted on other labels.

        Args:
            run_params: what Kedro says about the run.
            pipeline: whose inputs may be students and projections.
            catalog: in which saved datasets are looked up.

        Raises:
            ConfigError: students are to be trained with projections that were fitted on other labels.
        """
        # where a run writes is of no interest to who reads its numbers
        runtime = {key: value for key, value in (run_params.get("runtime_params") or {}).items() if key != "data_root"}
        self._command = command({**run_params, "runtime_params": runtime})
        folder = getattr(catalog.get(FOLDER), "_filepath", None) if FOLDER in list(catalog) else None
        self._folder = None if folder is None else Path(folder).resolve()
        self._catalog, self._facts, self._params = catalog, None, runtime
        remarks = () if self._folder is None else tuple(self._found(pipeline, self._folder))
        for remark in remarks:
            logger.warning(remark)
        # the command is to be typed again where it was typed
        set_this_run(ThisRun(command(run_params), self._project, remarks))

    def _found(self, pipeline: Pipeline, folder: Path) -> Iterator[str]:
        """What is to be warned of. Raises ConfigError where students would be trained."""
        inputs = pipeline.inputs()
        yield from other_students(folder, inputs, self._blocks)
        if PROJECTIONS & inputs and (other := other_labels(folder, self._labels)):
            if any(blocks <= inputs for blocks in TRAINS) or any(
                name.endswith(STUDENT) for name in pipeline.all_outputs()
            ):
                raise ConfigError(other)
            yield other

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Write the provenance of a dataset whose file lies in the reporting folder; others are passed over.

        Args:
            dataset_name: as the catalog has it.
            data: that was saved; metrics say how many training samples have a label, where some have none.
        """
        if self._catalog is None or self._folder is None:
            return
        path = getattr(self._catalog.get(dataset_name), "_filepath", None)
        file = None if path is None else Path(path).resolve()
        if file is None or not file.is_file() or not file.is_relative_to(self._folder):
            return
        if self._facts is None:
            known = git_facts(self._project) | device_facts()
            self._facts = {name: known[name] for name in KEPT if name in known}
        made = {"command": self._command, "params": self._params, "seeds": self._seeds, **self._spent, **self._facts}
        labels = data.get("labels") if isinstance(data, dict) else None
        made |= {} if labels is None else {"labels": labels}
        made |= {"remarks": list(this_run().remarks)} if this_run().remarks else {}
        made |= {"blocks": self._blocks} if file.name == HISTORY else {}
        note(self._folder, file, made | ({"labelled": self._labels} if file.name == FITTED else {}))


def _split(frozen: Any, project: Path) -> str:
    """The file that holds the split, as it is called in the project; ``drawn`` where it was drawn by its seed."""
    if frozen is None:
        return "drawn"
    file = project / str(frozen)
    return file.relative_to(project).as_posix() if file.is_relative_to(project) else file.name


def digests(blocks: Mapping[str, Any]) -> dict[str, str]:
    """What the parameters that a student depends on come to, wherever they were written.

    Args:
        blocks: Every block by name, resolved.

    Returns:
        Twelve hexadecimal digits a block of ``OF_A_STUDENT``.
    """
    of_a_student = without_other_arms({name: blocks[name] for name in OF_A_STUDENT if name in blocks})
    texts = {}
    for name, block in of_a_student.items():
        counted = {key: value for key, value in leaves(block, name) if key.rpartition(".")[2] not in WHERE_AND_HOW}
        texts[name] = json.dumps(counted, sort_keys=True, default=str)
    return {name: hashlib.sha256(text.encode()).hexdigest()[:12] for name, text in texts.items()}


def other_students(folder: Path, inputs: Collection[str], blocks: Mapping[str, str]) -> Iterator[str]:
    """What is to be warned of before students are measured that another run has made.

    Args:
        folder: with the notes of their trainings.
        inputs: of the pipeline, students among them (``<arm>.student``).
        blocks: of this run, as ``digests`` gives them, whether conf or ``--params`` says so.

    Yields:
        A sentence for each student that was made with others: pages and MLflow show the parameters of the run.
    """
    arms = sorted(name.removesuffix(STUDENT) for name in inputs if name.endswith(STUDENT))
    known = read_notes(folder / FILE) if arms else {}
    for arm in arms:
        made = known.get(f"{arm}/{HISTORY}", {})
        before = made.get("blocks", blocks)
        if not isinstance(before, dict):  # damaged
            continue
        if other := [name for name in blocks if before.get(name) != blocks[name]]:
            yield (
                f"the student {arm!r} was made by `{made.get('command', 'another run')}`, with other parameters "
                f"({', '.join(other)}) than this run's, which its page and MLflow are going to show: give both "
                "the same configuration and --params, or run distillation again"
            )


def known_labels(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """By which labels a projection is fitted.

    Args:
        parameters: by dotted name; what ``distillation.labelled`` does not say is as its model has it.

    Returns:
        ``share``, and where that is drawn ``draw``.
    """
    unsaid = KnownLabels()
    share, draw = (parameters.get(f"distillation.labelled.{key}") for key in ("share", "draw"))
    share = unsaid.share if share is None else share
    if share in (0, 1):
        return {"share": float(share)}
    return {"share": share, "draw": unsaid.draw if draw is None else draw}  # checked where it is read


def other_labels(folder: Path, labels: Mapping[str, Any]) -> str:
    """What is wrong with projections that were fitted on other labels than a run goes by; empty where nothing is.

    Args:
        folder: with the note of their fit.
        labels: of this run, as ``known_labels`` gives them.

    Returns:
        A sentence without its end.
    """
    made = read_notes(folder / FILE).get(FITTED, {})
    before = made.get("labelled", labels)
    if before == labels or not isinstance(before, dict):
        return ""
    was, now = (", ".join(f"{key} {value}" for key, value in each.items()) for each in (before, labels))
    return (
        f"the projections were fitted by `{made.get('command', 'another run')}` with distillation.labelled: {was}, and "
        f"this run's is: {now}. They know other labels than it would say of its students: run "
        "`kedro run --pipelines=projection` first, with the same --env and --params"
    )


def note(folder: Path, file: Path, facts: Mapping[str, Any]) -> None:
    """Put down what is known of one file, with the time (UTC) and its SHA-256; what is known of the others stays.

    Several processes may do so at once: none loses an entry of another.

    Args:
        folder: that holds ``provenance.json``, which is made where there is none.
        file: in the folder or below it; it is read.
        facts: by name, JSON values.
    """
    entry = {
        **facts,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    with guarded(folder / f".{FILE}.lock"):
        known = read_notes(folder / FILE)
        known[file.relative_to(folder).as_posix()] = entry
        write_whole(folder / FILE, json.dumps(known, indent=1, sort_keys=True))


def read_notes(notes: Path) -> dict[str, Any]:
    """What is noted yet; a damaged file is set aside, with a warning, and begun afresh.

    Args:
        notes: a JSON object of objects; one that is not there is empty.

    Returns:
        Its content.
    """
    if not notes.is_file():
        return {}
    try:
        known = parse_json(notes)
        if isinstance(known, dict) and all(isinstance(entry, dict) for entry in known.values()):
            return known
        reason = f"it must be an object of objects, found {str(known)[:40]}"
    except ValueError as error:
        reason = str(error)
    aside = notes.with_name(f"{notes.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}.damaged")
    notes.replace(aside)
    logger.warning("%s is damaged (%s): set aside as %s and begun afresh", notes, reason, aside.name)
    return {}

"""What a run reads goes together: made of the samples, and of the models, that it would be set beside now.

``lineage.json`` in the folder of the catalog's ``reporting_folder`` notes for every saved dataset what it was made of:
``{dataset: {samples, learnt, <model>: ...}}``. ``samples`` is a digest of the whole table of samples, ``learnt`` one of
its training and dev rows alone, which is what a model is of: test samples may change without a training anew. A model
is known by the SHA-256 of its weights (of its configuration, where it has none of its own). What was made before there
was such a note tells nothing, and is let through.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cross_modal_kd.config import ConfigError
from cross_modal_kd.datasets import ModelDataset
from cross_modal_kd.hooks.provenance import FOLDER, read_notes
from cross_modal_kd.models import CONFIG
from cross_modal_kd.storage import SUMS, guarded, parse_json, write_whole

if TYPE_CHECKING:
    import pandas as pd

FILE = "lineage.json"
SAMPLES, LEARNT = "samples", "learnt"
# what a sample is; where its file lies, and what follows from its content, does not count
COLUMNS = ("sample_id", "modality", "label", "group", "family", "domain", "split", "text", "sha256")
LEARNT_SPLITS = ("train", "dev")

Origin = dict[str, str]
"""Digest by name: of ``samples``, of ``learnt``, of each model."""


class LineageHook:
    """Refuses a run before its first node, or as soon as it has made samples or a model that others are not of."""

    def __init__(self) -> None:
        self._pipeline = Pipeline([])
        self._catalog: Any = None
        self._notes: Path | None = None
        self._known: dict[str, dict[str, Any]] = {}
        self._ancestors: dict[str, frozenset[str]] = {}

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Compare what the run reads with the samples and models that it reads beside; nothing is loaded but a table.

        Args:
            pipeline: whose free inputs are looked up.
            catalog: in which they lie.

        Raises:
            ConfigError: what is of others, and the command that makes it anew.
        """
        folder = getattr(catalog.get(FOLDER), "_filepath", None) if FOLDER in list(catalog) else None
        self._pipeline, self._catalog = pipeline, catalog
        self._notes = None if folder is None else Path(folder).resolve() / FILE
        self._known = {} if self._notes is None else read_notes(self._notes)
        self._ancestors = {}
        self._check(self._roots(pipeline.inputs()))

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Note what it was made of; samples and models are set beside what the rest of the run is going to read.

        Args:
            dataset_name: as the catalog has it.
            data: that was saved; of samples the table.

        Raises:
            ConfigError: what is of others, and the command that makes it anew.
        """
        path = self._path(dataset_name)
        if self._notes is None or path is None or not path.exists():
            return
        made = {name: entry for name, entry in self._known.items() if name != dataset_name}
        found: dict[str, Any] = {"of": self._made_of(dataset_name)}
        if dataset_name == SAMPLES:
            found |= _of_table(data, path)
        self._known = made | {dataset_name: found}
        with guarded(self._notes.with_name(f".{FILE}.lock")):
            write_whole(self._notes, _text(read_notes(self._notes) | {dataset_name: found}))
        self._check(self._roots([dataset_name]))

    def _roots(self, names: Iterable[str]) -> list[str]:
        return sorted(name for name in names if name == SAMPLES or self._is_model(name))

    def _check(self, roots: Iterable[str]) -> None:
        """Free inputs that are of another of the roots than now lies there."""
        noted = {name: self._known.get(name, {}).get("of") for name in self._pipeline.inputs()}
        entries = {name: entry for name, entry in sorted(noted.items()) if isinstance(entry, dict) and entry}
        if not entries:
            return
        now: Origin = {}
        for root in roots:
            now |= self._digests(root)
        other = {
            name: sorted({_root_of(each) for each in now if now[each] != entry.get(each, now[each])})
            for name, entry in entries.items()
        }
        if other := {name: of for name, of in other.items() if of}:
            raise ConfigError(_refusal(other))

    def _made_of(self, name: str) -> Origin:
        """What the saved datasets that it was made from are of, and those themselves, where they are samples or models.

        What comes out of a training is of the training and dev samples alone.
        """
        origin: Origin = {}
        for each in sorted(self._saved_before(name)):
            entry = self._known.get(each, {}).get("of")
            origin |= entry if isinstance(entry, dict) else {}
            origin |= self._digests(each)
        node = next((node for node in self._pipeline.nodes if name in node.outputs), None)
        if node is not None and any(self._is_model(output) for output in node.outputs):
            origin.pop(SAMPLES, None)
        return origin

    def _saved_before(self, name: str) -> frozenset[str]:
        """The datasets on disk that it was made from, straight or through what stayed in memory."""
        if name not in self._ancestors:
            node = next((node for node in self._pipeline.nodes if name in node.outputs), None)
            found: set[str] = set()
            for each in () if node is None else node.inputs:
                found |= {each} if self._path(each) is not None else self._saved_before(each)
            self._ancestors[name] = frozenset(found)
        return self._ancestors[name]

    def _digests(self, root: str) -> Origin:
        """Of samples or of a model as they lie there; none of anything else, or where nothing is there."""
        path = self._path(root)
        if path is None or not path.exists():
            return {}
        if root == SAMPLES:
            known = self._known.get(root, {})
            if known.get("file") != _stamp(path):
                import pandas as pd

                known = known | _of_table(pd.read_parquet(path, columns=list(COLUMNS)), path)
                self._known[root] = known
            return {SAMPLES: known[SAMPLES], LEARNT: known[LEARNT]}
        return {root: weights} if self._is_model(root) and (weights := _weights(path)) else {}

    def _is_model(self, name: str) -> bool:
        return isinstance(self._dataset(name), ModelDataset)

    def _dataset(self, name: str) -> Any:
        catalog = self._catalog
        return catalog.get(name) if catalog is not None and not name.startswith("param") and name in catalog else None

    def _path(self, name: str) -> Path | None:
        path = getattr(self._dataset(name), "_filepath", None)
        return None if path is None else Path(path)


def _weights(folder: Path) -> str:
    """SHA-256 of a model's tensors, else of its configuration; empty of a damaged one, of which its reader tells."""
    try:
        sums = parse_json(folder / SUMS)
    except (ValueError, OSError):
        return ""
    if not isinstance(sums, dict):
        return ""
    return ",".join(sorted(map(str, ({file: sums[file] for file in sums if file != CONFIG} or sums).values())))


def _root_of(digest: str) -> str:
    return SAMPLES if digest == LEARNT else digest


def _stamp(path: Path) -> list[int]:
    """What tells a file from that of another write, without reading it."""
    stat = path.stat()
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]


def _of_table(table: "pd.DataFrame", path: Path) -> dict[str, Any]:
    """Digests of the table of samples, in O(N), and of which file they are."""
    from cross_modal_kd.tracking import fingerprint

    table = table[list(COLUMNS)]
    learnt = table[table["split"].isin(LEARNT_SPLITS)]
    return {SAMPLES: fingerprint(table), LEARNT: fingerprint(learnt), "file": _stamp(path)}


def _refusal(other: Mapping[str, list[str]]) -> str:
    """What is of others, of which, and how it is made anew."""
    from kedro.framework.project import pipelines

    roots = " and ".join(sorted({root for of in other.values() for root in of}))
    made = {name: pipeline.all_outputs() for name, pipeline in pipelines.items() if not name.startswith("__")}
    makers = {
        min((name for name in made if each in made[name]), key=lambda name: len(made[name]), default="")
        for each in other
    }
    stages = ",".join(name for name in made if name in makers)
    return (
        f"{', '.join(other)}: made of other {roots} than there are now, beside which this run would set them; "
        f"`kedro run --pipelines={stages}`, with the same --env and --params, makes them anew"
    )


def _text(notes: Mapping[str, Any]) -> str:
    return json.dumps(notes, indent=1, sort_keys=True)

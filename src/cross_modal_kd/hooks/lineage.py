"""What a run reads goes together: made of the samples and of the models that lie there now, by the parameters of now.

``lineage/<dataset>.json`` in the folder of the catalog's ``reporting_folder`` notes for every saved dataset what it was
made of and by: ``{of: {samples, learnt, <model>: ...}, by: {<block>: ...}}``. ``samples`` tells the whole table of
samples, ``learnt`` its training and dev rows alone, which is what a model is of: test samples may change without a
training anew. A model is known by the SHA-256 of its configuration and its weights, a block of parameters by a digest
of its values. What was made before there was such a note tells nothing, and is let through; what is packaged stands
alone.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cross_modal_kd.config import ConfigError
from cross_modal_kd.datasets import ModelDataset
from cross_modal_kd.hooks.making import command_of
from cross_modal_kd.hooks.provenance import FILE, FOLDER, HISTORY, STUDENT, digests, read_notes
from cross_modal_kd.storage import SUMS, parse_json, write_whole
from cross_modal_kd.tracking import leaves, set_this_run, this_run

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

NOTES = "lineage"
SAMPLES, LEARNT = "samples", "learnt"
# what a sample is; what follows from its content does not count
COLUMNS = ("sample_id", "modality", "label", "group", "family", "domain", "split", "path", "text", "sha256")
LEARNT_SPLITS = ("train", "dev")
ALONE = (".packaged", ".exported")
OF_STUDENTS = ("student", "training", "arms", "distillation")
"""Blocks that count in what is made of a student; weights and pairs, which read some of them too, fit other arms."""
MIXED = "mixed"
"""The digest of what was made from things that differ in it: that of no run."""

Origin = dict[str, str]
"""Digest by name: of ``samples``, of ``learnt``, of each model; or of each block."""


class LineageHook:
    """Refuses a run before its first node, or before the next where a node has made what others are not of."""

    def __init__(self) -> None:
        self._pipeline = Pipeline([])
        self._catalog: Any = None
        self._notes: Path | None = None
        self._known: dict[str, dict[str, Any]] = {}
        self._before: dict[str, frozenset[str]] = {}
        self._blocks: dict[str, str] = {}
        self._of_provenance: dict[str, str] = {}
        self._fresh: list[str] = []

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep what the blocks of parameters come to.

        Args:
            context: Kedro's, with the parameters of the run.
        """
        self._of_provenance = digests(context.params)
        self._blocks = digests(_that_count(context.params))

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Compare what the run reads with the samples, the models and the parameters of now.

        Nothing is loaded but a table of samples that another program has written. Other parameters are warned of.

        Args:
            pipeline: whose free inputs are looked up.
            catalog: in which they lie.

        Raises:
            ConfigError: what is of other samples or models, and the command that makes it anew.
        """
        folder = getattr(catalog.get(FOLDER), "_filepath", None) if FOLDER in list(catalog) else None
        self._pipeline, self._catalog, self._before, self._fresh = pipeline, catalog, {}, []
        self._notes = None if folder is None else Path(folder).resolve() / NOTES
        self._known = (
            {} if self._notes is None else {file.stem: read_notes(file) for file in self._notes.glob("*.json")}
        )
        made = pipeline.all_outputs()
        named = {_root_of(name) for entry in self._entries("of").values() for name in entry}
        self._check(named - made)
        remarks = tuple(self._other_parameters())
        for remark in remarks:
            logger.warning(remark)
        set_this_run(replace(this_run(), remarks=(*this_run().remarks, *remarks)))

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Note what it was made of.

        Args:
            dataset_name: as the catalog has it.
            data: that was saved; of samples the table.
        """
        path = self._path(dataset_name)
        if self._notes is None or path is None or not path.exists():
            return
        found: dict[str, Any] = {"of": self._made_of(dataset_name), "by": self._made_by(dataset_name)}
        if dataset_name == SAMPLES:
            found |= {"table": _of_table(data, path)}
        self._known[dataset_name] = found
        self._notes.mkdir(parents=True, exist_ok=True)
        write_whole(note_of(self._notes, dataset_name), json.dumps(found, indent=1, sort_keys=True))
        if dataset_name == SAMPLES or self._is_model(dataset_name):
            self._fresh.append(dataset_name)

    @hook_impl
    def before_node_run(self) -> None:
        """Set samples and models that a node has made, and saved with all its outputs, beside what is read from now on.

        Raises:
            ConfigError: what is of others, and the command that makes it anew.
        """
        fresh, self._fresh = self._fresh, []
        if fresh:
            self._check(fresh)

    def _noted(self, part: str) -> dict[str, Origin]:
        """What was noted of every dataset, as far as anything was."""
        found = {name: _texts(entry.get(part)) for name, entry in self._known.items()}
        return {name: found[name] for name in sorted(found) if found[name]}

    def _entries(self, part: str) -> dict[str, Origin]:
        """What was noted of the free inputs; what is packaged stands alone."""
        inputs = self._pipeline.inputs()
        return {name: of for name, of in self._noted(part).items() if name in inputs and not name.endswith(ALONE)}

    def _check(self, roots: Iterable[str]) -> None:
        """Raise where free inputs are of another of the roots than now lies there."""
        entries = self._entries("of")
        if not entries:
            return
        now: Origin = {}
        for root in roots:
            now |= self._digests(root)
        if other := {name: differ for name, entry in entries.items() if (differ := _differ(entry, now))}:
            raise ConfigError(_refusal(other, entries, now, self._outdated(now)))

    def _outdated(self, now: Origin) -> set[str]:
        """All that is noted of another root than there is now, or of a model that is."""
        known = self._noted("of")
        found = {name for name, entry in known.items() if _differ(entry, now)}
        while more := {name for name, entry in known.items() if name not in found and found & set(entry)}:
            found |= more
        return found

    def _other_parameters(self) -> Iterator[str]:
        """Sentences of inputs that were made by other blocks than this run's, where provenance does not say it."""
        other = {
            name: {block for block in entry if self._blocks.get(block, entry[block]) != entry[block]}
            for name, entry in self._noted("by").items()
        }
        told, groups = self._told(), dict[tuple[str, ...], list[str]]()
        for name in self._entries("by"):
            if blocks := tuple(sorted(other[name] - told)):
                groups.setdefault(blocks, []).append(name)
        for blocks, names in groups.items():
            yield (
                f"{', '.join(names)}: made with other parameters ({', '.join(blocks)}) than this run's, which its page "
                "and MLflow are going to show: give both the same configuration and --params, or "
                f"{command_of(names, (name for name in other if other[name]))} first"
            )

    def _told(self) -> set[str]:
        """The blocks of the students that are read of which the hook of provenance warns."""
        found: set[str] = set()
        students = [name for name in self._pipeline.inputs() if name.endswith(STUDENT)]
        known = read_notes(self._notes.parent / FILE) if self._notes is not None and students else {}
        for student in students:
            made = _texts(known.get(f"{student.removesuffix(STUDENT)}/{HISTORY}", {}).get("blocks"))
            found |= {block for block in self._of_provenance if made and made.get(block) != self._of_provenance[block]}
        return found

    def _made_of(self, name: str) -> Origin:
        """What the saved datasets that it was made from are of, and those themselves, where they are samples or models.

        What comes out of a training is of the training and dev samples alone.
        """
        before, noted = sorted(self._saved_before(name)), self._noted("of")
        origin = _merged([*(noted.get(each, {}) for each in before), *map(self._digests, before)])
        node = next((node for node in self._pipeline.nodes if name in node.outputs), None)
        if node is not None and any(self._is_model(output) for output in node.outputs):
            origin.pop(SAMPLES, None)
        return origin

    def _made_by(self, name: str) -> Origin:
        """The blocks that decided it and what it was made from."""
        noted = self._noted("by")
        own = {
            each.removeprefix("params:").partition(".")[0] for each in self._read_by(name) if each.startswith("params:")
        }
        blocks = {block: digest for block, digest in self._blocks.items() if block in own}
        found = _merged([*(noted.get(each, {}) for each in sorted(self._saved_before(name))), blocks])
        if name.endswith((STUDENT, ".history")) or any(each.endswith(STUDENT) for each in self._made_of(name)):
            return found
        return {block: digest for block, digest in found.items() if block not in OF_STUDENTS}

    def _read_by(self, name: str) -> frozenset[str]:
        """Names that its node reads, and those that were read for what it has of this run's memory."""
        node = next((node for node in self._pipeline.nodes if name in node.outputs), None)
        found: set[str] = set()
        for each in () if node is None else node.inputs:
            found |= {each} if each.startswith("params:") or self._path(each) is not None else self._read_by(each)
        return frozenset(found)

    def _saved_before(self, name: str) -> frozenset[str]:
        """The datasets on disk that it was made from, straight or through what stayed in memory."""
        if name not in self._before:
            self._before[name] = frozenset(each for each in self._read_by(name) if self._path(each) is not None)
        return self._before[name]

    def _digests(self, root: str) -> Origin:
        """Of samples or of a model as they lie there; none of anything else, or where nothing is there."""
        path = self._path(root)
        if path is None or not path.exists():
            return {}
        if root == SAMPLES:
            known = self._known.get(root, {}).get("table", {})
            if known.get("file") != _stamp(path):
                import pandas as pd

                known = _of_table(pd.read_parquet(path, columns=list(COLUMNS)), path)
                self._known[root] = self._known.get(root, {}) | {"table": known}
            return {name: str(known.get(name, "")) for name in (SAMPLES, LEARNT)}
        return {root: content} if self._is_model(root) and (content := _content(path)) else {}

    def _is_model(self, name: str) -> bool:
        return isinstance(self._dataset(name), ModelDataset)

    def _dataset(self, name: str) -> Any:
        catalog = self._catalog
        return catalog.get(name) if catalog is not None and not name.startswith("param") and name in catalog else None

    def _path(self, name: str) -> Path | None:
        path = getattr(self._dataset(name), "_filepath", None)
        return None if path is None else Path(path)


def note_of(notes: Path, name: str) -> Path:
    """The file that says what a dataset was made of.

    Args:
        notes: the folder ``lineage``.
        name: as the catalog has it.

    Returns:
        Its path, whether it is there or not.
    """
    return notes / f"{name}.json"


def _that_count(blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Without how a teacher is trained, where none is."""
    teacher = dict(leaves(blocks["teacher"], "teacher")) if "teacher" in blocks else {}
    if not teacher.get("teacher.pretrained"):
        return dict(blocks)
    return {
        **blocks,
        "teacher": {key: value for key, value in teacher.items() if not key.startswith("teacher.training")},
    }


def _texts(entry: Any) -> Origin:
    """The texts of a note by their names; empty of one that is damaged."""
    return {key: value for key, value in entry.items() if isinstance(value, str)} if isinstance(entry, dict) else {}


def _merged(entries: Iterable[Origin]) -> Origin:
    """One note of several: ``MIXED`` where two of them differ."""
    found: Origin = {}
    for entry in entries:
        found |= {name: digest if found.get(name, digest) == digest else MIXED for name, digest in entry.items()}
    return found


def _differ(entry: Mapping[str, str], now: Origin) -> set[str]:
    return {name for name, digest in entry.items() if now.get(name, digest) != digest}


def _content(folder: Path) -> str:
    """SHA-256 of a model's configuration and tensors; empty of a damaged one, of which its reader tells."""
    try:
        sums = parse_json(folder / SUMS)
    except (ValueError, OSError):
        return ""
    return ",".join(sorted(map(str, sums.values()))) if isinstance(sums, dict) else ""


def _root_of(digest: str) -> str:
    return SAMPLES if digest == LEARNT else digest


def _stamp(path: Path) -> list[int]:
    """What tells a file from that of another write, without reading it."""
    stat = path.stat()
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]


def _of_table(table: "pd.DataFrame", path: Path) -> dict[str, Any]:
    """``<rows>-<digest>`` of all samples and of those that are learnt from, in O(N), and of which file they are."""
    from cross_modal_kd.tracking import fingerprint

    table = table[list(COLUMNS)]
    parts = {SAMPLES: table, LEARNT: table[table["split"].isin(LEARNT_SPLITS)]}
    return {name: f"{len(rows)}-{fingerprint(rows)}" for name, rows in parts.items()} | {"file": _stamp(path)}


def _refusal(
    other: Mapping[str, set[str]], entries: Mapping[str, Mapping[str, str]], now: Origin, outdated: set[str]
) -> str:
    """What is of others, of which, and how it is made anew."""
    roots = sorted({_root_of(each) for of in other.values() for each in of})
    told = [_samples_then(entries.values(), now) if root == SAMPLES else root for root in roots]
    return (
        f"{', '.join(other)}: made of other {' and '.join(told)} than there are now. {command_of(other, outdated)}, "
        "with the same --env and --params, makes anew what is of others"
    )


def _samples_then(entries: Iterable[Mapping[str, str]], now: Origin) -> str:
    """How many samples there were and are, and whether the test alone is another."""
    were = {name: sorted({entry[name] for entry in entries if name in entry}) for name in (SAMPLES, LEARNT)}
    changed = LEARNT if any(each != now.get(LEARNT, each) for each in were[LEARNT]) else SAMPLES
    counts = {each.partition("-")[0] for each in were[changed]}
    which = "training and dev samples" if changed == LEARNT else "test samples"
    of = "training and dev" if changed == LEARNT else "all"
    return f"{which} ({of}: {' or '.join(sorted(counts))} then, {now.get(changed, '').partition('-')[0]} now)"

"""What is wrong with parameters that are right block by block, found before any node runs."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cross_modal_kd.config import ConfigError, EncoderConfig, Reference, SourcesConfig, Strict, libraries_of, nearest
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import library_of
from cross_modal_kd.samples import SPLITS, Roots, SamplesError, read_frozen
from cross_modal_kd.sources import check_source, expected_in
from cross_modal_kd.tasks import kind_of, names_classes, require_words, require_words_beside

# checked whatever runs: a stage alone is soon followed by the next
ALWAYS = ("distillation",)
STUDIES = {"comparison", "tuning", "regimes"}  # that train students of their own
READ_HERE = ("task", "sources", "ingestion", "quality", "teacher", "projection", "student", "arms")


@dataclass(frozen=True)
class Run:
    """blocks: every block by name, as its model. used: names of those that the run reads."""

    blocks: Mapping[str, Any]
    used: Collection[str]


def check_blocks(blocks: Mapping[str, Any], used: Collection[str]) -> None:
    """Make sure that the blocks go together.

    Args:
        blocks: Every block by name, as its model.
        used: Names of those that the run reads.

    Raises:
        ConfigError: Everything that is wrong, a line each.
    """
    if missing := [name for name in READ_HERE if name not in blocks]:
        raise ConfigError(f"conf/*/parameters*.yml: the block(s) {', '.join(missing)} are missing")
    problems = [problem for check in _CHECKS for problem in check(Run(blocks, used))]
    if problems:
        raise ConfigError("\n".join(problems))


def _names(run: Run) -> Iterator[str]:
    """Names of arms, measures and degradations that are not there."""
    task = run.blocks["task"]
    for reference in _references(run):
        if reference.modality in (None, task.student, task.teacher):
            yield from _name(reference, run)


def _references(run: Run) -> Iterator[Reference]:
    for name in dict.fromkeys([*ALWAYS, *sorted(run.used)]):
        if isinstance(block := run.blocks.get(name), Strict):
            yield from block.references()


def _name(reference: Reference, run: Run) -> Iterator[str]:
    there = _there(reference, run)
    what = reference.what if reference.modality is None else f"{reference.what} of {reference.modality}"
    if reference.name not in there:
        yield f"{reference.key}: there is no {what} {reference.name!r}. {nearest(reference.name, list(there))}"
    elif reference.levels:
        lowest, highest = there[reference.name].allowed
        if wrong := [level for level in reference.levels if not lowest <= level <= highest]:
            allowed = f"from {lowest} to {highest} ({there[reference.name].unit})"
            yield f"{reference.key}.{reference.name}: expected levels {allowed}, found {wrong}"


def _there(reference: Reference, run: Run) -> Mapping[str, Any]:
    if reference.modality is None:
        return run.blocks["arms"].root
    modality = modality_of(reference.modality)
    return modality.measures if reference.what == "measure" else modality.degradations


def _misfits(run: Run) -> Iterator[str]:
    """What a block finds itself."""
    for name in sorted(run.used):
        if isinstance(block := run.blocks.get(name), Strict):
            yield from block.misfits(run.blocks)


def _answers(run: Run) -> Iterator[str]:
    """Arms of an open-set task whose student would answer by a classifier: it is asked for an embedding."""
    if kind_of(run.blocks["task"]).design.closed_set:
        return
    arms = run.blocks["arms"].root
    for name in dict.fromkeys(each.name for each in _references(run) if each.what == "arm"):
        if name in arms and arms[name].answer != "own":
            yield (
                f"arms.{name}.answer is {arms[name].answer!r}, which is for classification; a student of "
                f"{run.blocks['task'].kind} is asked for an embedding: take it away"
            )


def _margins(run: Run) -> Iterator[str]:
    """Margins that move, of a task whose classifier has none."""
    task = run.blocks["task"]
    if "training" in run.used and kind_of(task).design.closed_set:
        for name in ("margin_schedule", "large_margin"):
            if getattr(run.blocks["training"], name) is not None:
                yield f"training.{name} is of the AAM-softmax of a verification task; a {task.kind} has none"


def _encoders(run: Run) -> Iterator[str]:
    """Encoders of another modality than the task's, and names and options that can be checked without their library."""
    task = run.blocks["task"]
    for role, modality in (("student", task.student), ("teacher", task.teacher)):
        encoder: EncoderConfig = run.blocks[role].encoder
        there = libraries_of(modality)
        if role == "student":
            there = {name: traits for name, traits in there.items() if traits.trainable}
        if encoder.library not in there:
            yield (
                f"{role}.encoder.library is {encoder.library!r}, but task.{role} is {modality!r}, whose "
                f"{'trainable ' if role == 'student' else ''}encoders are of: {', '.join(there) or 'none'}"
            )
        elif (check := library_of(encoder.library).check) is not None:
            try:
                check(encoder)
            except ValueError as error:
                yield str(error)


def _sources(run: Run) -> Iterator[str]:
    """Layouts and options that are not there; folders and the frozen split too, where the run reads them."""
    sources = run.blocks["sources"]
    if "ingestion" in run.used:
        try:
            read_frozen(run.blocks["ingestion"].split, tell=False)
        except SamplesError as error:
            yield str(error)
        if run.blocks["ingestion"].shards is not None and not any(each.shards for each in sources.root.values()):
            yield f"ingestion.shards: no source says where to; give sources.{next(iter(sources.root))}.shards a folder"
    for name, source in sources.root.items():
        try:
            check_source(name, source)
            if "ingestion" not in run.used and source.shards is not None:
                Roots(sources).shards(name)
            elif "sources" in run.used:
                yield from _place(name, sources)
        except SamplesError as error:
            yield str(error)


def _place(name: str, sources: SourcesConfig) -> Iterator[str]:
    """A source whose folder is not there, and where its data may be put."""
    try:
        Roots(sources).root(name)
    except SamplesError as error:
        holds = expected_in(sources.root[name].layout)
        yield (
            f"{error}.{f' {holds}' if holds else ''} Data that lie elsewhere: a line in conf/local/sources.yml, "
            f"`{name}: /their/folder`"
        )


def _quality(run: Run) -> Iterator[str]:
    """Modalities of the task of which nothing is measured."""
    task, quality = run.blocks["task"], run.blocks["quality"]
    for modality in (task.student, task.teacher) if "quality" in run.used else ():
        for key, named in (("measures", quality.measures), ("score", quality.score)):
            if not named.get(modality):
                there = ", ".join(modality_of(modality).measures)
                yield f"quality.{key}.{modality}: names no measure, but the task has such samples. There are: {there}"


def _numbers(run: Run) -> Iterator[str]:
    """Numbers that are right in one kind of task and not in another, or that nothing reads."""
    task, ingestion = run.blocks["task"], run.blocks["ingestion"]
    design = kind_of(task).design
    least = len(SPLITS) * max(2, design.least)
    if not design.closed_set and ingestion.max_labels is not None and ingestion.max_labels < least:
        yield (
            f"ingestion.max_labels is {ingestion.max_labels}: {task.kind} needs at least {least}, since the labels of "
            f"its {len(SPLITS)} splits are disjoint and each holds two"
        )
    if run.blocks["projection"].kind != "mlp":
        yield "projection.kind is not read: both kinds are fitted, and an arm chooses one, as arms.<name>.projection"
    try:
        require_words_beside(task, run.blocks["projection"].words)
    except ConfigError as error:
        yield str(error)


def _held_back(run: Run) -> Iterator[str]:
    """Labels held back from studies, which are of all labels or hold some back themselves, or from all that learns."""
    labelled = run.blocks["distillation"].labelled
    if labelled.share == 1 or "distillation" not in run.used and not STUDIES & set(run.used):
        return
    if studies := sorted(STUDIES & set(run.used) - set(_looked_up(run))):
        yield (
            f"distillation.labelled.share is {labelled.share:g}, which `distill` alone reads; {', '.join(studies)} "
            "would train on all labels with projections of some: set it to 1, run ingestion, quality, teacher and "
            "projection, and let regimes.labels.shares or tuning.labelled say which labels are held back"
        )
    if labelled.share == 0 and "distillation" in run.used:
        yield from _without_labels(run)


def _looked_up(run: Run) -> Iterator[str]:
    """``comparison`` where `robustness` alone reads it, which measures the students of `distill` and trains none."""
    if "robustness" in run.used and "teacher" not in run.used and not run.blocks["robustness"].from_comparison:
        yield "comparison"


def _without_labels(run: Run) -> Iterator[str]:
    """Classes that nothing names, and arms that cannot be trained, where every label is held back."""
    distillation, task, arms = run.blocks["distillation"], run.blocks["task"], run.blocks["arms"].root
    try:
        require_words(task)
    except ConfigError as error:
        yield str(error)
        return
    named = names_classes(task)
    if named and not run.blocks["teacher"].pretrained:
        yield (
            "teacher.pretrained is false: a teacher that is trained here learns the labels that "
            "distillation.labelled.share 0 holds back, and would name the classes by them. Take a pretrained one"
        )
    for key in ("baseline", "arm"):
        name = getattr(distillation, key)
        if name in arms and (asks := arms[name].asks_for_labels(named)):
            yield (
                f"distillation.{key} is {name!r}, which cannot be trained with distillation.labelled.share 0: {asks}. "
                f"Choose another arm (conf/{'no_labels_image' if named else 'no_labels'} has two), or a share above 0"
            )


_CHECKS: tuple[Callable[[Run], Iterator[str]], ...] = (
    *(_names, _misfits, _answers, _margins),
    *(_encoders, _sources, _quality, _numbers, _held_back),
)

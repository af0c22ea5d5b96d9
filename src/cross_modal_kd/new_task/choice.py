"""Which task a folder is good for: modalities, kind, pairing; and what each split would hold."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from cross_modal_kd.config import (
    ConfigError,
    DeploymentConfig,
    IngestionConfig,
    TaskConfig,
    libraries_of,
    modality_names,
)
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.new_task.formats import unread_table
from cross_modal_kd.new_task.regime import Regime
from cross_modal_kd.new_task.survey import Survey
from cross_modal_kd.new_task.texts import in_blanks
from cross_modal_kd.samples import (
    SPLITS,
    SamplesError,
    asked_for,
    assign_splits,
    check_samples,
    count_shares,
    doubts_of,
    far_from_asked,
    first_few,
    join_unlabelled,
    pair,
    singles_of,
)
from cross_modal_kd.sources import FolderOptions, make_chimeric, regrouped
from cross_modal_kd.storage import how_many, with_article
from cross_modal_kd.tasks import kind_named, kind_of, require_words

FEW_LABELS, MANY_FILES = 100, 10  # a question of which class it is: few labels, with many files each


@dataclass(frozen=True)
class Asked:
    """What the user says himself; None is left to ``choose``.

    Attributes:
        student: a modality.
        teacher: another one.
        kind: of task.
    """

    student: str | None = None
    teacher: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Choice:
    """A task that the folder can be used for.

    Attributes:
        task: its block.
        why_kind: why this kind of task.
        group: the option ``group`` of the sources, what binds modalities to one instance.
        why_pairing: why the samples are paired so.
        lonely: samples of the student without a teacher sample, by split; those of training are left out, the others
            stay, and are measured.
        unpaired: samples without a label that are left out, with the reason of each: no pair to learn from, say.
        regime: how many of the student's training samples have a label.
        splits: samples and labels of the student in each split, as they would be drawn.
        inputs: block ``inputs`` where it differs from conf/base.
        notes: what is worth knowing before a run.
    """

    task: TaskConfig
    why_kind: str
    group: str
    why_pairing: str
    lonely: Mapping[str, int]
    unpaired: Mapping[str, str]
    regime: Regime
    splits: Mapping[str, tuple[int, int]]
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def choose(survey: Survey, name: str, asked: Asked) -> Choice:
    """The task that suits what was found, or the one asked for.

    Args:
        survey: of the folder.
        name: of the task.
        asked: what the user says himself.

    Returns:
        A task that what was found is enough for.

    Raises:
        SamplesError: a modality is missing, or no kind of task has enough samples: what is missing.
    """
    student, teacher = _modalities(survey, asked)
    pairing = _pairing(survey, student, teacher)
    problems = {}
    for kind, why in _kinds(survey.of(student), student, asked):
        try:
            return _choice(survey, pairing, why, _task(name, kind, student, teacher, pairing))
        except SamplesError as error:
            problems[kind] = str(error)
    said = "\n".join(f"  as {kind}: {problem}" for kind, problem in problems.items())
    raise SamplesError(f"{survey.folder}: there is not enough for a task yet\n{said}")


def trainable() -> list[str]:
    """Modalities that a student can have."""
    return [name for name in modality_names() if any(each.trainable for each in libraries_of(name).values())]


def _modalities(survey: Survey, asked: Asked) -> tuple[str, str]:
    counts = {str(name): len(rows) for name, rows in survey.rows.groupby("modality")}
    for role, wanted in (("student", asked.student), ("teacher", asked.teacher)):
        if wanted is not None and wanted not in counts:
            raise SamplesError(
                f"{survey.folder}: --{role}={wanted}, but it holds no {wanted}; it holds {_told(counts)}"
            )
    if asked.student is not None and asked.student == asked.teacher:
        raise SamplesError(f"--student and --teacher are both {asked.student}: name two different modalities")
    if asked.student is not None and asked.student not in trainable():
        raise SamplesError(
            f"--student={asked.student}: there is no encoder of it to be trained; there are some of "
            f"{', '.join(trainable())}"
        )
    students = [name for name in trainable() if name in counts and name != asked.teacher]
    if not students:
        raise SamplesError(f"{survey.folder}: nothing that a student could learn from; it holds {_told(counts)}")
    students = [name for name in students if not modality_of(name).words] or students  # captions teach, unless asked
    student = asked.student or max(students, key=lambda name: (name == "speech", counts[name]))
    teachers = [name for name in counts if name != student]
    if not teachers:
        raise SamplesError(_no_teacher(survey, student))
    teacher = asked.teacher or max(teachers, key=lambda name: (name == "text", counts[name]))
    if asked.student is None and teacher == "text":  # whose captions are they?
        captioned = survey.rows.groupby("group")["modality"].agg(set)
        student = max(students, key=lambda name: (sum({name, "text"} <= found for found in captioned), counts[name]))
    return student, teacher


def _no_teacher(survey: Survey, student: str) -> str:
    if survey.layout == "webdataset":
        return (
            f"{survey.folder}: {how_many(len(survey.of(student)), f'{student} sample')}, and nothing of another "
            "modality that could teach: put it beside each under the same key (a.jpg and a.txt), or name a field of "
            "its json, options: {columns: {text: caption}}"
        )
    return (
        f"{survey.folder}: {how_many(len(survey.of(student)), f'{student} sample')}, and nothing of another modality "
        "that could teach. Either write captions.csv beside the label folders (two columns: path,text), or put files "
        "of another modality beside them under the same labels. --write-captions writes captions.csv from texts in "
        f"other forms, or else from the labels' own names{unread_table(survey.folder)}"
    )


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(how_many(count, f"{name} sample") for name, count in counts.items())


@dataclass(frozen=True)
class _Pairing:
    """pairing, chimeric: of the task. rows: with their groups as the option has them."""

    pairing: str
    chimeric: bool
    group: str
    why: str
    rows: pd.DataFrame


def _pairing(survey: Survey, student: str, teacher: str) -> _Pairing:
    """By instance where most of the student's files have a partner that differs, else by label where labels are shared.

    Texts that are the same for many files, such as their label's name, tell no file of a label from another; nor do
    names of files that are but numbers, where each modality has been numbered in a folder of its own.
    """
    alike = _alike(survey, teacher)
    if survey.layout != "folder" and not alike:
        mine, theirs = survey.of(student), survey.of(teacher)
        if mine["group"].isin(set(theirs["group"])).mean() >= 0.5:
            why = f"by instance: {student} and {teacher} of one row or name belong together"
            return _Pairing("instance", False, "file", why, survey.rows)
    numbered = len(survey.sources) > 1 and _run_on(survey.of(teacher))
    groups = ("file", "parent") if numbered else ("file", "stem", "parent")
    for group in groups if survey.layout == "folder" else ():
        rows = regrouped(survey.rows, FolderOptions(group=group))
        mine, theirs = (rows[rows["modality"] == name] for name in (student, teacher))
        there = {name for name in theirs["group"] if "/" in name}  # a folder that is the label's own binds no instance
        if not alike and mine["group"].isin(there).mean() >= 0.5:
            return _Pairing("instance", False, group, _BY[group].format(teacher=teacher, student=student), rows)
    labels, taught = (set(survey.of(name)["label"].dropna()) for name in (student, teacher))
    if len(labels & taught) >= 0.5 * len(labels):
        why = f"by label: {len(labels & taught)} of the {len(labels)} labels have both {student} and {teacher}{alike}"
        return _Pairing("label", False, "file", why, survey.rows)
    if shared := labels & taught:
        raise SamplesError(
            f"{survey.folder}: {len(shared)} of the {len(labels)} {student} labels have {teacher} samples too "
            f"({first_few(sorted(shared))}): too few to pair by label, and one that has its own is not paired by "
            f"chance. Take the labels without {with_article(teacher)} sample out of the folder, or give them some"
        )
    return _chimeric(survey, student, teacher, (len(labels), len(taught)))


def _chimeric(survey: Survey, student: str, teacher: str, labels: tuple[int, int]) -> _Pairing:
    """By chance, where the teacher has as many labels as the student. labels: of the student and the teacher."""
    none = f"no label has both {student} and {teacher}, so that each {student} label is assigned one of {teacher}"
    if labels[1] < labels[0]:
        swapped = f", or exchange the two (--student={teacher})" if teacher in trainable() else ""
        raise SamplesError(
            f"{survey.folder}: {none} by chance, and {labels[1]} {teacher} labels are too few for {labels[0]} of "
            f"{student}. Bring more, take {labels[0] - labels[1]} of the {student} labels out of the folder{swapped}"
        )
    why = f"chimeric: {none} by chance, and nothing in the one tells of the other"
    return _Pairing("label", True, "file", why, survey.rows)


def _run_on(rows: pd.DataFrame) -> bool:
    """Whether files are but numbered within their labels, from 0.png or 001.png on: no name of a partner."""
    names = rows["path"].dropna().map(lambda path: PurePosixPath(path).stem)
    if names.empty or not names.str.fullmatch("[0-9]+").all():
        return False
    sizes = rows.loc[names.index].groupby("label")["path"].transform("size")
    return bool((names.map(int) <= sizes).all())


def _alike(survey: Survey, teacher: str) -> str:
    """Why its texts make no pairs of instances; empty where they do, or where there are none.

    Raises SamplesError where they make no pairs of labels either.
    """
    rows = survey.of(teacher).dropna(subset=["text"])
    rows = rows.assign(text=rows["text"].str.strip()).drop_duplicates(["group", "text"])  # a line may stand there twice
    texts = rows["text"]
    if len(texts) > 1 and texts.nunique() == 1:
        raise SamplesError(
            f"{survey.folder}: its {len(texts)} texts all say {texts.iloc[0]!r:.60}, which tells no file and no label "
            "from another: nothing can be learnt from them; give each file, or each label, a text of its own"
        )
    if not len(texts) or texts.nunique() > 0.5 * len(texts):
        return ""
    labels = rows.groupby("text")["label"].nunique()
    if (labels > 1).all():
        raise SamplesError(
            f"{survey.folder}: its {len(texts)} texts say only {len(labels)} different things "
            f"({first_few(labels.index)}), and each of these of several labels: they tell neither a file nor a label "
            "from another, and nothing can be learnt from them; give each file, or each label, a text of its own"
        )
    return f" (the {len(texts)} texts say only {texts.nunique()} different things, which tell labels apart, not files)"


_DOMAINS = dict.fromkeys(("hf_folder", "table", "webdataset"), "a column of them, named in the source's options,") | {
    "folder": "domains.csv (path or label, domain)",
}

_BY = {
    "file": "by file: a text belongs to the file that captions.csv names",
    "stem": "by name: {student} and {teacher} files of the same name under the same label belong together",
    "parent": "by folder: {student} and {teacher} files in the same folder below the label belong together",
}


def _task(name: str, kind: str, student: str, teacher: str, found: _Pairing) -> TaskConfig:
    return TaskConfig.model_validate(
        {"name": name, "kind": kind, "student": student, "teacher": teacher}
        | {"pairing": found.pairing, "chimeric": found.chimeric}
    )


def _kinds(rows: pd.DataFrame, student: str, asked: Asked) -> Iterator[tuple[str, str]]:
    """Kinds of task to try, the one that suits best first, each with its reason."""
    labels, files = rows["label"].nunique(), rows.groupby("label").size().median()
    counts = f"{how_many(labels, 'label')} with {files:g} file{'' if files == 1 else 's'} each (the median)"
    closed = student != "speech" and labels <= FEW_LABELS and files >= MANY_FILES
    why = {
        "classification": f"{counts}: which of these labels is it? Every label is learnt",
        "verification": f"{counts}: are these two of the same label? It is measured on labels unseen in training",
    }
    if asked.kind is not None:
        kind_named(asked.kind)
        yield asked.kind, "asked for"
        return
    best = "classification" if closed else "verification"
    yield best, why[best]
    for kind in why:
        if kind != best:
            yield kind, f"{why[kind]}. There is not enough for {best}"


def _choice(survey: Survey, found: _Pairing, why_kind: str, task: TaskConfig) -> Choice:
    """The task as a choice. Raises SamplesError where a split would lack something."""
    rows = found.rows[found.rows["modality"].isin([task.student, task.teacher])].reset_index(drop=True)
    if task.chimeric:
        rows = make_chimeric(rows, task, IngestionConfig()).rows
    design = kind_of(task).design
    rows = rows.assign(sha256=rows["sample_id"])  # not looked at yet: no two are taken for copies
    others, rows = rows[rows["label"].isna()], rows[rows["label"].notna()]
    if rows.empty:
        raise SamplesError("no sample has a label, by which students are chosen and measured: give some of them one")
    asked = asked_for(rows, IngestionConfig().split)
    rows = rows.assign(split=assign_splits(rows, design, IngestionConfig().split))
    rows, unused = join_unlabelled(rows, others, task)
    alone = rows["sample_id"].isin(pair(rows, task).without_partner)
    lonely = {str(split): int(count) for split, count in rows.loc[alone, "split"].value_counts().items()}
    rows = rows[~(alone & (rows["split"] == "train"))]
    check_samples(rows, task, design)
    mine = rows[rows["modality"] == task.student]
    splits = {name: (len(part), part["label"].nunique()) for name in SPLITS if len(part := mine[mine["split"] == name])}
    clusters = design.clusters(mine[mine["split"] == "test"]).nunique()
    notes = (
        *_notes(clusters, design.cluster, rows, survey.layout),
        *(() if design.closed_set else _undecided(splits["dev"][1])),
        *(() if design.closed_set else _names_as_texts(rows, task)),
        *doubts_of(rows),
        *filter(None, [singles_of(rows, task.student), far_from_asked(count_shares(rows, task, design, asked))]),
    )
    train = mine.loc[mine["split"] == "train", "label"]
    regime = Regime(int(train.notna().sum()), len(train), design.closed_set)
    if not regime.labelled:
        try:
            require_words(task)
        except ConfigError as error:
            raise SamplesError(str(error)) from error
    unpaired = dict(zip(unused["path"], unused["reason"], strict=True))
    return Choice(task, why_kind, found.group, found.why, lonely, unpaired, regime, splits, _inputs(survey), notes)


def _notes(clusters: int, cluster: str, rows: pd.DataFrame, layout: str) -> Iterator[str]:
    if clusters < 10:
        yield (
            f"the test split holds {clusters} {cluster}s: too few for an interval or a verdict "
            "(evaluation.min_clusters is 10); evaluation.folds: 3 or more tests every one of them once"
        )
    if "domain" in rows and rows["domain"].isna().all():
        how = _DOMAINS.get(layout, "a layout that reads them (docs/your-own-data.md)")
        yield (
            f"no domains (sessions, artists, channels) are named: {how} would let the "
            "report tell what was learnt of the label from what was learnt of the session"
        )


def _undecided(labels: int) -> Iterator[str]:
    if labels < (least := DeploymentConfig().min_labels):
        yield (
            f"the dev split holds {labels} labels, and deployment.min_labels is {least}: there will be no thresholds, "
            "so that `verify` and `identify` give scores and decide nothing; more labels, or a larger "
            "ingestion.split.dev, would change that"
        )


def _names_as_texts(rows: pd.DataFrame, task: TaskConfig) -> Iterator[str]:
    """A word of caution where the teacher's texts say who or what a label is, and no more."""
    texts = rows[(rows["modality"] == task.teacher) & rows["label"].notna() & rows["text"].notna()]
    same = in_blanks(texts["text"]).str.casefold() == in_blanks(texts["label"]).str.casefold()
    if len(texts) and same.mean() > 0.5:
        yield (
            "the texts are the labels' own names: where these name people (speakers, say) or are numbers, they tell "
            f"the teacher nothing of what is in {with_article(task.student)} sample, and so the student nothing that "
            "its labels do not; texts that describe the files would"
        )


def _inputs(survey: Survey) -> dict[str, dict[str, Any]]:
    """Blocks of ``inputs`` that suit the sizes that were found."""
    found = {modality: _INPUTS[str(modality)](facts) for modality, facts in survey.facts.groupby("modality")
             if modality in _INPUTS}  # fmt: skip
    return {str(modality): block for modality, block in found.items() if block}


def _image(facts: pd.DataFrame) -> dict[str, Any]:
    side = facts[["width", "height"]].min(axis=1).median()
    return {"size": 64 if side >= 96 else 48} if side >= 64 else {}


def _speech(facts: pd.DataFrame) -> dict[str, Any]:
    rate, seconds = facts["sample_rate"].median(), facts["duration_s"].median()
    found: dict[str, Any] = {"sample_rate": 8000} if 8000 <= rate < 16000 else {}
    return found | ({"crop_s": max(0.5, round(float(seconds), 1))} if seconds < 2 else {})


_INPUTS: dict[str, Callable[[pd.DataFrame], dict[str, Any]]] = {"image": _image, "speech": _speech}

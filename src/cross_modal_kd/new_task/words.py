"""What was found and what was chosen, in plain words."""

from collections.abc import Iterator

import pandas as pd

from cross_modal_kd.config import IngestionConfig
from cross_modal_kd.new_task.choice import Choice, trainable
from cross_modal_kd.new_task.formats import BESIDE
from cross_modal_kd.new_task.survey import LAYOUT, Survey
from cross_modal_kd.samples import first_few, shown
from cross_modal_kd.storage import how_many


def in_words(survey: Survey, choice: Choice | None = None) -> Iterator[str]:
    """What a person wants to know of his folder.

    Args:
        survey: what was found.
        choice: what it is used for; None where that is not decided.

    Yields:
        A line each.
    """
    yield f"looked at {shown(str(survey.folder))}"
    for name, root in survey.sources.items():
        yield from _source(survey, name, str(root))
    yield from _left_out(survey)
    can = [name for name in trainable() if len(survey.of(name))]
    yield f"can be the student (has encoders to train): {', '.join(can) or 'none'}"
    yield f"can be the teacher: {', '.join(sorted(survey.rows['modality'].unique()))}"
    if choice is not None:
        yield from _chosen(choice)


def _source(survey: Survey, name: str, root: str) -> Iterator[str]:
    rows = survey.rows[survey.rows["source"] == name]
    yield f"source {name} ({shown(root)}), {how_many(rows['label'].nunique(), 'label')}: {_few(rows['label'])}"
    for modality, found in rows.groupby("modality"):
        files = found.groupby("label").size()
        each = f", {files.min()} to {files.max()} each" if len(files) else ""
        without = int(found["label"].isna().sum())
        unlabelled = f" and {without} without one" if without else ""
        sizes = _sizes(survey, str(modality))
        samples, labels = how_many(len(found), f"{modality} sample"), how_many(len(files), "label")
        yield f"  {samples} of {labels}{each}{unlabelled}{sizes}"
    flat = rows.loc[rows["label"].isna() & rows["path"].notna() & ~rows["path"].str.contains("/"), "path"]
    if survey.layout == LAYOUT and len(flat):
        lie = how_many(len(flat), "file lies", "files lie")
        yield f"  {lie} beside the label folders and in none of them, and so without a label ({first_few(flat, 1)})"
    if survey.layout == LAYOUT:
        tables = [each for each in BESIDE if (survey.sources[name] / each).is_file()]
        yield f"  tables: {', '.join(tables) or 'none'}"


def _few(labels: pd.Series) -> str:
    return first_few(labels.dropna().unique(), 3) or "none"


def _sizes(survey: Survey, modality: str) -> str:
    facts = survey.facts[survey.facts["modality"] == modality]
    if facts["width"].notna().any():
        return f", about {facts['width'].median():.0f} x {facts['height'].median():.0f} pixels"
    if facts["duration_s"].notna().any():
        return f", about {facts['duration_s'].median():.1f} s at {facts['sample_rate'].median():.0f} Hz"
    return ""


def _left_out(survey: Survey) -> Iterator[str]:
    if survey.outside:
        lie = how_many(len(survey.outside), "file lies", "files lie")
        yield f"not used: {lie} outside of the folders above ({first_few(survey.outside, 1)}); put them into these"
    if len(survey.passed_over):
        reasons = survey.passed_over["path"] + ": " + survey.passed_over["reason"]
        yield f"passed over: {how_many(len(survey.passed_over), 'file')} ({first_few(reasons, 1)})"
    for modality, lost in survey.unreadable.groupby("modality"):
        said = [f"{path}: {reason}" for path, reason in zip(lost["path"], lost["reason"], strict=True)]
        looked_into = len(said) + int((survey.facts["modality"] == modality).sum())
        files = int(survey.of(str(modality))["path"].notna().sum()) + len(said)
        some = "" if looked_into == files else ", of those looked into"
        yield f"unreadable{some}: {len(said):,} of {looked_into:,} {modality} files ({first_few(said, 2)})"
    most = IngestionConfig().max_rejected_share
    for source, count in survey.unreadable["source"].value_counts().items():
        share = count / (count + (survey.rows["source"] == source).sum())
        if share > most:
            yield (
                f"  {share:.1%} of the samples of {source} cannot be used, and a run stops at more than {most:.0%} "
                "(ingestion.max_rejected_share): repair the files, take them out, or raise the share"
            )


def _chosen(choice: Choice) -> Iterator[str]:
    task = choice.task
    yield f"task: {task.kind}; {choice.why_kind}"
    yield f"student: {task.student}, teacher: {task.teacher}"
    yield f"pairs: {choice.why_pairing}"
    yield from _alone(choice)
    splits = "; ".join(
        f"{name} {files} of {how_many(labels, 'label')}" for name, (files, labels) in choice.splits.items()
    )
    yield f"labels: {choice.regime.words}"
    yield f"splits of the {task.student} files: {splits}"
    yield from (f"note: {note}" for note in choice.notes)


def _alone(choice: Choice) -> Iterator[str]:
    """What becomes of the files that have nothing beside them to learn from."""
    student, teacher = choice.task.student, choice.task.teacher
    if lonely := choice.lonely:
        out, measured = lonely.get("train", 0), [split for split in ("dev", "test") if split in lonely]
        stay = sum(lonely[split] for split in measured)
        said = [
            *([f"{out:,} of training {_are(out)} left out (ingestion.without_partner: reject)"] if out else []),
            *([f"{stay:,} of {' and '.join(measured)} {_are(stay)} measured as the others are"] if stay else []),
        ]
        total = how_many(out + stay, f"{student} file has", f"{student} files have")
        yield f"  {total} no {teacher} partner: {'; '.join(said)}"
    if choice.unpaired:
        reasons = [f"{path}: {reason}" for path, reason in choice.unpaired.items()]
        count = how_many(len(reasons), "sample without a label is", "samples without a label are")
        yield f"  {count} left out ({first_few(reasons, 1)})"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"

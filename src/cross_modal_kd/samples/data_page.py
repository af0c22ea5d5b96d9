"""The page that ingestion ends with, also one that fails: what there is, what is missing, what looks wrong."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.contents import count_contents, count_shared, few_contents
from cross_modal_kd.samples.doubtful import doubts_of, singles_of
from cross_modal_kd.samples.errors import first_few
from cross_modal_kd.samples.pairing import pair
from cross_modal_kd.samples.schema import REJECTED_DTYPES, conform
from cross_modal_kd.samples.selection import SPLITS
from cross_modal_kd.samples.shares import far_from_asked
from cross_modal_kd.samples.unlabelled import labels_in_words
from cross_modal_kd.storage import how_many, write_whole

logger = logging.getLogger(__name__)

PAGE, TEMPLATE = "data.html", "data.html.jinja"
FOR_EXAMPLE, FIRST, FEWEST, MOST = "for example", "the first reason of its kind", "labels of the fewest", "of the most"
WORDS = (FOR_EXAMPLE, FIRST, FEWEST, MOST)  # columns of texts that break
SHOWN, EXAMPLES = 10, 5
"""Rows of a table, and samples of one row, at most: the page stays small, however large the set."""
MEASURES = {"duration_s": "length, s", "sample_rate": "rate, Hz", "width": "width, pixels", "height": "height, pixels"}
ALIKE = ("sample_rate",)
"""Measures that a set has one of: every other than the commonest is an outlier."""
FAR = 3.0
"""Interquartile ranges beyond the quartiles (Tukey's outer fences) from which a length or size is an outlier."""


class Table(NamedTuple):
    """One table of the page.

    title, and what it says in words; names of columns; rows of cells; of how many the rows are the first; warning: what
    of it a person should look at, empty where there is nothing.
    """

    title: str
    says: str
    columns: list[str]
    rows: list[list[Any]]
    of: int
    warning: str = ""


@dataclass(frozen=True)
class DataPage:
    """The page of one run, written when more is known or when nothing more can be.

    folder: where to; None writes nothing. task: its modalities. counts: source, part, what, found and published, of the
    parts of published sets.
    """

    folder: Path | None
    task: TaskConfig
    counts: pd.DataFrame

    def write(
        self,
        samples: pd.DataFrame,
        rejected: pd.DataFrame,
        errors: Sequence[str] = (),
        usable: pd.DataFrame | None = None,
        summary: pd.DataFrame | None = None,
        shares: pd.DataFrame | None = None,
    ) -> None:
        """Write ``data.html``, and say in the log where it lies, and each of its warnings, which stop nothing.

        Args:
            samples: rows of the samples table, as far as they are known: without facts, or splits, where it failed
                before.
            rejected: source, path, reason.
            errors: what stopped the run; none where nothing did.
            usable: the samples before those without a partner were taken out, for the labels that have none; None where
                none were.
            summary: of ``summarise_splits``, for the levels by which samples are paired; None where it is not known.
            shares: of ``count_shares``; None where it is not known.
        """
        if self.folder is None and errors:
            return
        conformed = conform(samples), conform(rejected, REJECTED_DTYPES)
        shown = list(tables(*conformed, self.task, self.counts, usable, summary, shares))
        if not errors:
            for table in filter(lambda table: table.warning, shown):
                logger.warning("%s: %s", table.title, table.warning)
        if self.folder is None:
            return
        file = _write(self.folder, self.task, shown, (len(samples), len(rejected)), errors)
        if errors:
            logger.error("what was found, and what is wrong with it: %s", file)
        else:
            warned = how_many(sum(bool(table.warning) for table in shown), "warning")
            logger.info("the data, with %s: %s", warned, file)


def _write(folder: Path, task: TaskConfig, shown: list[Table], sizes: tuple[int, int], errors: Sequence[str]) -> Path:
    """The file: one page without an address in it, everything escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from cross_modal_kd.plotting import page_style

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    text = environment.get_template(TEMPLATE).render(
        task=task,
        errors=errors,
        words=WORDS,
        style=page_style([]),
        samples=sizes[0],
        rejected=sizes[1],
        tables=shown,
    )
    file = folder / PAGE
    write_whole(file, text)
    return file


def tables(
    samples: pd.DataFrame,
    rejected: pd.DataFrame,
    task: TaskConfig,
    counts: pd.DataFrame,
    usable: pd.DataFrame | None = None,
    summary: pd.DataFrame | None = None,
    shares: pd.DataFrame | None = None,
) -> Iterator[Table]:
    """What the page shows, each of ``SHOWN`` rows at most.

    Args:
        samples: as ``DataPage.write`` takes them, in all columns of the schema.
        rejected: as ``DataPage.write`` takes them.
        task: its modalities.
        counts: of published sets.
        usable: as ``DataPage.write`` takes it.
        summary: likewise.
        shares: likewise.

    Yields:
        The tables, in their order; those of published sets and of several levels of partners where there are such.
    """
    if len(counts):
        yield _published(counts)
    yield _counts(samples, task)
    if shares is not None:
        yield _shares(shares, task)
    yield _reasons(rejected)
    if summary is not None and "alone" in summary:
        yield _partners(summary, task)
    yield _without_partner(samples if usable is None else usable, task)
    if samples["split"].notna().any():
        yield _shared(samples, task)
    if samples["sha256"].notna().any():
        yield _contents(samples, task)
    yield _copies(samples)
    yield _overlap(samples)
    yield _sizes(samples)
    yield _balance(samples, task)


def _published(counts: pd.DataFrame) -> Table:
    lacking = counts["found"] != counts["published"]
    parts = counts[["source", "part"]].drop_duplicates()
    other = counts[lacking][["source", "part"]].drop_duplicates()
    shown = counts.assign(share=[_share(*pair) for pair in zip(counts["found"], counts["published"], strict=True)])
    says = "What lies below the roots, before a file is opened, beside what the set's authors published."
    found = _table("Beside the published sets", says, shown[lacking] if len(shown) > SHOWN and lacking.any() else shown)
    if not lacking.any():
        return found
    first = f"{other['part'].iloc[0]} of {other['source'].iloc[0]}"
    return found._replace(
        warning=f"{len(other)} of {len(parts)} parts are not as published, the first {first}: figures of the whole set "
        "are not to be set beside this one's. Fetch what is missing, or leave the part out (the source's options)."
    )


def _share(found: int, published: int) -> str:
    return "all" if found == published else f"{100 * found / published:.2g}%"


def _counts(samples: pd.DataFrame, task: TaskConfig) -> Table:
    keys = samples.assign(split=samples["split"].fillna("not dealt yet"))
    order = [*SPLITS, "not dealt yet"]
    found = keys.groupby(["split", "modality", "source"]).agg(
        samples=("sample_id", "size"),
        labels=("label", "nunique"),
        groups=("group", "nunique"),
        length=("duration_s", "sum"),
    )
    if keys["label"].isna().any():
        found["without a label"] = keys["label"].isna().groupby([keys[key] for key in found.index.names]).sum()
    found = found.reset_index().sort_values("split", key=lambda splits: splits.map(order.index), kind="stable")
    found["length"] = found["length"].map(_length)
    return _table("Counts", f"What can be used.{_unlabelled(samples, task)}", found)


def _length(seconds: float) -> str:
    """A length of time in the unit that it is read in; nothing of what has none."""
    for unit, size in (("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size or (unit == "s" and seconds > 0):
            return f"{seconds / size:,.1f} {unit}"
    return ""


def _unlabelled(samples: pd.DataFrame, task: TaskConfig) -> str:
    """How many of the student's samples have a label, and what becomes of the others."""
    own = samples[samples["modality"] == task.student]
    dealt = own["split"].notna().any()
    said = labels_in_words(own.loc[own["split"] == "train", "label"] if dealt else own["label"])
    said = said if dealt else said.replace("training samples", "samples")
    return f" {said.capitalize()}; what has none is never measured." if said else ""


def _reasons(rejected: pd.DataFrame) -> Table:
    kind = rejected["reason"].str.replace(r"(?<=\w)(?:: | \().*", "", regex=True)
    grouped = rejected.assign(kind=kind).groupby(["kind", "source"])
    found = grouped.agg(files=("path", "size"), path=("path", _files_of), first=("reason", "first"))
    found = found.reset_index().sort_values("files", ascending=False)[["files", "source", "first", "path"]]
    found.columns = pd.Index(["files", "source", FIRST, FOR_EXAMPLE])
    table = _table("Rejected", "rejected_samples.csv of a run that ends names every one with its reason.", found)
    warning = f"{how_many(len(rejected), 'is', 'are')} not used, for {how_many(len(found), 'reason')}."
    return table._replace(warning=warning if len(rejected) else "")


def _partners(summary: pd.DataFrame, task: TaskConfig) -> Table:
    levels = [f"by_{level}" for level in task.levels]
    found = summary.loc[summary["modality"] == task.student, ["split", "source", "samples", *levels, "alone"]]
    says = f"How closely each {task.student} sample knows its {task.teacher} samples: the first of these that has one."
    table = _table("Partners", says, found.astype(dict.fromkeys([*levels, "alone"], "int64")))
    table = table._replace(columns=[name.replace("_", " ") for name in table.columns])
    alone = int(found["alone"].sum())
    warning = f"{how_many(alone, f'{task.student} sample has', f'{task.student} samples have')} no partner."
    return table._replace(warning=warning if alone else "")


def _without_partner(samples: pd.DataFrame, task: TaskConfig) -> Table:
    counts = samples.groupby(["label", "modality"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=[task.student, task.teacher], fill_value=0)
    alone = counts[(counts == 0).any(axis=1)].reset_index()
    says = f"Labels with {task.student} and no {task.teacher}, or the reverse: {len(alone):,} of {len(counts):,}."
    table = _table("Labels without a partner", says, _natural(alone))
    if alone.empty:
        return table
    named = first_few(alone["label"])
    return table._replace(
        warning=f"{len(alone):,} of {len(counts):,} labels have samples of one modality alone: {named}."
    )


def _shares(shares: pd.DataFrame, task: TaskConfig) -> Table:
    found = shares[["split", "dealt", "share", "asked", "labels", "samples"]].copy()
    for column in ("share", "asked"):
        found[column] = found[column].map(lambda share: "" if pd.isna(share) else f"{share:.0%}")
    unit = shares["unit"].iloc[0]
    found.columns = pd.Index(["split", f"by {unit}", "share", "asked", f"{task.student} labels", task.student])
    says = "What each split got of what is dealt as one, which is drawn by a hash of its name where no split is given."
    return _table("Splits", says, found)._replace(warning=_sentence(far_from_asked(shares)))


def _shared(samples: pd.DataFrame, task: TaskConfig) -> Table:
    found = count_shared(samples, pair(samples, task))
    paired, shared = (f"{int(found[column].sum()):,}" for column in ("paired", "shared"))
    found.columns = pd.Index(["split", "paired", "share their partners", "most to one", f"{task.teacher} partners"])
    says = (
        f"{shared} of the {paired} {task.student} samples that are paired have the same {task.teacher} samples as "
        "another one."
    )
    return _table("Shared partners", says, found)


def _contents(samples: pd.DataFrame, task: TaskConfig) -> Table:
    counts = count_contents(samples, task)
    warning = " ".join(f"In training, {said}." for said in few_contents(counts, task))
    names = ["modality", "samples", "different", "labels", "without own", "of copies", "commonest"]
    counts = (
        counts.drop(columns=["first_lost", "first_copied"]).set_axis([*names, FOR_EXAMPLE], axis=1)
        if len(counts)
        else counts
    )
    says = "How many different things the training samples show or say: what is the same teaches one thing."
    return _table("Different contents", says, counts)._replace(warning=warning)


def _sentence(said: str) -> str:
    return f"{said[0].upper()}{said[1:]}." if said else ""


def _copies(samples: pd.DataFrame) -> Table:
    files = samples[samples["path"].notna() & samples["sha256"].notna()]
    files = files[files.duplicated(["modality", "sha256"], keep=False)]
    found = files.groupby(["modality", "sha256"]).agg(
        files=("path", "size"), labels=("label", "nunique"), splits=("split", "nunique"), path=("path", _joined)
    )
    across = int(((found["labels"] > 1) | (found["splits"] > 1)).sum())
    says = (
        f"{how_many(len(found), 'content lies', 'contents lie')} in more than one usable file, {across:,} of them "
        "under several labels or splits. Those that were rejected for it are in the table above."
    )
    found = found.sort_values(["splits", "labels", "files"], ascending=False).reset_index()
    table = _table("Copies, byte for byte", says, found.drop(columns="sha256").rename(columns={"path": FOR_EXAMPLE}))
    if not across:
        return table
    first = found.loc[(found["labels"] > 1) | (found["splits"] > 1), "path"].iloc[0]
    return table._replace(
        warning=f"{how_many(across, 'file lies', 'files lie')} under several labels or splits (the first: {first})."
    )


def _overlap(samples: pd.DataFrame) -> Table:
    rows = []
    dealt = samples[samples["split"].notna()]
    for column in ("label", "group", "family"):
        of_split = {split: set(found) for split, found in dealt.dropna(subset=[column]).groupby("split")[column]}
        for one, other in (("train", "dev"), ("train", "test"), ("dev", "test")):
            shared = of_split.get(one, set()) & of_split.get(other, set())
            if shared:
                rows.append([column, f"{one} and {other}", f"{len(shared):,}", _joined(pd.Series(sorted(shared)[:6]))])
    says = "Labels are in several splits where they are classes to be learnt; of a verification none may be."
    return Table("In more than one split", says, ["what", "splits", "how many", FOR_EXAMPLE], rows, len(rows))


def _sizes(samples: pd.DataFrame) -> Table:
    rows, odd = [], []
    for modality, found in samples.groupby("modality"):
        for column, name in MEASURES.items():
            values = found[column].dropna().astype("float64")
            if values.empty:
                continue
            low, middle, high = values.quantile([0.25, 0.5, 0.75])
            reach = FAR * (high - low)
            usual = (values >= low - reach) & (values <= high + reach)
            if column in ALIKE:
                usual = values == values.mode().iloc[0]
            far = values[~usual]
            names = _joined(found.loc[far.index[: EXAMPLES + 1], "path"])
            if len(far):
                odd.append(f"{len(far):,} by {name.partition(',')[0]}")
            rows.append(
                [
                    modality,
                    name,
                    *(f"{round(each, 2):,.10g}" for each in (values.min(), middle, values.max())),
                    f"{len(far):,}",
                    names,
                ]
            )
    says = (
        f"Outliers lie more than {FAR:g} interquartile ranges beyond the quartiles; of rates, whatever is not the "
        "commonest."
    )
    columns = ["modality", "measure", "least", "median", "most", "outliers", FOR_EXAMPLE]
    warning = f"Outliers: {', '.join(odd)}." if odd else ""
    return Table("Lengths, rates and sizes", says, columns, rows, len(rows), warning)


def _balance(samples: pd.DataFrame, task: TaskConfig) -> Table:
    rows = []
    for modality, found in samples.groupby("modality"):
        sizes = found.groupby("label").size().sort_values(kind="stable")
        if sizes.empty:  # none of them has one
            continue
        few, many = (_joined(pd.Series(each.index)) for each in (sizes.head(3), sizes.tail(3)[::-1]))
        if len(sizes) > 1 and sizes.nunique() == 1:
            few = many = "all alike"
        rows.append(
            [modality, f"{len(sizes):,}", *(f"{n:,.6g}" for n in (sizes.min(), sizes.median(), sizes.max())), few, many]
        )
    columns = ["modality", "labels", "least", "median", "most", FEWEST, MOST]
    warning = " ".join(map(_sentence, filter(None, [singles_of(samples, task.student), *doubts_of(samples)])))
    return Table("Samples of a label", "How even the classes are.", columns, rows, len(rows), warning)


def _table(title: str, says: str, found: pd.DataFrame) -> Table:
    rows = [
        [f"{cell:,}" if isinstance(cell, int) else cell for cell in row]
        for row in found.head(SHOWN).to_numpy().tolist()
    ]
    return Table(title, says, [str(name) for name in found], rows, len(found))


def _natural(found: pd.DataFrame) -> pd.DataFrame:
    """By label, numbers by their value: 9 before 10."""

    def key(labels: pd.Series) -> pd.Series:
        return labels.map(lambda label: re.sub(r"\d+", lambda digits: digits.group().zfill(12), str(label)))

    return found.sort_values("label", key=key)


def _files_of(paths: pd.Series) -> str:
    """Of frames the film, once."""
    return _joined(paths.str.replace(r"#[0-9]+/[0-9]+$", "", regex=True).drop_duplicates())


def _joined(values: pd.Series) -> str:
    few = [str(value) for value in values.head(EXAMPLES).dropna()]
    return ", ".join(few) + (", ..." if len(values) > EXAMPLES else "")

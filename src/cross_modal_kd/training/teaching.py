"""What of its samples the teacher reads, and whether it tells them apart (imports torch: reached from nodes only)."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from cross_modal_kd.config import InputConfig, TaskConfig
from cross_modal_kd.metrics import alike_rows
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import ModelBundle, library_of, saved_encoder, saved_inputs
from cross_modal_kd.samples import EmbeddingTable, SamplesError, contents_of, split_rows
from cross_modal_kd.storage import how_many
from cross_modal_kd.tracking import add_remark

logger = logging.getLogger(__name__)

FEW = 0.05
"""Share of the different contents whose embedding is also another one's, up to which nothing is said: capitals and
signs that a teacher takes no notice of."""
TEACHER = "the teacher"


def remark(words: Iterable[str]) -> None:
    """Warn of what a person should look at, here and beside the results of the run, once in a run.

    Args:
        words: a sentence each, without its end.
    """
    for each in words:
        if add_remark(f"{each[0].upper()}{each[1:]}."):
            logger.warning(each)


def not_read(samples: pd.DataFrame, modality: str, teacher_model: ModelBundle, inputs: InputConfig) -> list[str]:
    """What of samples the teacher does not read: what stands behind its longest, and signs that it does not know.

    Args:
        samples: rows of the samples table, all of that modality.
        modality: the teacher's.
        teacher_model: of ``pretrained_teacher`` or ``train_teacher``.
        inputs: how samples become tensors; not used by a frozen library.

    Returns:
        A sentence each; none where it reads all.
    """
    encoder = saved_encoder(teacher_model)
    library = library_of(encoder.library)
    if library.embed is not None:
        reading = library.reading(encoder, samples) if library.reading else None
        more = "name an encoder that reads more (teacher.encoder.name)"
    else:
        reading = modality_of(modality).reading(samples, inputs)
        more = f"let it read more (inputs.{modality}.length)"
    plural = modality_of(modality).plural
    return [] if reading is None else reading.remarks(TEACHER, plural, samples["text"].tolist(), more)


def not_read_by_student(samples: pd.DataFrame, modality: str, inputs: InputConfig) -> list[str]:
    """The same of the student, whose encoder is trained here.

    Args:
        samples: rows of the samples table, all of that modality.
        modality: the student's.
        inputs: how samples become tensors.

    Returns:
        A sentence each; none where it reads all.
    """
    reading, kind = modality_of(modality).reading(samples, inputs), modality_of(modality)
    more = f"let it read more (inputs.{modality}.length)"
    return [] if reading is None else reading.remarks("the student", kind.plural, samples["text"].tolist(), more)


class Told(NamedTuple):
    """How much of what samples hold a teacher tells apart.

    contents: different ones of n samples. alike: of these, how many have the embedding of another one. vectors:
    different embeddings. labels: of the samples. lost: of these, how many have contents of their own and no embedding
    that no other label has. first_lost: the first of these, empty for none.
    """

    contents: int
    alike: int
    vectors: int
    labels: int
    lost: int
    first_lost: str


def count_told(rows: pd.DataFrame, values: np.ndarray) -> Told:
    """How many of different samples a teacher tells apart.

    Samples of one instance (a group, else a label and domain) may have one embedding, as averaged views have.

    Args:
        rows: n rows of the samples table.
        values: (n, D) their embeddings.

    Returns:
        The counts. Memory: O(n).
    """
    rows = rows.reindex(columns=["sample_id", "text", "path", "sha256", "label", "group", "domain"])
    made = pd.DataFrame({"vector": alike_rows(values), "label": rows["label"].to_numpy()})
    made["content"] = contents_of(rows).fillna(rows["sample_id"]).to_numpy()
    session = rows["label"].astype("str") + "\x1f" + rows["domain"].astype("str")
    made["instance"] = rows["group"].astype("str").fillna(session).fillna(rows["sample_id"]).to_numpy()
    by_vector = made.groupby("vector")
    shared = (by_vector["content"].transform("nunique") > 1) & (by_vector["instance"].transform("nunique") > 1)
    labelled = made.dropna(subset=["label"])
    own = labelled.assign(
        said=labelled.groupby("content")["label"].transform("nunique") == 1,
        told=labelled.groupby("vector")["label"].transform("nunique") == 1,
    )
    by_label = own.groupby("label")[["said", "told"]].any()
    lost = by_label.index[by_label["said"] & ~by_label["told"]]
    return Told(
        contents=made["content"].nunique(),
        alike=made.loc[shared, "content"].nunique(),
        vectors=made["vector"].nunique(),
        labels=len(by_label),
        lost=len(lost),
        first_lost=str(lost[0]) if len(lost) else "",
    )


def require_told_apart(
    samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable, teacher_model: ModelBundle
) -> None:
    """Make sure that the teacher tells training samples that differ apart; warn where many of them are the same to it.

    Args:
        samples: the table, with its splits.
        task: names the teacher's modality.
        teacher_embeddings: of its training samples, wherever they are from.
        teacher_model: that read them, to say why.

    Raises:
        SamplesError: all of them have one embedding.
    """
    rows = split_rows(samples, task.teacher, "train")
    told = count_told(rows, teacher_embeddings.at(rows["sample_id"]))
    if not told.lost and told.alike <= FEW * told.contents:
        return
    plural = modality_of(task.teacher).plural
    why = not_read(rows, task.teacher, teacher_model, saved_inputs(teacher_model))
    because = f". {'. '.join(f'{each[0].upper()}{each[1:]}' for each in why)}" if why else ""
    if told.vectors == 1:
        raise SamplesError(
            f"to the teacher the {told.contents:,} different {plural} of the train split are all the same: they have "
            f"one embedding, from which nothing can be learnt{because or '. Look at what it was given'}"
        )
    labels = how_many(told.lost, "label has", "labels have")
    lost = f"; {labels} none that no other label has (the first is {told.first_lost!r})" if told.lost else ""
    remark(
        [
            f"to the teacher {told.alike:,} of the {told.contents:,} different {plural} of the train split are the "
            f"same as another one ({how_many(told.vectors, 'embedding')} for all of them{lost}): what it does not "
            f"tell apart teaches no difference{because}"
        ]
    )

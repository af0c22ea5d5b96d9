"""Trials compared: the two sides of each, their cosine, and that beside a cohort."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cross_modal_kd.config import AsNormConfig
from cross_modal_kd.evaluation.trial_lists.across import used_names
from cross_modal_kd.evaluation.trial_lists.read import TrialList
from cross_modal_kd.evaluation.trial_lists.sides import (
    Centre,
    cohort_means,
    cohort_of,
    read_models,
    unit_of_models,
    unit_of_names,
)
from cross_modal_kd.metrics import Cosines, cohort_scores, cosine_scores, normalised_scores
from cross_modal_kd.samples import EmbeddingTable, SamplesError, read_embeddings


@dataclass(frozen=True)
class Cohort:
    """What scores are set beside.

    Attributes:
        table: of the embeddings that it is of.
        unit: (C, D) unit vectors of its speakers; of none where there is no cohort.
        centre: what is subtracted from every embedding first.
        top: speakers that count; 0 leaves scores as they are.
    """

    table: EmbeddingTable
    unit: np.ndarray
    centre: Centre
    top: int


@dataclass(frozen=True)
class Compared:
    """T trials with their scores.

    Attributes:
        members: utterances of each of the V sides.
        enrol: (T,) the side of each enrolment.
        test: (T,) the side of each test.
        cosines: (T,) float32.
        scores: (T,) float32, normalised where there is a cohort; else the same array.
        means: (V,) mean cosine with the ``top`` nearest of the cohort; None where there is none.
    """

    members: list[list[str]]
    enrol: np.ndarray
    test: np.ndarray
    cosines: np.ndarray
    scores: np.ndarray
    means: np.ndarray | None


def read_cohort(table: EmbeddingTable, norm: AsNormConfig, trained_on: bool) -> Cohort:
    """The cohort that is asked for.

    Args:
        table: embeddings of the list, which are those of the cohort too where ``norm.embeddings`` is null.
        norm: embeddings, labels, and how many count.
        trained_on: whether its embeddings are needed without a cohort too.

    Returns:
        The cohort, of no speaker and with nothing to subtract where none is asked for.

    Raises:
        SamplesError: labels or embeddings are not what they are to be.
    """
    nobody = np.zeros((0, table.dim), dtype=np.float32)
    if not (norm.top or norm.centre or trained_on):
        return Cohort(table, nobody, 0.0, 0)
    trained = table if norm.embeddings is None else read_embeddings(Path(norm.embeddings))
    if norm.labels is None or trained.dim != table.dim:
        raise SamplesError(
            f"score_trials.as_norm: expected labels, and embeddings of {table.dim} numbers as those of the list, found "
            f"labels {norm.labels} and {trained.dim} numbers"
        )
    if not (norm.top or norm.centre):
        return Cohort(trained, nobody, 0.0, 0)
    rows, speakers = cohort_of(trained, Path(norm.labels))
    values, centre = trained.values[rows], 0.0
    if norm.centre:
        centre = values.mean(axis=0, dtype=np.float64).astype(np.float32)
        values = values - centre
    return Cohort(trained, cohort_means(values, speakers, Path(norm.labels)), centre, norm.top)


def compare(trials: TrialList, table: EmbeddingTable, models: Path | None, cohort: Cohort) -> Compared:
    """The scores of a list.

    Args:
        trials: the list, T trials.
        table: of embeddings.
        models: a file of models, which its enrolments then are; None: they are utterances.
        cohort: beside which they are set.

    Returns:
        The scores, in the order of the list.

    Raises:
        SamplesError: a name has no embedding, or is no model.
    """
    if models is None:
        members, enrol, test = [[name] for name in trials.names], trials.enrol, trials.test
        vectors = unit_of_names(trials.names, table, trials, cohort.centre)
    else:
        (enrolled, enrol), (tested, test) = (used_names(each, trials.names) for each in (trials.enrol, trials.test))
        utterances = read_models(models)
        vectors = unit_of_models(enrolled, utterances, models, table, trials, cohort.centre)
        test = test + np.int32(len(vectors))
        vectors = np.concatenate([vectors, unit_of_names(tested, table, trials, cohort.centre)])
        members = [*(utterances[name] for name in enrolled), *([name] for name in tested)]
    cosines = cosine_scores(vectors, enrol, test)
    if not cohort.top:
        return Compared(members, enrol, test, cosines, cosines, None)
    found = cohort_scores(Cosines(vectors, cohort.unit), cohort.top)
    return Compared(members, enrol, test, cosines, normalised_scores(cosines, enrol, test, found), found.mean)

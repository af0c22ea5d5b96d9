"""Scores of a list of trials, and what they are worth."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cross_modal_kd.config import AsNormConfig, ScoreTrialsConfig
from cross_modal_kd.evaluation.trial_lists.by_names import by_utterance
from cross_modal_kd.evaluation.trial_lists.published import name_of_trials
from cross_modal_kd.evaluation.trial_lists.read import TrialList, read_trials
from cross_modal_kd.evaluation.trial_lists.sides import (
    Centre,
    cohort_means,
    cohort_of,
    enrolment_of,
    read_models,
    unit_of_models,
    unit_of_names,
)
from cross_modal_kd.evaluation.trial_lists.speakers import by_speaker, name_of_cost
from cross_modal_kd.metrics import (
    Cosines,
    OperatingPoints,
    SortedScores,
    cohort_scores,
    cosine_scores,
    eer_at,
    min_dcf_at,
    normalised_scores,
)
from cross_modal_kd.samples import EmbeddingTable, SamplesError, read_embeddings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DET_POINTS = 2000
DET_COLUMNS = ["threshold", "frr", "far"]  # as OperatingPoints has them


@dataclass(frozen=True)
class ScoredTrials:
    """A list with its scores.

    Attributes:
        trials: the list, T trials.
        scores: (T,) float32, higher is more alike; normalised where there is a cohort.
        cosines: (T,) float32; the same array where there is none.
        about: of what and with what they are, as plain values.
    """

    trials: TrialList
    scores: np.ndarray
    cosines: np.ndarray
    about: dict[str, Any]

    def table(self) -> pd.DataFrame:
        """A row a trial: enrol and test (categories), label if known, score, and cosine beside a normalised one."""
        trials = self.trials
        columns: dict[str, Any] = {
            side: pd.Categorical.from_codes(getattr(trials, side), categories=pd.Index(trials.names, dtype="str"))
            for side in ("enrol", "test")
        }
        if trials.target is not None:
            columns["label"] = trials.target
        columns["score"] = self.scores
        if self.cosines is not self.scores:
            columns["cosine"] = self.cosines
        return pd.DataFrame(columns)


@dataclass(frozen=True)
class TrialMetrics:
    """What the scores of a list are worth.

    Attributes:
        metrics: plain values: ``eer``, each minDCF, ``thresholds`` by name (value, FAR and FRR, or the reason why there
            is none), and what they are of; without labels the reason alone.
        det: points of the curve: threshold, frr, far; some ``DET_POINTS``, evenly along it.
        trials: that they are of.
    """

    metrics: dict[str, Any]
    det: pd.DataFrame
    trials: int

    def plot(self) -> "Figure":
        """The detection error trade-off; words where there is none."""
        from cross_modal_kd.plotting import new_figure, say
        from cross_modal_kd.tasks import list_det_plot

        if self.det.empty:
            figure, axis = new_figure(height=5.2)
            say(axis, "No error trade-off: " + self.metrics["reason"])
            return figure
        points = OperatingPoints(*(self.det[name].to_numpy() for name in DET_COLUMNS))
        return list_det_plot(points, self.trials, self.metrics["name"])


def score_trials(asked: ScoreTrialsConfig) -> ScoredTrials:
    """The scores of a list, read and worked out as it is asked for.

    Args:
        asked: list, embeddings, models and normalisation.

    Returns:
        The scores, in the order of the list.

    Raises:
        SamplesError: a file is wrong, or a name has no embedding; it names file and line.
    """
    if asked.trials is None:
        raise SamplesError("score_trials.trials names no list")
    trials, table = read_trials(Path(asked.trials)), read_embeddings(Path(asked.embeddings))
    if asked.vox1_meta is not None:
        trials = by_utterance(trials, Path(asked.vox1_meta))
    models = None if asked.models is None else Path(asked.models)
    cohort, centre = _cohort(table, asked.as_norm)
    vectors, enrol, test = sides_of(trials, table, models, centre)
    cosines = cosine_scores(vectors, enrol, test)
    about: dict[str, Any] = {
        "name": name_of_trials(trials.file, len(trials), trials.targets),
        "list": asked.trials,
        "enrolment": enrolment_of(trials, models),
        "embeddings": asked.embeddings,
        "fingerprint": table.fingerprint,
        "models": asked.models,
        "as_norm": None,
    }
    norm = asked.as_norm
    if norm.centre:
        about["centre"] = f"less the mean of the embeddings of {norm.labels}"
    if not norm.top:
        return ScoredTrials(trials, cosines, cosines, about)
    found = cohort_scores(Cosines(vectors, cohort), norm.top)
    about["as_norm"] = {"top": min(norm.top, len(cohort)), "cohort": len(cohort), "labels": norm.labels}
    return ScoredTrials(trials, normalised_scores(cosines, enrol, test, found), cosines, about)


def _cohort(table: EmbeddingTable, norm: AsNormConfig) -> tuple[np.ndarray, Centre]:
    """(C, D) unit vectors of the cohort's speakers, and what is subtracted from every embedding; none where none is."""
    if not (norm.top or norm.centre):
        return np.zeros((0, table.dim), dtype=np.float32), 0.0
    trained = table if norm.embeddings is None else read_embeddings(Path(norm.embeddings))
    if norm.labels is None or trained.dim != table.dim:
        raise SamplesError(
            f"score_trials.as_norm: expected labels, and embeddings of {table.dim} numbers as those of the list, found "
            f"labels {norm.labels} and {trained.dim} numbers"
        )
    rows, speakers = cohort_of(trained, Path(norm.labels))
    values, centre = trained.values[rows], 0.0
    if norm.centre:
        centre = values.mean(axis=0, dtype=np.float64).astype(np.float32)
        values = values - centre
    return cohort_means(values, speakers, Path(norm.labels)), centre


def sides_of(
    trials: TrialList, table: EmbeddingTable, models: Path | None, centre: Centre = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The unit vectors that a list compares.

    Args:
        trials: the list, T trials.
        table: of embeddings.
        models: a file of models, which its enrolments then are; None: they are utterances.
        centre: subtracted from every embedding first.

    Returns:
        (V, D) vectors, and the row of enrolment and of test in them, each (T,).

    Raises:
        SamplesError: a name has no embedding, or is no model.
    """
    if models is None:
        return unit_of_names(trials.names, table, trials, centre), trials.enrol, trials.test
    (enrolled, enrol), (tested, test) = (_used(each, trials.names) for each in (trials.enrol, trials.test))
    vectors = unit_of_models(enrolled, read_models(models), models, table, trials, centre)
    return np.concatenate([vectors, unit_of_names(tested, table, trials, centre)]), enrol, test + np.int32(len(vectors))


def measure_trials(scored: ScoredTrials, asked: ScoreTrialsConfig) -> TrialMetrics:
    """EER, minDCF, thresholds and the curve of a list's scores.

    Args:
        scored: of ``score_trials``.
        asked: ``p_targets``, ``far``, ``min_errors``, ``speakers`` and ``models``.

    Returns:
        The metrics; with intervals, and errors by condition, where a table says whose the names are
            (``asked.speakers``): a list does not.
    """
    target, about = scored.trials.target, {"trials": len(scored.trials), **scored.about}
    targets = scored.trials.targets or 0
    about |= {"targets": targets, "impostors": len(scored.trials) - targets}
    if target is None or targets in (0, len(target)):
        reason = "the list has no labels" if target is None else f"{targets} of the {len(target)} trials are targets"
        return TrialMetrics({**about, "reason": reason}, pd.DataFrame(columns=DET_COLUMNS), len(scored.trials))
    ordered = SortedScores.of(scored.scores, target)
    points = ordered.points()
    costs = {name_of_cost(p): min_dcf_at(points, p) for p in asked.p_targets}
    inner = OperatingPoints(*(each[1:-1] for each in points))  # the ends have no finite threshold
    even = float(inner.thresholds[int(np.argmin(np.abs(inner.frr - inner.far)))])
    found = {"eer": _at(ordered, even)} | {f"far_{rate:g}": _at_rate(ordered, rate, asked) for rate in asked.far}
    models = None if asked.models is None else Path(asked.models)
    about |= by_speaker(scored.trials, scored.scores, asked.speakers, models, asked.p_targets)
    metrics = {"eer": eer_at(points), **costs, "thresholds": found, **about}
    det = points.thinned(DET_POINTS, len(target))
    return TrialMetrics(metrics, pd.DataFrame(dict(zip(DET_COLUMNS, det, strict=True))), len(target))


def _at(ordered: SortedScores, threshold: float) -> dict[str, float]:
    far, frr = ordered.rates(threshold)
    return {"threshold": threshold, "far": far, "frr": frr}


def _at_rate(ordered: SortedScores, rate: float, asked: ScoreTrialsConfig) -> dict[str, Any]:
    impostors, needed = len(ordered.impostors), int(np.ceil(asked.min_errors / rate - 1e-9))
    if impostors < needed:
        return {
            "reason": f"{impostors} impostor trials, {needed} are needed for {asked.min_errors} false acceptances "
            f"(score_trials.min_errors) at a rate of {rate:g}"
        }
    return _at(ordered, ordered.threshold_at(rate))


def _used(numbers: np.ndarray, names: list[str]) -> tuple[list[str], np.ndarray]:
    """The names that one side uses, and the trials' numbers among these."""
    there = np.zeros(len(names), dtype=bool)
    there[numbers] = True
    place = np.cumsum(there, dtype=np.int32) - np.int32(1)
    return [names[number] for number in np.flatnonzero(there).tolist()], place[numbers]

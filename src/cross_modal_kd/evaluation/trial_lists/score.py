"""Scores of a list of trials, and what they are worth."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cross_modal_kd.config import ScoreTrialsConfig, TaskConfig
from cross_modal_kd.evaluation.trial_lists.across import read_across, sides_across
from cross_modal_kd.evaluation.trial_lists.by_names import by_utterance
from cross_modal_kd.evaluation.trial_lists.calibrate import calibrated
from cross_modal_kd.evaluation.trial_lists.choices import measure_choices
from cross_modal_kd.evaluation.trial_lists.compare import compare, read_cohort
from cross_modal_kd.evaluation.trial_lists.published import name_of_trials
from cross_modal_kd.evaluation.trial_lists.read import TrialList, read_trials, require_once
from cross_modal_kd.evaluation.trial_lists.sides import enrolment_of
from cross_modal_kd.evaluation.trial_lists.speakers import by_speaker, name_of_cost
from cross_modal_kd.metrics import OperatingPoints, SortedScores, cosine_scores, eer_at, min_dcf_at, roc_auc_at
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
        scores: (T,) float32, higher is more alike; normalised where there is a cohort, calibrated where that is asked.
        uncalibrated: (T,) float32; the same array where nothing is calibrated.
        cosines: (T,) float32; the same array where there is no cohort.
        about: of what and with what they are, as plain values.
    """

    trials: TrialList
    scores: np.ndarray
    uncalibrated: np.ndarray
    cosines: np.ndarray
    about: dict[str, Any]

    def table(self) -> pd.DataFrame:
        """A row a trial: enrol and test (categories), label if known, score; what it was made of where that is another.

        Those are ``uncalibrated`` beside a calibrated one, ``cosine`` beside a normalised one.
        """
        trials = self.trials
        columns: dict[str, Any] = {
            side: pd.Categorical.from_codes(getattr(trials, side), categories=pd.Index(trials.names, dtype="str"))
            for side in ("enrol", "test")
        }
        if trials.target is not None:
            columns["label"] = trials.target
        columns["score"] = self.scores
        if self.uncalibrated is not self.scores:
            columns["uncalibrated"] = self.uncalibrated
        if self.cosines is not self.uncalibrated:
            columns["cosine"] = self.cosines
        return pd.DataFrame(columns)


@dataclass(frozen=True)
class TrialMetrics:
    """What the scores of a list are worth.

    Attributes:
        metrics: plain values: ``eer``, each minDCF, ``thresholds`` by name (value, FAR and FRR, or the reason why there
            is none), and what they are of; without labels the reason alone.
        det: points of the curve: the list's name, threshold, frr, far; some ``DET_POINTS``, evenly along it.
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


def score_trials(asked: ScoreTrialsConfig, task: TaskConfig | None = None) -> ScoredTrials:
    """The scores of a list, read and worked out as it is asked for.

    Args:
        asked: list, embeddings, models, normalisation and calibration.
        task: whose student and teacher a list across two modalities compares; None leaves it to the names which side
            is whose.

    Returns:
        The scores, in the order of the list.

    Raises:
        SamplesError: a file is wrong, a pair is a target and an impostor, or a name has no embedding; it names file and
            line.
    """
    if asked.trials is None:
        raise SamplesError("score_trials.trials names no list")
    file = Path(asked.trials)
    trials = read_trials(file) if asked.teacher is None else read_across(file, asked.probes)
    if trials.choices is None:
        require_once(trials)
    table = read_embeddings(Path(asked.embeddings))
    if asked.vox1_meta is not None:
        trials = by_utterance(trials, Path(asked.vox1_meta))
    if asked.teacher is not None:
        return _across(asked, trials, table, read_embeddings(Path(asked.teacher)), task)
    models = None if asked.models is None else Path(asked.models)
    cohort = read_cohort(table, asked.as_norm, asked.calibration.wanted)
    compared = compare(trials, table, models, cohort)
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
    if norm.top:
        size = len(cohort.unit)
        about["as_norm"] = {"top": min(norm.top, size), "cohort": size, "labels": norm.labels}
    scores = compared.scores
    if asked.calibration.wanted:
        scores, about["calibration"] = calibrated(asked, trials, compared, cohort, table)
    return ScoredTrials(trials, scores, compared.scores, compared.cosines, about)


def _across(
    asked: ScoreTrialsConfig, trials: TrialList, table: EmbeddingTable, taught: EmbeddingTable, task: TaskConfig | None
) -> ScoredTrials:
    """The scores of the student's embeddings against the projected teacher's."""
    vectors, enrol, test, sides = sides_across(trials, table, taught, task)
    about: dict[str, Any] = {
        "name": trials.file.name,
        "list": asked.trials,
        "sides": sides,
        "embeddings": asked.embeddings,
        "fingerprint": table.fingerprint,
        "teacher": asked.teacher,
        "teacher_fingerprint": taught.fingerprint,
    }
    cosines = cosine_scores(vectors, enrol, test)
    return ScoredTrials(trials, cosines, cosines, cosines, about)


def measure_trials(scored: ScoredTrials, asked: ScoreTrialsConfig) -> TrialMetrics:
    """EER, minDCF, thresholds and the curve of a list's scores.

    Args:
        scored: of ``score_trials``.
        asked: ``p_targets``, ``far``, ``min_errors``, ``speakers`` and ``models``.

    Returns:
        The metrics, of a list of 1:N matching those of ``measure_choices``; with intervals, and errors by condition,
            where a table says whose the names are (``asked.speakers``): a list does not.
    """
    if scored.trials.choices is not None:
        found = measure_choices(scored.trials, scored.scores, asked.speakers, scored.about.get("sides"))
        return TrialMetrics({**found, **scored.about}, pd.DataFrame(columns=DET_COLUMNS), len(scored.trials))
    target, about = scored.trials.target, {"trials": len(scored.trials), **scored.about}
    targets = scored.trials.targets or 0
    about |= {"targets": targets, "impostors": len(scored.trials) - targets}
    if target is None or targets in (0, len(target)):
        reason = "the list has no labels" if target is None else f"{targets} of the {len(target)} trials are targets"
        return TrialMetrics({**about, "reason": reason}, pd.DataFrame(columns=DET_COLUMNS), len(scored.trials))
    ordered = SortedScores.of(scored.scores, target)
    points = ordered.points()
    errors = _errors(points, asked)
    inner = OperatingPoints(*(each[1:-1] for each in points))  # the ends have no finite threshold
    even = float(inner.thresholds[int(np.argmin(np.abs(inner.frr - inner.far)))])
    found = {"eer": _at(ordered, even)} | {f"far_{rate:g}": _at_rate(ordered, rate, asked) for rate in asked.far}
    models = None if asked.models is None else Path(asked.models)
    about |= by_speaker(
        scored.trials, scored.scores, asked.speakers, models, asked.p_targets, scored.about.get("sides")
    )
    if "calibration" in about:
        before = _errors(SortedScores.of(scored.uncalibrated, target).points(), asked)
        about["calibration"] = {**about["calibration"], "before": before, "after": errors}
    metrics = {**errors, "auc": roc_auc_at(points), "thresholds": found, **about}
    det = points.thinned(DET_POINTS, len(target))
    table = pd.DataFrame({"list": metrics["name"], **dict(zip(DET_COLUMNS, det, strict=True))})
    return TrialMetrics(metrics, table, len(target))


def _errors(points: OperatingPoints, asked: ScoreTrialsConfig) -> dict[str, float]:
    return {"eer": eer_at(points)} | {name_of_cost(p): min_dcf_at(points, p) for p in asked.p_targets}


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

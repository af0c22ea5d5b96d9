"""Thresholds and calibrations, found on the dev split; the test split has no part in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.config import DeploymentConfig, EvaluationConfig, TaskConfig
from cross_modal_kd.metrics import OperatingPoints, SortedScores, cosine_scores, unit_rows
from cross_modal_kd.models import ModelBundle, weights_of
from cross_modal_kd.samples import EmbeddingTable, SamplesError, class_numbers, file_contents, split_rows
from cross_modal_kd.student.answer import class_logits
from cross_modal_kd.student.record import DevMetric, Operating, ScoreCalibration, Temperature, Threshold
from cross_modal_kd.student.strangers import rates_by_size
from cross_modal_kd.tasks import kind_of, trial_rows
from cross_modal_kd.tracking import fingerprint

LEAST_SLOPE, MOST_SLOPE = 1e-3, 1e4


@dataclass(frozen=True)
class Trials:
    """Scored pairs of one split.

    Attributes:
        scores: (n,) cosines.
        targets: (n,) 1 where both are of one label, else 0.
        labels: how many labels they are of.
        split: dev or test, for reasons.
        sides: (2, n) the labels of the two samples of each, as integers from 0.
    """

    scores: np.ndarray
    targets: np.ndarray
    labels: int
    split: str
    sides: np.ndarray

    @property
    def counts(self) -> tuple[int, int]:
        """Targets, impostors."""
        return int(self.targets.sum()), int((self.targets == 0).sum())

    @cached_property
    def sorted(self) -> SortedScores:
        """The same, sorted once; both targets and impostors must be there."""
        return SortedScores.of(self.scores, self.targets)


def find_operating(
    samples: pd.DataFrame,
    task: TaskConfig,
    student: ModelBundle,
    embeddings: EmbeddingTable,
    evaluation: EvaluationConfig,
    deployment: DeploymentConfig,
    logit_scale: float | None,
) -> Operating:
    """How the student's scores and logits become decisions and probabilities.

    Args:
        samples: the table, with its splits.
        task: its kind, and the student's modality.
        student: with its classifier.
        embeddings: its own, of every dev and test sample, not normalised.
        evaluation: how many impostor trials are drawn, and the seed.
        deployment: which thresholds are asked for, and what they must rest on.
        logit_scale: of a classifier by cosines.

    Returns:
        Thresholds with their rates on dev, and on test trials beside them; both calibrations; the dev metric.
    """
    dev, test = (split_rows(samples, task.student, split) for split in ("dev", "test"))
    values = embeddings.at(dev["sample_id"])
    logits = class_logits(student, torch.from_numpy(values), logit_scale)
    found: dict = {
        "student": weights_of(student),
        "logit_scale": logit_scale,
        "temperature": fit_temperature(logits, dev["label"], list(student.config["classes"]), deployment.min_errors),
        "dev": _dev_metric(task, dev, values, student, logits),
    }
    if kind_of(task).uses_trials:
        trials = {rows.iloc[0]["split"]: _scored(task, rows, embeddings, evaluation) for rows in (dev, test)
                  if len(rows)}  # fmt: skip
        targets, impostors = trials["dev"].counts
        thresholds = find_thresholds(trials["dev"], trials.get("test"), deployment)
        found |= {
            "thresholds": _with_enrolled(thresholds, (dev, test), embeddings, deployment.min_labels, evaluation.seed),
            "calibration": fit_scores(trials["dev"], deployment),
            "targets": targets,
            "impostors": impostors,
            "labels": trials["dev"].labels,
        }
    return Operating(**found)


def _with_enrolled(
    thresholds: list[Threshold], splits: Iterable[pd.DataFrame], embeddings: EmbeddingTable, least: int, seed: int
) -> list[Threshold]:
    """The same, each that has a value with the rates of those who are enrolled: on whichever split is the higher."""
    at = [each.value for each in thresholds if each.value is not None]
    found: list[dict[int, float]] = [{} for _ in at]
    for rows in filter(len, splits):
        rates = rates_by_size(embeddings.at(rows["sample_id"]), rows["label"], at, least, seed)
        found = [
            {size: max(a.get(size, 0.0), b.get(size, 0.0)) for size in sorted(a | b)}
            for a, b in zip(found, rates, strict=True)
        ]
    of_each = iter(found)
    return [
        each if each.value is None else each.model_copy(update={"far_enrolled": next(of_each)}) for each in thresholds
    ]


def find_thresholds(dev: Trials, test: Trials | None, deployment: DeploymentConfig) -> list[Threshold]:
    """Where FRR = FAR, where the cost is least, and where FAR comes down to each rate that is asked for.

    Args:
        dev: the trials that they are found on.
        test: trials on which each is measured too; None leaves that out.
        deployment: the rates, and what a threshold must rest on.

    Returns:
        The thresholds by these names: ``eer``, ``min_dcf_01`` (of p_target 0.01), ``far_0.01`` ...; without a value
        and with the reason where the trials cannot bear one.
    """
    p_target = f"{deployment.p_target:g}".partition(".")[2] or f"{deployment.p_target:g}"
    names = ["eer", f"min_dcf_{p_target}", *(f"far_{rate:g}" for rate in deployment.far)]
    if reason := _too_few(dev, deployment.min_labels):
        return [Threshold(name=name, reason=reason) for name in names]
    points = dev.sorted.points()
    finite = np.isfinite(points.thresholds)
    points = OperatingPoints(*(each[finite] for each in points))
    cost = deployment.p_target * points.frr + (1 - deployment.p_target) * points.far
    # every threshold of the curve is at or just above a target's score: the middle of the gap below errs alike
    found = {names[0]: int(np.argmin(np.abs(points.frr - points.far))), names[1]: int(np.argmin(cost))}
    least = deployment.min_errors
    made = [_at(name, dev, test, float(points.thresholds[place]), least) for name, place in found.items()]
    return made + [_at_rate(name, rate, dev, test, least)
                   for name, rate in zip(names[2:], deployment.far, strict=True)]  # fmt: skip


def fit_scores(dev: Trials, deployment: DeploymentConfig) -> ScoreCalibration:
    """Logistic regression of the scores, targets and impostors weighing alike (even odds).

    Where the two do not overlap its slope has no bound, and every probability becomes 0 or 1.

    Args:
        dev: the trials that it is fitted on.
        deployment: ``min_labels`` that they must be of, and ``min_errors`` that must lie among the other sort.

    Returns:
        Slope and intercept, or why there are none.
    """
    from scipy.optimize import minimize

    if reason := _too_few(dev, deployment.min_labels):
        return ScoreCalibration(reason=reason)
    targets, impostors = dev.scores[dev.targets == 1].astype(float), dev.scores[dev.targets == 0].astype(float)
    overlapping = int((targets < impostors.max()).sum() + (impostors > targets.min()).sum())
    if overlapping < deployment.min_errors:
        return ScoreCalibration(
            reason=(
                f"the scores of {overlapping} dev trials lie among those of the other sort, fewer than "
                f"deployment.min_errors = {deployment.min_errors}: how sure a score is cannot be learnt from them"
            )
        )

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        slope, intercept = at
        miss, hit = -(slope * targets + intercept), slope * impostors + intercept
        value = (np.logaddexp(0, miss).mean() + np.logaddexp(0, hit).mean()) / 2
        of_miss, of_hit = _sigmoid(miss) / (2 * len(targets)), _sigmoid(hit) / (2 * len(impostors))
        return value, np.array([of_hit @ impostors - of_miss @ targets, of_hit.sum() - of_miss.sum()])

    start = np.array([1.0, 0.0])
    bounds = [(LEAST_SLOPE, MOST_SLOPE), (-MOST_SLOPE, MOST_SLOPE)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1000})
    return ScoreCalibration(slope=float(found.x[0]), intercept=float(found.x[1]), loss=float(found.fun / np.log(2)))


def fit_temperature(logits: torch.Tensor, labels: pd.Series, classes: list[str], min_errors: int) -> Temperature:
    """T of softmax(logits / T) with the least log-loss.

    Where next to nothing is answered wrongly that is the smallest T there is, and every probability becomes 1.

    Args:
        logits: (n, C) of the dev samples.
        labels: (n,) theirs.
        classes: the C classes, by number.
        min_errors: wrong answers that T rests on, at least.

    Returns:
        T, or why there is none: a dev label that is no class has no probability to be fitted, and few wrong answers do
        not tell how often an answer is wrong.
    """
    from scipy.optimize import minimize_scalar

    if not len(labels) or not labels.isin(classes).all():
        return Temperature(
            reason="the dev labels are not those of the classes (an open set): the probabilities are not calibrated"
        )
    numbers = torch.from_numpy(np.asarray(class_numbers(labels, classes), dtype=np.int64))
    wrong = int((logits.argmax(dim=1) != numbers).sum())
    if wrong < min_errors:
        return Temperature(
            samples=len(labels),
            reason=(
                f"{wrong} of the {len(labels)} dev samples are answered wrongly, fewer than deployment.min_errors = "
                f"{min_errors}: how sure an answer is cannot be learnt from them, the probabilities are not calibrated"
            ),
        )

    def loss(log_temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(logits.double() / float(np.exp(log_temperature)), numbers))

    found = minimize_scalar(loss, bounds=(np.log(0.01), np.log(100.0)), method="bounded")
    return Temperature(value=float(np.exp(found.x)), samples=len(labels), before=loss(0.0), after=float(found.fun))


def _dev_metric(
    task: TaskConfig, dev: pd.DataFrame, values: np.ndarray, student: ModelBundle, logits: torch.Tensor
) -> DevMetric:
    kind, classes = kind_of(task), list(student.config["classes"])
    value = kind.measure(values, dev["label"], classes, lambda: logits.argmax(dim=1).numpy())
    seen = dev[["sample_id", "label"]].assign(sha256=file_contents(dev))
    data = fingerprint(seen.astype(str).sort_values("sample_id"))
    return DevMetric(
        name=kind.dev_metric,
        value=float(value) if np.isfinite(value) else None,
        larger_is_better=kind.larger_is_better,
        data=data,
    )


def _scored(task: TaskConfig, rows: pd.DataFrame, embeddings: EmbeddingTable, evaluation: EvaluationConfig) -> Trials:
    """Trials of a split; of impostors of one domain where the evaluation draws those, if the split has any."""
    try:
        trials = kind_of(task).draw_trials(rows, evaluation)
    except SamplesError:
        trials = kind_of(task).draw_trials(rows, evaluation.model_copy(update={"impostors": "any"}))
    enrol, test = trial_rows(rows, trials)
    scores = cosine_scores(unit_rows(embeddings.at(rows["sample_id"])), enrol, test)
    sides = np.stack([trials[side].cat.codes.to_numpy() for side in ("enrol_label", "test_label")])
    return Trials(scores, trials["target"].to_numpy(), rows["label"].nunique(), str(rows.iloc[0]["split"]), sides)


def _too_few(dev: Trials, min_labels: int) -> str:
    targets, impostors = dev.counts
    if not targets or not impostors:
        return f"the {dev.split} split has {targets} target and {impostors} impostor trials: both are needed"
    if dev.labels < min_labels:
        return (
            f"the {dev.split} trials are of {dev.labels} labels, fewer than deployment.min_labels = {min_labels}: a "
            "threshold would be theirs and nobody else's"
        )
    return ""


def _at_rate(name: str, rate: float, dev: Trials, test: Trials | None, min_errors: int) -> Threshold:
    """The lowest threshold at which no more than that share of the impostors is accepted."""
    impostors, needed = dev.counts[1], int(np.ceil(min_errors / rate - 1e-9))
    if impostors < needed:
        return Threshold(
            name=name,
            reason=(
                f"{impostors} impostor trials on dev, {needed} are needed for {min_errors} false acceptances "
                f"(deployment.min_errors) at a rate of {rate:g}"
            ),
        )
    return _at(name, dev, test, dev.sorted.threshold_at(rate), min_errors)


def _at(name: str, dev: Trials, test: Trials | None, value: float, min_errors: int) -> Threshold:
    far, frr = dev.sorted.rates(value)
    beside = (None, None) if test is None or not all(test.counts) else test.sorted.rates(value)
    return Threshold(
        name=name,
        value=value,
        far=far,
        far_upper=far_upper(dev, value, min_errors),
        frr=frr,
        test_far=beside[0],
        test_frr=beside[1],
    )


def far_upper(trials: Trials, threshold: float, min_errors: int) -> float:
    """95 % upper bound of the FAR between labels other than these, from the same source.

    Clopper and Pearson's bound of an effective number of trials, F (1 - F) / V, that is of as many independent ones as
    tell as much (Korn and Graubard, Survey Methodology 1998). V = C / (C - 1) sum over labels of (sum of a - F over the
    trials that have it)^2 / n^2, with a = 1 for an accepted one, takes trials that share one of their C labels as
    dependent in whatever way; the quantile of Student's t with C - 1 degrees of freedom is for the few labels V rests
    on. It takes the labels for independent draws of those that will be met. In simulations it held in 96 to 99 % of
    cases of 50 to 300 labels, 91 to 99 % of 20 and 82 to 98 % of 10; where two or three of ten labels bring about most
    errors it may hold in 70 %.

    Args:
        trials: some impostors at least.
        threshold: pairs are accepted from it on.
        min_errors: V of fewer accepted impostors says little. There the bound is of the threshold that accepts as many:
            FAR only falls from there to here.

    Returns:
        In [0, 1], never below what independent trials would give; 1 where there are fewer impostors than
        ``min_errors``. Memory grows with n.
    """
    from scipy.special import betaincinv, ndtri, stdtrit

    which = trials.targets == 0
    scores, sides = trials.scores[which].astype(np.float64), trials.sides[:, which]
    count = len(scores)
    if count < min_errors:
        return 1.0
    accepted = scores >= min(threshold, np.partition(scores, -min_errors)[-min_errors])
    far = accepted.mean()
    if far == 1:
        return 1.0
    labels = len(np.unique(sides))
    of_labels = np.bincount(sides.ravel(), np.tile(accepted - far, 2))
    alone = far * (1 - far) / count
    variance = max(labels / (labels - 1) * np.square(of_labels).sum() / count**2, alone)
    independent = alone / variance * count * (ndtri(0.95) / stdtrit(labels - 1, 0.95)) ** 2
    return float(betaincinv(far * independent + 1, (1 - far) * independent, 0.95))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(x))

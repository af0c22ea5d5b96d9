"""Detection error trade-off, and the scores behind it."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm

from cross_modal_kd.config import EvaluationConfig
from cross_modal_kd.metrics import OperatingPoints, cosine_scores, det_curve, eer_at, unit_rows
from cross_modal_kd.plotting import ALONE, ARMS, IMPOSTOR, INK, TEACHER, legend, new_figure, say, title
from cross_modal_kd.tasks.on_test import ProjectedTeacher, StudentsOnTest
from cross_modal_kd.tasks.verification.metrics import teacher_trials
from cross_modal_kd.tasks.verification.scores import trial_rows

RATES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6)
POINTS = 5000


@dataclass(frozen=True)
class ScoredTrials:
    """scores: (n,) by arm. target: (n,) 1 or 0. same_domain: (n,)."""

    scores: dict[str, np.ndarray]
    target: np.ndarray
    same_domain: np.ndarray

    @property
    def measurable(self) -> bool:
        """Whether there is a target and an impostor."""
        return 0 < self.target.sum() < len(self.target)


def scored_trials(students: StudentsOnTest) -> ScoredTrials:
    """The trials' cosine scores with each arm's embeddings.

    Args:
        students: both arms on the test split, with its n trials.

    Returns:
        Scores by arm, in the order of the trials.
    """
    enrol, test = trial_rows(students.rows, students.trials)
    ids = students.rows["sample_id"]
    scores = {arm: cosine_scores(unit_rows(table.at(ids)), enrol, test) for arm, table in students.embeddings.items()}
    return ScoredTrials(scores, students.trials["target"].to_numpy(), students.trials["same_domain"].to_numpy())


def det_plot(scored: ScoredTrials, teacher: ProjectedTeacher, evaluation: EvaluationConfig) -> Figure:
    """False rejections against false acceptances on normal deviate axes; lower left is better; dots at the EER.

    Args:
        scored: the trials with the scores of both arms.
        teacher: projected; its curve is dashed, and left out where no label recurs among its samples or there is one
            alone.
        evaluation: ``max_impostors`` and ``seed`` of the teacher's trials.

    Returns:
        One panel, rates from 0.1 % to 60 %; words in place of curves where the trials are not measurable.
    """
    figure, axis = new_figure(height=5.2)
    if not scored.measurable:
        say(axis, "No error trade-off: the trials are all targets or all impostors.")
        return figure
    for arm, (name, colour) in ARMS.items():
        _curve(axis, det_curve(scored.scores[arm], scored.target), len(scored.target), name, colour)
    if teacher.rows["label"].duplicated().any() and teacher.rows["label"].nunique() > 1:
        trials = teacher_trials(teacher.rows, evaluation)
        scores = cosine_scores(teacher.values, *trial_rows(teacher.rows, trials))
        _curve(axis, det_curve(scores, trials["target"].to_numpy()), len(trials), "teacher, projected", TEACHER, True)
    _det_axes(figure, axis)
    return figure


def list_det_plot(points: OperatingPoints, trials: int, name: str) -> Figure:
    """The detection error trade-off of one list of trials.

    Args:
        points: the curve.
        trials: that it is of.
        name: of what was scored, for the legend.

    Returns:
        One panel, rates from 0.1 % to 60 %.
    """
    figure, axis = new_figure(height=5.2)
    _curve(axis, points, trials, name, ARMS["distilled"][1])
    _det_axes(figure, axis)
    return figure


def _det_axes(figure: Figure, axis: Axes) -> None:
    ends = norm.ppf([RATES[0], RATES[-1]])
    axis.plot(ends, ends, color=INK, linewidth=0.7, alpha=0.4, zorder=1)
    for side in (axis.xaxis, axis.yaxis):
        side.set_ticks(norm.ppf(RATES), [f"{100 * rate:g}" for rate in RATES])
    axis.set(xlim=ends, ylim=ends, xlabel="false acceptances (%)", ylabel="false rejections (%)", aspect="equal")
    title(axis, "Detection error trade-off")
    handles = axis.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8.5, labelcolor=INK)


def _curve(axis: Axes, points: OperatingPoints, trials: int, name: str, colour: str, dashed: bool = False) -> None:
    edge = 0.5 / trials
    kept = np.unique(np.linspace(0, len(points.far) - 1, POINTS).astype(int))
    far, frr = (norm.ppf(np.clip(rate[kept], edge, 1 - edge)) for rate in (points.far, points.frr))
    value = eer_at(points)
    label = f"{name} (EER {100 * value:.1f} %)"
    axis.plot(far, frr, color=colour, linewidth=1.4 if dashed else 2, linestyle="--" if dashed else "-", label=label)
    if 0 < value < 1:
        axis.plot(*norm.ppf([value, value]), "o", color=colour, markersize=6, markeredgecolor="white")


def scores_plot(scored: ScoredTrials) -> Figure:
    """How targets and impostors are spread over the scores, one panel an arm; the line is the threshold of the EER.

    Args:
        scored: the trials with the scores of both arms.

    Returns:
        Two panels on one axis of cosines, each outline of area 1; words where the trials are not measurable.
    """
    figure, axes = new_figure(2, 1, height=4.6, sharex=True)
    if not scored.measurable:
        for axis in axes:
            say(axis, "The trials are all targets or all impostors.")
        return figure
    target = scored.target == 1
    low = min(float(scores.min()) for scores in scored.scores.values())
    edges = np.linspace(low, max(float(scores.max()) for scores in scored.scores.values()), 81)
    hard = ~target & scored.same_domain
    for axis, (arm, (name, colour)) in zip(axes, ARMS.items(), strict=True):
        scores = scored.scores[arm]
        _filled(axis, scores[~target], edges, IMPOSTOR, "impostors")
        _filled(axis, scores[target], edges, colour, "targets")
        if hard.any():
            density, _ = np.histogram(scores[hard], edges, density=True)
            axis.stairs(density, edges, color=IMPOSTOR, linewidth=1, linestyle=":", label="impostors of one domain")
        points = det_curve(scores, scored.target)
        threshold = points.thresholds[int(np.argmax(points.frr >= points.far))]
        axis.axvline(threshold, color=INK, linewidth=1)
        title(axis, f"{name[0].upper()}{name[1:]}: EER {100 * eer_at(points):.1f} %")
        axis.set(yticks=[], ylabel="density")
        axis.grid(axis="y", visible=False)
        legend(axis, loc="upper left")
    axes[-1].set_xlabel("cosine score of a pair")
    return figure


def _filled(axis: Axes, scores: np.ndarray, edges: np.ndarray, colour: str, label: str) -> None:
    density, _ = np.histogram(scores, edges, density=True)
    axis.stairs(density, edges, color=colour, alpha=0.45 if colour != ALONE else 0.6, fill=True, label=label)

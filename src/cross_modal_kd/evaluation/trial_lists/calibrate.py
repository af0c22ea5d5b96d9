"""Quality-aware calibration (QMF): a score beside the qualities of its two sides, as a log-likelihood ratio.

l = w x + b, x the score and, of each measure q of the sides e and t, min, max, max - min and max / min of (q_e, q_t).
w and b minimise 1/2 [mean over targets of log(1 + e^-l) + mean over impostors of log(1 + e^l)] and a small ridge on w,
of factors of mean 0 and deviation 1: a logistic regression on trials of other speakers than the list's.

Source: Thienpondt, Desplanques, Demuynck, "The IDLAB VoxSRC-20 submission: large margin fine-tuning and quality-aware
score calibration", ICASSP 2021; measures, factors and the drawing of trials are WeSpeaker's (``score_calibration.py``,
``generate_calibration_trial.py``). The ridge in the place of its early stop, two different utterances in every target
trial, and a model's duration and length are our reading.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.config import CalibrationConfig, ScoreTrialsConfig
from cross_modal_kd.evaluation.trial_lists.compare import Cohort, Compared, compare
from cross_modal_kd.evaluation.trial_lists.read import TrialList, read_trials
from cross_modal_kd.evaluation.trial_lists.sides import (
    NAMES,
    cohort_of,
    filled,
    flat_members,
    magnitudes_of,
    rows_of,
    speakers_of,
    word_lines,
)
from cross_modal_kd.samples import EmbeddingTable, SamplesError, first_few, read_csv, read_parquet

logger = logging.getLogger(__name__)

LONGEST_S, SHORT_S, LONG_S = 20.0, 2.0, 6.0
RIDGE, LEAST, CONSTANT = 1e-3, 50, 1e-5
PAIRS = 1 << 16
OF_BOTH = ("min", "max", "difference", "ratio")
DURATIONS = ("duration_s", "duration", "seconds")


@dataclass(frozen=True)
class Calibration:
    """A fitted calibration.

    Attributes:
        mean: (F,) of the factors over the trials that it was fitted on.
        deviation: (F,) likewise; infinite for a factor that is one number in all of them, which then has no weight.
        weights: (F,) of the factors less ``mean``, over ``deviation``.
        bias: b.
    """

    mean: np.ndarray
    deviation: np.ndarray
    weights: np.ndarray
    bias: float

    def __call__(self, factors: np.ndarray) -> np.ndarray:
        """(n, F) factors to (n,) log-likelihood ratios."""
        return ((factors - self.mean) / self.deviation) @ self.weights + self.bias


def calibrated(
    asked: ScoreTrialsConfig, trials: TrialList, compared: Compared, cohort: Cohort, table: EmbeddingTable
) -> tuple[np.ndarray, dict[str, Any]]:
    """The calibrated scores of a list.

    Args:
        asked: ``calibration``, ``as_norm.labels`` and ``speakers.table`` count.
        trials: the list.
        compared: its trials, with their scores.
        cohort: training speakers, whose trials are fitted on.
        table: of the list's embeddings.

    Returns:
        (T,) float32, and what they were fitted on, as plain values. Memory grows with T and one block.

    Raises:
        SamplesError: a duration is lacking, a speaker or utterance of the list is among those to be fitted on, or there
            are too few trials.
    """
    how, labels = asked.calibration, Path(str(asked.as_norm.labels))
    seconds = _Durations.of(how)
    if lacking := next(how.lacks(asked.as_norm), None):
        raise SamplesError(lacking)
    fit, target, about = _drawn(cohort, labels, how, seconds) if how.trials is None else _given(how, labels)
    about |= _require_apart(fit, trials, compared, labels, asked.speakers.table)
    of_fit = compare(fit, cohort.table, None, cohort)
    of_both = [
        _qualities(how, each, vectors, cohort, seconds, file)
        for each, vectors, file in ((of_fit, cohort.table, fit.file), (compared, table, trials.file))
    ]
    left_out = [name for name, each in of_both[0].items() if np.ptp(each) <= CONSTANT * np.abs(each).max()]
    used: list[str] = [name for name in how.measures if name not in left_out]
    on_fit, on_list = ({name: each[name] for name in used} for each in of_both)
    found = fitted(_factors(of_fit, on_fit, slice(None)), target)
    scores = np.empty(len(trials), dtype=np.float32)
    for start in range(0, len(trials), PAIRS):
        part = slice(start, start + PAIRS)
        scores[part] = found(_factors(compared, on_list, part))
    if left_out:
        logger.warning(
            "calibration: what moves no score, being one number in all that is fitted on: %s (embeddings of length 1, "
            "for example, have no magnitude)",
            ", ".join(left_out),
        )
    names = ["score", *(f"{name}_{kind}" for name in used for kind in OF_BOTH)]
    about |= {
        "measures": ["score", *used],
        "left_out": left_out,
        "durations": how.durations if "duration" in how.measures else None,
        "weights": dict(zip(names, found.weights.tolist(), strict=True)),
    }
    logger.info(
        "calibration: fitted on %d trials (%d targets) of %d speakers, by %s",
        *(about["trials"], about["targets"], about["speakers"], ", ".join(about["measures"])),
    )
    return scores, about


def fitted(factors: np.ndarray, target: np.ndarray) -> Calibration:
    """A logistic regression that counts targets and impostors alike, however many there are of each.

    Args:
        factors: (n, F).
        target: (n,) 1 target, 0 impostor; both are there.

    Returns:
        The calibration.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    mean, deviation = factors.mean(axis=0), factors.std(axis=0)
    deviation = np.where(deviation > CONSTANT * np.abs(mean), deviation, np.inf)
    given, sign = (factors - mean) / deviation, np.where(target == 1, 1.0, -1.0)
    shares = np.where(target == 1, 0.5 / (target == 1).sum(), 0.5 / (target == 0).sum())

    def loss(found: np.ndarray) -> tuple[float, np.ndarray]:
        margins = sign * (given @ found[:-1] + found[-1])
        value = shares @ np.logaddexp(0, -margins) + RIDGE / 2 * found[:-1] @ found[:-1]
        pulls = -shares * sign * expit(-margins)
        return float(value), np.append(given.T @ pulls + RIDGE * found[:-1], pulls.sum())

    found = minimize(loss, np.zeros(factors.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
    return Calibration(mean, deviation, found[:-1], float(found[-1]))


@dataclass(frozen=True)
class _Durations:
    """Seconds of utterances, by their names."""

    file: Path
    names: list[str]
    seconds: np.ndarray

    @classmethod
    def of(cls, how: CalibrationConfig) -> "_Durations | None":
        """Of the file that a calibration names; None where it does without."""
        if "duration" not in how.measures or how.durations is None:
            return None
        file = Path(how.durations)
        if file.suffix in (".parquet", ".csv"):
            rows = read_parquet(file) if file.suffix == ".parquet" else read_csv(file, [])
            columns = [next((name for name in kinds if name in rows), None) for kinds in (NAMES, DURATIONS)]
            if None in columns:
                raise SamplesError(
                    f"{file}: expected columns 'sample_id' (or 'name') and 'duration_s', found {list(rows)}"
                )
            named, given = filled(rows[columns[0]]), rows[columns[1]]
        else:
            lines = word_lines(file)
            if wrong := next(((number, words) for number, words in lines if len(words) != 2), None):
                raise SamplesError(
                    f"{file}, line {wrong[0]}: expected 'utterance seconds', found {' '.join(wrong[1])!r:.120}"
                )
            named = pd.Series([words[0] for _, words in lines], dtype="str")
            given = pd.Series([words[1] for _, words in lines], dtype="str")
        said = pd.to_numeric(given, errors="coerce")
        if len(commas := given[said.isna() & given.astype(str).str.fullmatch(r"\s*\d+,\d+\s*")]):
            raise SamplesError(
                f"{file}: expected seconds as 1.5, found {commas.iloc[0]!r}: a decimal comma; write points "
                f"({len(commas)} lines are so)"
            )
        known = (said > 0) & np.isfinite(said) & named.notna() & ~named.duplicated()
        return cls(file, named[known].tolist(), said[known].to_numpy(dtype=float))

    def at(self, names: list[str], asking: Path) -> np.ndarray:
        """(n,) seconds, SamplesError naming what has none."""
        rows = rows_of(names, self.names, str(self.file))
        if (lacking := np.flatnonzero(rows < 0)).size:
            raise SamplesError(
                f"{self.file}: {len(lacking)} of the {len(names)} utterances of {asking} have no duration above 0, "
                f"such as {first_few([names[row] for row in lacking[:3].tolist()])}; give the "
                "table that has all of them (score_trials.calibration.durations), or take duration out of "
                "score_trials.calibration.measures"
            )
        return self.seconds[rows]


def _qualities(
    how: CalibrationConfig,
    compared: Compared,
    table: EmbeddingTable,
    cohort: Cohort,
    seconds: _Durations | None,
    file: Path,
) -> dict[str, np.ndarray]:
    """(V,) of every measure that is asked for, by its name: of a model its durations' sum, its mean's length."""
    flat, starts = flat_members(compared.members)
    found = {}
    if seconds is not None:
        found["duration"] = np.minimum(np.add.reduceat(seconds.at(flat, file), starts), LONGEST_S)
    if "magnitude" in how.measures:
        found["magnitude"] = magnitudes_of(flat, starts, table, cohort.centre, str(file))
    if "cohort_mean" in how.measures:
        found["cohort_mean"] = means = np.zeros(0) if compared.means is None else compared.means
        if (low := int((means <= 0).sum())) > 0:
            raise SamplesError(
                f"{file}: {low} of its {len(means)} sides have a mean cosine of 0 or below with the nearest "
                f"{cohort.top} speakers of the cohort, which has no ratio; take fewer (score_trials.as_norm.top), or "
                "take cohort_mean out of score_trials.calibration.measures"
            )
    return found


def _factors(compared: Compared, qualities: dict[str, np.ndarray], part: slice) -> np.ndarray:
    """(n, 1 + 4 Q) factors of some trials, float64."""
    columns = [compared.scores[part].astype(np.float64)]
    for each in qualities.values():
        one, other = each[compared.enrol[part]], each[compared.test[part]]
        low, high = np.minimum(one, other), np.maximum(one, other)
        columns += [low, high, high - low, high / low]
    return np.stack(columns, axis=1)


def _drawn(
    cohort: Cohort, labels: Path, how: CalibrationConfig, seconds: _Durations | None
) -> tuple[TrialList, np.ndarray, dict[str, Any]]:
    """Trials of training speakers: of short sounds, of a short and a long one, of long ones.

    Each target has an impostor of the same enrolment.
    """
    rows, speakers = cohort_of(cohort.table, labels)
    names = [cohort.table.sample_ids[row] for row in rows.tolist()]
    every = np.ones(len(names), dtype=bool)
    pools, kinds = [every], [(0, 0)]
    if seconds is not None:
        lengths = seconds.at(names, labels)
        pools = [(lengths > SHORT_S) & (lengths < LONG_S), lengths >= LONG_S]
        kinds = [(0, 0), (0, 1), (1, 1)]
    codes, found = pd.factorize(np.asarray(speakers, dtype=object), sort=True)
    order = np.argsort(codes, kind="stable")
    by_speaker = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    of = [[own[pool[own]] for pool in pools] for own in by_speaker]
    able = [each for each in of if all(len(pool) > 1 for pool in each)]
    if len(able) < 2:
        sounds = "two sounds" if seconds is None else f"two sounds of {SHORT_S:g} to {LONG_S:g} s and two longer ones"
        raise SamplesError(
            f"{labels}: {len(able)} of its {len(found)} training speakers have {sounds} with an embedding, and "
            "two are needed to draw trials; give embeddings of more (score_trials.as_norm.embeddings), or a list "
            "of your own (score_trials.calibration.trials)"
        )
    rng, drawn = np.random.default_rng(how.seed), []

    def one(pool: np.ndarray) -> int:
        return int(pool[rng.integers(len(pool))])

    for _ in range(how.drawn // (2 * len(kinds))):
        who = int(rng.integers(len(able)))
        other = (who + 1 + int(rng.integers(len(able) - 1))) % len(able)
        for first, second in kinds:
            enrol = one(able[who][first])
            while (test := one(able[who][second])) == enrol:
                pass
            drawn += [(enrol, test, 1), (enrol, one(able[other][second]), 0)]
    enrol, test, target = np.array(drawn, dtype=np.int32).T
    used, place = np.unique(np.concatenate([enrol, test]), return_inverse=True)
    sides = place.astype(np.int32).reshape(2, -1)
    fit = TrialList(labels, [names[row] for row in used.tolist()], sides[0], sides[1], target.astype(np.int8))
    about = {"fitted_on": f"trials drawn of the training speakers of {labels}", "seed": how.seed}
    return fit, target, about


def _given(how: CalibrationConfig, labels: Path) -> tuple[TrialList, np.ndarray, dict[str, Any]]:
    """A list of the user's own."""
    fit = read_trials(Path(str(how.trials)))
    target = np.zeros(len(fit), dtype=np.int8) if fit.target is None else fit.target
    targets = int(target.sum())
    if min(targets, len(fit) - targets) < LEAST:
        raise SamplesError(
            f"{fit.file}: expected at least {LEAST} target and {LEAST} impostor trials to fit a calibration on, found "
            f"{targets} targets of {len(fit)}; give a longer list with labels (score_trials.calibration.trials)"
        )
    return fit, target, {"fitted_on": how.trials, "labels": str(labels)}


def _require_apart(
    fit: TrialList, trials: TrialList, compared: Compared, labels: Path, table: str | None
) -> dict[str, Any]:
    """Counts of what is fitted on; SamplesError where an utterance or speaker of the list is among it."""
    tested = list(dict.fromkeys(flat_members(compared.members)[0]))
    same = rows_of(fit.names, tested, str(fit.file)) >= 0
    if same.any():
        raise SamplesError(
            f"{fit.file}: {int(same.sum())} of its utterances are of {trials.file} too, such as "
            f"{first_few([fit.names[row] for row in np.flatnonzero(same)[:3].tolist()])}: a calibration must not be "
            "fitted on what is tested. Give trials of training speakers (score_trials.calibration)"
        )
    whose = speakers_of(fit.names, labels)
    if lacking := [name for name, speaker in zip(fit.names, whose, strict=True) if speaker is None]:
        raise SamplesError(
            f"{labels}: {len(lacking)} of the {len(fit.names)} utterances of {fit.file} have no speaker there, such "
            f"as {first_few(lacking[:3])}: whether a speaker is tested too cannot be seen. Give the table or list that "
            "has them (score_trials.as_norm.labels)"
        )
    known = speakers_of(tested, labels)
    if table is not None:
        known = [one or other for one, other in zip(speakers_of(tested, Path(table)), known, strict=True)]
    testers = set(known)
    if both := sorted({each for each in whose if each is not None and each in testers}):
        raise SamplesError(
            f"{fit.file}: {len(both)} of its speakers are tested by {trials.file} too ({first_few(both)}): a "
            "calibration must not be fitted on who is tested. Take them out of it (score_trials.calibration.trials, "
            "score_trials.as_norm.labels)"
        )
    unknown = sum(each is None for each in known)
    if unknown:
        logger.warning(
            "calibration: of %d of the %d utterances of %s no table says the speaker; that none of these is among the "
            "%d who are fitted on is yours to see to (score_trials.speakers.table names the table)",
            *(unknown, len(known), trials.file, len(set(whose))),
        )
    return {
        "trials": len(fit),
        "targets": fit.targets,
        "speakers": len(set(whose)),
        "tested_utterances_of_unknown_speakers": unknown,
    }

"""Whose the names of a list are: intervals of its errors by resampled speakers, and errors by condition."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.config import SpeakersConfig
from cross_modal_kd.evaluation.trial_lists.read import TrialList
from cross_modal_kd.evaluation.trial_lists.sides import filled, read_models
from cross_modal_kd.metrics import (
    NARROW,
    Evidence,
    Least,
    bootstrap_verification,
    cluster_weights,
    det_curve,
    eer_at,
    percentile_interval,
)
from cross_modal_kd.samples import (
    CONDITION,
    AmbiguousNameError,
    SamplesError,
    conditions_of,
    first_few,
    read_csv,
    read_parquet,
    rows_of_names,
)
from cross_modal_kd.tasks import Coded, too_few

logger = logging.getLogger(__name__)

WHAT, PARAMETER = "speakers", "score_trials.speakers.min_speakers"
NAME, SPEAKER, SPLIT, MODALITY = "sample_id", "label", "split", "modality"


def by_speaker(
    trials: TrialList,
    scores: np.ndarray,
    asked: SpeakersConfig,
    models: Path | None,
    p_targets: list[float],
    sides: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Intervals of a list's errors, and its errors by condition, as a table of samples knows them.

    Args:
        trials: the list, T trials with labels, of both sorts.
        scores: (T,), higher is more alike.
        asked: the table, and how speakers are resampled.
        models: a file of models, which the list's enrolments then are; None: they are utterances. A model is of a
            condition's value where all its utterances are; where some are of none, trials are told by their tests too.
        p_targets: of the minDCF that have an interval too.
        sides: the modalities of ``enrol`` and ``test``, where they are two, of which one's samples the names are.

    Returns:
        Plain values: ``intervals``: by metric low and high, or the reason why there are none; ``conditions``: a row
        each, with metric, targets and impostors, and the EER with low and high or the reason why there is none.

    Raises:
        SamplesError: the table is wrong, a name may be one of several, or a speaker is of the table's training split.
    """
    if asked.table is None or trials.target is None:
        return {}
    about = untrained(trials, Path(asked.table), models, sides)
    enrol, test = trials.enrol, trials.test + np.int32(len(trials.names))
    codes = pd.factorize(about[SPEAKER], sort=True)[0]
    known = codes >= 0
    speakers = codes[enrol], codes[test]
    there = known[enrol] & known[test]
    weights = cluster_weights(max(int(codes.max()) + 1, 2), asked.bootstrap, asked.seed)
    measure = _Measure(scores, trials.target, speakers, weights, asked)
    logger.info(
        "%s: %d resamples of %d speakers, each a pass over the trials, for the list and for every condition",
        *(trials.file, asked.bootstrap, codes.max() + 1),
    )
    lacking = f"{(~there).sum():,} of the {len(trials):,} trials have a name without a speaker in {asked.table}"
    found: dict[str, Any] = {
        "speakers": asked.table,
        "intervals": measure.intervals(p_targets) if there.all() else {"reason": lacking},
        "conditions": [
            measure.row(metric, which & there)
            for name in conditions_of(about)
            for coded in [Coded.of(name, about[f"{CONDITION}{name}"], enrol, test)]
            for metric, which in (*coded.parts(trials.target), *coded.of_tests())
        ],
    }
    return found


def untrained(
    trials: TrialList, file: Path, models: Path | None, sides: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Whose the names of a list are, none of whom the training split has.

    Args:
        trials: the list, of U names.
        file: the table that says it.
        models: as ``by_speaker`` takes them.
        sides: likewise.

    Returns:
        Speaker, split and conditions of each name as an enrolment, then of each as a test (2 U rows); null where not
        known.

    Raises:
        SamplesError: as ``by_speaker`` does.
    """
    about = _about(trials, file, models, sides)
    if SPLIT in about and (trained := about.loc[about[SPLIT] == "train", SPEAKER].dropna()).size:
        raise SamplesError(
            f"{trials.file}: {trained.nunique()} of its speakers are in the training split of {file} "
            f"({first_few(trained.unique())}): whoever is trained on must not be tested. Train without them (lists "
            "E and H of VoxCeleb1 are of the speakers of its dev set too: train on VoxCeleb2), or take another list; "
            "score_trials.speakers.table: null scores it all the same, without intervals"
        )
    return about


class _Measure:
    """Errors of parts of a list, by resampled speakers."""

    def __init__(
        self,
        scores: np.ndarray,
        target: np.ndarray,
        speakers: tuple[np.ndarray, np.ndarray],
        weights: np.ndarray,
        asked: SpeakersConfig,
    ) -> None:
        self._scores, self._target, self._speakers, self._weights, self._asked = (
            scores,
            target,
            speakers,
            weights,
            asked,
        )

    def intervals(self, p_targets: list[float]) -> dict[str, Any]:
        """Low and high of the EER, the AUC and each minDCF over the whole list."""
        resampled = bootstrap_verification([self._scores], self._target, *self._speakers, self._weights, p_targets)
        columns = {"eer": resampled.eer, "auc": resampled.auc} | {
            name_of_cost(p): resampled.min_dcf[p] for p in p_targets
        }
        evidence = self._evidence(np.ones(len(self._target), dtype=bool))
        if self._asked.min_speakers <= evidence.clusters < NARROW:
            logger.warning(
                "with %d speakers to draw from, intervals of the AUC and of a minDCF are too narrow: of 10 clusters, "
                "those of 95 %% held the truth in 7 to 8 of 10 simulated cases",
                evidence.clusters,
            )
        return {name: self._ends(values[:, 0], evidence) for name, values in columns.items()}

    def row(self, metric: str, which: np.ndarray) -> dict[str, Any]:
        """The EER of some trials."""
        target, sides = self._target[which], (self._speakers[0][which], self._speakers[1][which])
        targets = int(np.count_nonzero(target))
        found = {"metric": metric, "targets": targets, "impostors": len(target) - targets}
        if reason := too_few(target, sides, self._asked.min_speakers, WHAT, PARAMETER):
            return found | {"eer": None, "reason": reason}
        resampled = bootstrap_verification([self._scores[which]], target, *sides, self._weights, p_targets=())
        value = eer_at(det_curve(self._scores[which], target))
        return found | {"eer": value} | self._ends(resampled.eer[:, 0], self._evidence(which))

    def _ends(self, resampled: np.ndarray, evidence: Evidence) -> dict[str, Any]:
        interval = percentile_interval(0.0, resampled, self._asked.level, evidence)
        ends: dict[str, Any] = {"low": interval.low, "high": interval.high}
        return ends | ({"reason": interval.reason} if interval.reason else {})

    def _evidence(self, which: np.ndarray) -> Evidence:
        sorts = [np.concatenate([side[which & (self._target == sort)] for side in self._speakers]) for sort in (1, 0)]
        least = Least(self._asked.min_speakers, what=WHAT, advice="take a list of more speakers")
        return Evidence.of(self._weights, *sorts, least=least)


def name_of_cost(p_target: float) -> str:
    """``min_dcf_01`` of a p_target of 0.01.

    Args:
        p_target: in (0, 1).

    Returns:
        The name.
    """
    return f"min_dcf_{f'{p_target:g}'.partition('.')[2] or p_target}"


def _about(trials: TrialList, file: Path, models: Path | None, sides: Mapping[str, str] | None) -> pd.DataFrame:
    table = read_parquet(file) if file.suffix == ".parquet" else read_csv(file, [NAME, SPEAKER])
    if lacking := [column for column in (NAME, SPEAKER) if column not in table]:
        raise SamplesError(
            f"{file}: expected the columns {NAME} and {SPEAKER}, found {list(table)}; lacking: {lacking}"
        )
    kept = [SPEAKER, *([SPLIT] if SPLIT in table else []), *(f"{CONDITION}{name}" for name in conditions_of(table))]
    parts = []
    for side in ("enrol", "test"):
        of_side = table[table[MODALITY] == sides[side]] if sides and MODALITY in table else table
        ids = of_side[NAME].tolist()
        values = pd.DataFrame({name: filled(of_side[name]) for name in kept}).set_axis(range(len(ids)))
        if side == "enrol" and models is not None:
            parts.append(_of_models(trials, read_models(models), ids, values))
        else:
            parts.append(_of(trials.names, np.unique(getattr(trials, side)), ids, values, trials))
    return pd.concat(parts, ignore_index=True)


def _of(names: list[str], used: np.ndarray, ids: list[str], values: pd.DataFrame, trials: TrialList) -> pd.DataFrame:
    """A row a name, null for those that are not used on this side or that the table has not."""
    rows = np.full(len(names), -1)
    rows[used] = _rows([names[number] for number in used.tolist()], ids, trials)
    return values.reindex(rows).reset_index(drop=True)


def _of_models(trials: TrialList, models: dict[str, list[str]], ids: list[str], values: pd.DataFrame) -> pd.DataFrame:
    """A row a name: of a model what all its utterances share."""
    numbers = {name: number for number, name in enumerate(trials.names) if name in models}
    utterances = [utterance for name in numbers for utterance in models[name]]
    of = np.repeat(list(numbers.values()), [len(models[name]) for name in numbers])
    found = values.reindex(_rows(utterances, ids, trials))
    grouped = found.groupby(of)
    shared = grouped.first().where((grouped.nunique() == 1) & (grouped.count().eq(grouped.size(), axis=0)))
    return shared.reindex(range(len(trials.names)))


def _rows(names: list[str], ids: list[str], trials: TrialList) -> np.ndarray:
    try:
        return rows_of_names(names, ids)
    except AmbiguousNameError as error:
        raise SamplesError(f"{trials.file}: {error}") from error

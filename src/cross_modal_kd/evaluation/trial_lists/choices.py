"""What the scores of a list of 1:N matching are worth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.config import SpeakersConfig
from cross_modal_kd.evaluation.trial_lists.read import TrialList
from cross_modal_kd.evaluation.trial_lists.speakers import PARAMETER, SPEAKER, WHAT, untrained
from cross_modal_kd.metrics import Evidence, Least, bootstrap_mean, cluster_weights, percentile_interval
from cross_modal_kd.samples import CONDITION, conditions_of

NO_CURVE = "a list of 1:N matching has no error trade-off"


def measure_choices(
    trials: TrialList, scores: np.ndarray, asked: SpeakersConfig, sides: Mapping[str, str] | None
) -> dict[str, Any]:
    """Accuracy of 1:N matching: how often the true candidate has the highest score; ties are broken at random.

    Args:
        trials: the list, N trials a probe.
        scores: (T,), higher is more alike.
        asked: the table that says whose the names are, and how the probes' speakers are resampled.
        sides: the modalities of ``enrol`` and ``test``.

    Returns:
        Plain values: ``accuracy``, ``chance`` (1/N), ``probes`` and ``choices`` (N); ``accuracy_among`` the first 2, 3
        and so on of the candidates, where the true one is always the first; with a table the interval of the accuracy,
        and ``conditions``: the accuracy over probes all of whose candidates share a condition with them
        (``accuracy_within_gender``), and over the others whose conditions are known, each with its probes, low and high
        or the reason why there is none.

    Raises:
        SamplesError: as ``by_speaker`` does.
    """
    size = int(trials.choices or 1)
    table = scores.reshape(-1, size).astype(np.float64)
    true = np.argmax(np.asarray(trials.target).reshape(-1, size), axis=1)
    hits = _hits(table, true)
    found: dict[str, Any] = {"accuracy": float(hits.mean()), "chance": 1 / size, "choices": size, "probes": len(hits)}
    if size > 2 and not true.any():
        found["accuracy_among"] = {str(count): float(_hits(table[:, :count], true).mean()) for count in range(2, size)}
    found |= {"reason": NO_CURVE}
    if asked.table is None:
        return found
    about = untrained(trials, Path(asked.table), None, sides)
    probes, candidates = trials.enrol[::size], trials.test.reshape(-1, size) + len(trials.names)
    codes = pd.factorize(about[SPEAKER], sort=True)[0]
    weights = cluster_weights(max(int(codes.max()) + 1, 2), asked.bootstrap, asked.seed)
    speakers = codes[probes]
    lacking = int((speakers < 0).sum())
    if lacking:
        reason = f"{lacking:,} of the {len(hits):,} probes have a name without a speaker in {asked.table}"
        interval = {"low": None, "high": None, "reason": reason}
    else:
        interval = _interval(hits, speakers, weights, asked)
    rows = []
    for name in conditions_of(about):
        values = about[f"{CONDITION}{name}"].to_numpy(dtype=object)
        known = speakers >= 0
        known &= pd.notna(values[probes]) & pd.notna(values[candidates]).all(axis=1)
        same = (values[candidates] == values[probes][:, None]).all(axis=1)
        for kind, which in (("within", known & same), ("across", known & ~same)):
            row: dict[str, Any] = {"metric": f"accuracy_{kind}_{name}", "probes": int(which.sum())}
            if len(np.unique(speakers[which])) < asked.min_speakers:
                reason = f"its probes are of fewer than {asked.min_speakers} {WHAT} ({PARAMETER})"
                rows.append(row | {"accuracy": None, "reason": reason})
            else:
                value = {"accuracy": float(hits[which].mean())}
                rows.append(row | value | _interval(hits[which], speakers[which], weights, asked))
    return found | {"speakers": asked.table, "intervals": {"accuracy": interval}, "conditions": rows}


def _hits(table: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(P,) of (P, N) scores: 1 where the true one's is the highest, 1/k where it is one of k that are."""
    best = table == table.max(axis=1, keepdims=True)
    return best[np.arange(len(table)), true] / best.sum(axis=1)


def _interval(hits: np.ndarray, speakers: np.ndarray, weights: np.ndarray, asked: SpeakersConfig) -> dict[str, Any]:
    least = Least(asked.min_speakers, what=WHAT, advice="take a list of more speakers")
    evidence = Evidence.of(weights, speakers, least=least)
    found = percentile_interval(0.0, bootstrap_mean(hits, speakers, weights), asked.level, evidence)
    ends: dict[str, Any] = {"low": found.low, "high": found.high}
    return ends | ({"reason": found.reason} if found.reason else {})

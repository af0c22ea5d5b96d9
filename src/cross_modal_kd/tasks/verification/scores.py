"""Where the samples of trials stand."""

import numpy as np
import pandas as pd


def trial_rows(rows: pd.DataFrame, trials: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions in ``rows`` of both sides of every trial.

    Args:
        rows: n samples, with the column sample_id.
        trials: T pairs, with the columns enrol_id and test_id.

    Returns:
        Enrolment and test side, each (T,) integers in [0, n).

    Raises:
        ValueError: a trial whose sample is not there.
    """
    index = pd.Index(rows["sample_id"])
    enrol, test = (index.get_indexer(trials[side]) for side in ("enrol_id", "test_id"))
    unknown = (enrol < 0) | (test < 0)
    if unknown.any():
        first = trials[unknown].iloc[0]
        raise ValueError(
            f"trials: {unknown.sum()} name samples that are not in the test split, the first is {first['enrol_id']!r} "
            f"with {first['test_id']!r}; make the trials again (kedro run --pipeline=evaluation, with the "
            "same --env and --params)"
        )
    return enrol, test

"""The table of tuning_trials.csv."""

import pandas as pd

from cross_modal_kd.studies.results.numbers import number
from cross_modal_kd.studies.results.tables.table import Table


def tuning_tables(frame: pd.DataFrame) -> list[Table]:
    """The best trial of each arm, beside the arm as it was configured (its first trial).

    Args:
        frame: in the columns of ``tuning.search.summary``, with ``labelled`` where several shares were searched.

    Returns:
        One table, a row an arm (and share).
    """
    about = {"arm", "trial", "state", "dev", "larger_is_better", "best", "labelled"}
    shares = "labelled" in frame
    rows = []
    for _, trials in frame.groupby(["labelled", "arm"] if shares else ["arm"], sort=False):
        best = trials[trials["best"].astype(bool)].iloc[0]
        tried = {str(name): value for name, value in best.items() if name not in about and pd.notna(value)}
        values = [f"{name} {number('', value)}" for name, value in tried.items()]
        first, pruned = trials.sort_values("trial").iloc[0], int((trials["state"] == "pruned").sum())
        metrics = [number("dev", first["dev"]), number("dev", best["dev"])]
        named = [*([f"{100 * first['labelled']:g} %"] if shares else []), str(first["arm"])]
        rows.append([*named, str(len(trials)), str(pruned), *metrics, ", ".join(values) or "as configured"])
    metric = "top-1" if bool(frame["larger_is_better"].iloc[0]) else "EER"
    header = [*(["labelled"] if shares else []), "arm", "trials", "pruned"]
    header += [f"dev {metric} as configured, %", f"dev {metric} of the best, %", "its values"]
    return [Table("The best trial of each arm on the dev split; the test split was not read", header, rows)]

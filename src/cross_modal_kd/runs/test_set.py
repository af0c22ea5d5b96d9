"""Whether the metrics of runs may be set against each other: were they measured on the same test set?"""

from collections.abc import Sequence
from dataclasses import dataclass

from cross_modal_kd.tracking import PastRun

SAMPLES, PROTOCOL = "data.samples", "data.protocol"
FOLDS = "evaluation.folds"
# metrics that are times, curves, ends of intervals, or are said elsewhere
PASSED_OVER = ("headline/", "interval/", "seconds/", "system/", "training/", "metrics/protocol.", "metrics/chance.")
DECIDE = ("task.", "sources.", "ingestion.", "evaluation.")  # parameters that the test set comes from


@dataclass(frozen=True)
class TestSet:
    """What is known of the test sets of several runs.

    Attributes:
        same: True, False, or None where it is not known.
        samples_same: the whole tables of samples, the training split included, are the same.
        why: a sentence, fit to stand above the metrics.
    """

    __test__ = False  # no test of pytest's

    same: bool | None
    samples_same: bool
    why: str

    @classmethod
    def of(cls, runs: Sequence[PastRun]) -> "TestSet":
        """What the fingerprints of the runs say, and their parameters where a run has kept none.

        Args:
            runs: two or more.

        Returns:
            The same, another, or not known.
        """
        samples = _equal(runs, SAMPLES)
        if nothing := [run for run in runs if not has_measured(run)]:
            return cls(None, bool(samples), _nothing(nothing))
        protocol = _equal(runs, PROTOCOL)
        if protocol and samples is False and any(run.params.get(FOLDS, "1") not in ("1", "null") for run in runs):
            return cls(False, False, "The samples differ, and folds test all: the metrics cannot be compared.")
        if protocol:
            rest = "" if samples else "; the samples beside it differ (data.samples)"
            return cls(True, bool(samples), f"All were measured on the same test set{rest}.")
        if protocol is False:
            return cls(
                False,
                bool(samples),
                "The test sets differ (data.protocol: test samples, trials, galleries and resamples): the metrics "
                f"cannot be compared.{_hint(runs)}",
            )
        if samples is False:
            return cls(False, False, f"The data differ (data.samples): the metrics cannot be compared.{_hint(runs)}")
        changed = _changed(runs)
        if changed:
            return cls(
                False,
                bool(samples),
                f"The runs were measured in different ways ({_few(changed)}): the metrics cannot be compared.",
            )
        if samples is None:
            missing = ", ".join(run.short for run in runs if SAMPLES not in run.tags)
            return cls(
                None,
                False,
                f"Which data were used is not known of {missing} (no tag data.samples): whether the metrics can be "
                "compared is not known either.",
            )
        why = "All saw the same samples, and were measured by the same parameters (data.protocol is not known)."
        return cls(True, True, why)


def has_measured(run: PastRun) -> bool:
    """Whether it has a metric that can be set against another run's.

    Args:
        run: of any pipeline.

    Returns:
        False of one that has only read data, or trained.
    """
    return any(not name.startswith(PASSED_OVER) for name in run.metrics)


def _nothing(runs: Sequence[PastRun]) -> str:
    """What keeps runs from being compared that have measured nothing, and what measures."""
    named = " and ".join(f"{run.short} ({run.name})" for run in runs)
    env = runs[0].tags.get("kedro.env")
    option = "" if env in (None, "local") else f" --env={env}"
    return (
        f"{named} {'has' if len(runs) == 1 else 'have'} measured nothing that could be compared: `kedro run "
        f"--pipelines=distill{option}` trains and measures, and `kedro run --pipelines=evaluation{option}` measures "
        "the students that are there."
    )


def _equal(runs: Sequence[PastRun], tag: str) -> bool | None:
    """None where a run does not have it."""
    found = [run.tags.get(tag) for run in runs]
    return None if None in found else len(set(found)) == 1


def _changed(runs: Sequence[PastRun]) -> list[str]:
    names = sorted({name for run in runs for name in run.params if name.startswith(DECIDE)})
    return [name for name in names if len({run.params.get(name) for run in runs}) > 1]


def _hint(runs: Sequence[PastRun]) -> str:
    changed = _changed(runs)
    return (
        f" Of the parameters, {_few(changed)} differ."
        if changed
        else " Their parameters are the same: the files are not."
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")

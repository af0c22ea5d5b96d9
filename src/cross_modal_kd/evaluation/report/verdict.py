"""The result in a sentence."""

from dataclasses import dataclass
from typing import Any

from cross_modal_kd.evaluation.legend import legend_of, shown, shown_change
from cross_modal_kd.evaluation.summary import alone_name
from cross_modal_kd.tasks import kind_named


@dataclass(frozen=True)
class Verdict:
    """values: the two values. change: their difference with its interval. conclusion: what can be said of it.

    tone: better, worse, or open where the interval includes zero, where there is none, or where the metric is not
    defined. caution: what a difference that is clear of zero does not say; empty where there is none.
    """

    values: str
    change: str
    conclusion: str
    tone: str
    caution: str = ""

    @property
    def sentences(self) -> str:
        """All of it, where there is room for a paragraph."""
        return " ".join(filter(None, [f"{self.values}: {self.change}.", self.conclusion, self.caution]))


def verdict(metrics: dict) -> Verdict:
    """Of the kind's metric: alone, distilled, the difference and whether its interval leaves zero out.

    Without an interval there is no verdict, but what is missing for one.

    Args:
        metrics: the content of metrics.json, in shares.

    Returns:
        The sentences; values in percent, differences in points.
    """
    name = kind_named(metrics["task"]["kind"]).metric
    if name not in metrics["difference"]:
        reason = metrics["undefined"].get(name, "it was not measured")
        return Verdict(f"{legend_of(name).title} is not defined", reason, "Nothing can be said.", "open")
    alone, distilled, difference = (metrics[part][name] for part in ("student_alone", "distilled", "difference"))
    own = f"{shown(name, alone['value'])} {short_name(metrics)}"
    values = f"{legend_of(name).title} {own}, {shown(name, distilled['value'])} distilled"
    if difference["low"] is None:
        change = f"{shown_change(name, difference['value'])} points, without an interval"
        return Verdict(values, change, f"No verdict: {difference['reason']}.", "open")
    change = f"{shown_change(name, difference['value'])} points {_interval(name, difference)}"
    sign = 1 if legend_of(name).better == "higher" else -1
    low, high = sorted(sign * difference[end] for end in ("low", "high"))
    reduction = metrics["relative_reduction"].get(name)
    percent = "" if reduction is None else f"{100 * abs(reduction['value']):.0f}\N{NO-BREAK SPACE}%"
    by, seeds = _in_a_sentence(legend_of(name).title), _other_seeds(metrics)
    if low > 0:
        errors = f": {percent} of the errors are gone" if percent else ""
        return Verdict(
            values, change, f"In this one training the distilled student is better by {by}{errors}.", "better", seeds
        )
    if high < 0:
        errors = f": {percent} more errors" if percent else ""
        return Verdict(
            values, change, f"In this one training the distilled student is worse by {by}{errors}.", "worse", seeds
        )
    return Verdict(values, change, "The interval includes zero: no difference is shown.", "open")


def short_name(metrics: dict) -> str:
    """The head of the column of the student alone, or of what stands in its place.

    Args:
        metrics: the content of metrics.json.

    Returns:
        ``alone``, or another name.
    """
    return alone_name(metrics).removeprefix("student ")


def _in_a_sentence(title: str) -> str:
    """A name that is no abbreviation begins small."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def _other_seeds(metrics: dict) -> str:
    """The command that tells, which is refused where labels are held back."""
    how = "`--params=training.seed=1` trains with another"
    if not metrics.get("labels"):
        how = "`kedro run --pipelines=comparison` trains with several and counts it"
    return f"The interval does not count what another training seed would do: {how}."


def _interval(name: str, ends: dict[str, Any]) -> str:
    return f"[{shown_change(name, ends['low'])}, {shown_change(name, ends['high'])}]"

"""The result in a sentence."""

from dataclasses import dataclass

from cross_modal_kd.evaluation.legend import legend, shown, shown_change


@dataclass(frozen=True)
class Verdict:
    """figures: the two values. change: their difference with its interval. conclusion: what can be said of it."""

    figures: str
    change: str
    conclusion: str
    tone: str


def verdict(metrics: dict) -> Verdict:
    """Of EER or top-1: alone, distilled, the difference and whether its interval leaves zero out."""
    name = "eer" if metrics["task"]["kind"] == "verification" else "top1"
    if name not in metrics["difference"]:
        reason = metrics["undefined"].get(name, "it was not measured")
        return Verdict(f"{legend(name).title} is not defined", reason, "Nothing can be said.", "open")
    alone, distilled, difference = (metrics[part][name] for part in ("student_alone", "distilled", "difference"))
    figures = f"{legend(name).title} {shown(name, alone['value'])} alone, {shown(name, distilled['value'])} distilled"
    change = f"{shown_change(name, difference['value'])} points {_interval(name, difference)}"
    sign = 1 if legend(name).better == "higher" else -1
    low, high = sorted(sign * difference[end] for end in ("low", "high"))
    reduction = metrics["relative_reduction"].get(name)
    percent = "" if reduction is None else f"{100 * abs(reduction['value']):.0f}\N{NO-BREAK SPACE}%"
    if low > 0:
        errors = f": {percent} of the errors are gone" if percent else ""
        return Verdict(figures, change, f"The distilled student is better{errors}.", "better")
    if high < 0:
        errors = f": {percent} more errors" if percent else ""
        return Verdict(figures, change, f"The distilled student is worse{errors}.", "worse")
    return Verdict(figures, change, "The interval includes zero: no difference is shown.", "open")


def _interval(name: str, figure: dict[str, float]) -> str:
    return f"[{shown_change(name, figure['low'])}, {shown_change(name, figure['high'])}]"

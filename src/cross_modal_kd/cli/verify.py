"""``verify A B``: are two files of the same label?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cross_modal_kd.cli.answering import NOTHING, Answering
from cross_modal_kd.cli.options import PATH, loaded, student_options
from cross_modal_kd.cli.told import Told
from cross_modal_kd.cli.words import as_json, quality_words, shown, threshold_called, threshold_words

if TYPE_CHECKING:
    from cross_modal_kd.student import Verification

EXITS = (
    "Exit codes: 0 there is a decision, whichever; 1 there is none, or a file could not be read; 2 the command was "
    "wrongly typed."
)
AT = click.option(
    "--at", default="eer", show_default=True, metavar="NAME",
    help="The threshold that decides, found on the student's dev split: eer (as many false acceptances as refusals), "
    "min_dcf (least cost), far1% or far0.1% (of false acceptances).",
)  # fmt: skip
JSON = click.option("--json", "as_lines", is_flag=True, help="Print the answer as a line of JSON.")


@click.command(cls=Answering, short_help="Say whether two files are of the same label.", epilog=EXITS)
@click.argument("first", metavar="A", type=PATH)
@click.argument("second", metavar="B", type=PATH)
@AT
@JSON
@student_options
def verify(first: Path, second: Path, at: str, as_lines: bool, **options: Any) -> None:
    """Say whether A and B are of the same label (person, concept ...), which need not be one of the training.

    Score, decision, the rates of error that the threshold stands for, and a calibrated probability. Where the dev split
    could not bear the threshold there is a score and no decision, with the reason.
    """
    model = loaded(**options)
    name = threshold_called(model, at)
    answer = model.verify(first, second, name)
    if as_lines:
        click.echo(as_json(answer))
    elif answer.error is None:
        _print(answer, threshold_words(model.thresholds.get(name), name))
    if answer.error is not None:
        raise Told(f"not read: {shown(answer.error)}")
    if answer.accepted is None:
        click.get_current_context().exit(NOTHING)


def _print(answer: "Verification", threshold: str) -> None:
    click.echo(f"score        {answer.score:.4f}")
    click.echo(f"decision     {decision(answer.accepted, answer.reason, answer.threshold)}")
    if threshold:
        click.echo(f"threshold    {threshold}")
    if answer.probability is not None:
        click.echo(f"probability  {answer.probability:.3f} that it is the same, if both were as likely before")
    for file, quality in zip(answer.names, answer.qualities, strict=True):
        if words := quality_words(quality):
            click.echo(f"{words}: {shown(file)}")


def decision(accepted: bool | None, reason: str, name: str) -> str:
    """A decision in words.

    Args:
        accepted: None where there is none.
        reason: why.
        name: of the threshold.

    Returns:
        ``accepted``, ``refused``, or none with the reason.
    """
    if accepted is None:
        return f"none: no threshold {name}: {shown(reason)}"
    return "accepted: the same" if accepted else "refused: not the same"

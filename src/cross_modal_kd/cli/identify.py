"""``identify FILE --book BOOK``: who of those who are enrolled is it?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cross_modal_kd.cli.answering import NOTHING, Answering, ends
from cross_modal_kd.cli.book import read_book
from cross_modal_kd.cli.enroll import BOOK
from cross_modal_kd.cli.options import PATH, counted, loaded, student_options
from cross_modal_kd.cli.verify import AT, JSON
from cross_modal_kd.cli.words import as_json, quality_words, shown, threshold_called, threshold_words

if TYPE_CHECKING:
    from cross_modal_kd.student import Identification, StudentModel

EXITS = (
    "Exit codes: 0 every file was read and decided on; 1 there is no answer, or no decision; 2 the command was wrongly "
    "typed; 3 some files could not be read."
)


@click.command(cls=Answering, short_help="Say who of the enrolled a file is of.", epilog=EXITS)
@click.argument("inputs", metavar="FILES_OR_FOLDERS...", nargs=-1, required=True, type=PATH)
@BOOK
@AT
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="Names that are listed.")
@JSON
@student_options
def identify(inputs: tuple[Path, ...], book: Path, at: str, top: int, as_lines: bool, **options: Any) -> None:
    """Say of each file who of those enrolled in the book it is, if any of them.

    How often a stranger is taken for somebody grows with the number of names, and of the files that they are enrolled
    with: the rate is printed, as far as the dev and test splits tell it.
    """
    enrolled = read_book(book)
    model = loaded(**options)
    name = threshold_called(model, at)
    read = failed = 0
    decided, rate = True, None
    for embedding in model.embed(iter(counted(model, list(inputs), "identify", unseen=True))):
        answer = model.identify(embedding, enrolled, name, top)
        failed, read = failed + (answer.error is not None), read + (answer.error is None)
        rate = answer.far_any if rate is None else rate
        decided = decided and (answer.error is not None or answer.accepted is not None)
        click.echo(as_json(answer) if as_lines else _line(answer))
    if not as_lines and read:
        _footnote(model, name, len(enrolled.entries), rate)
    if not decided:
        click.get_current_context().exit(NOTHING)
    ends(read, failed)


def _line(answer: "Identification") -> str:
    if answer.error is not None:
        return f"{shown(answer.name)}: not read: {shown(answer.error)}"
    if answer.accepted is None:
        said = f"nearest to {shown(answer.best)}, no decision"
    else:
        said = shown(answer.best) if answer.accepted else "none of the enrolled"
    among = ", ".join(f"{shown(name)} {score:.4f}" for name, score in answer.candidates)
    probability = "" if answer.probability is None else f"; probability {answer.probability:.3f}"
    quality = quality_words(answer.quality)
    return f"{shown(answer.name)}: {said} [{among}{probability}]" + (f" ({quality})" if quality else "")


def _footnote(model: "StudentModel", name: str, count: int, rate: float | None) -> None:
    threshold = model.thresholds.get(name)
    words = threshold_words(threshold, name)
    if threshold is None or rate is None or not words:
        reason = model.record.operating.calibration.reason if threshold is None else threshold.reason
        click.echo(f"no decision: no threshold {name}: {shown(reason)}", err=True)
        return
    click.echo(
        f"threshold {words}\nwith {count} enrolled, a stranger is taken for one of them up to {100 * rate:.3g} % of "
        "the time, as far as dev and test tell; the probability is that of the first name against a stranger, if both "
        "were as likely before",
        err=True,
    )

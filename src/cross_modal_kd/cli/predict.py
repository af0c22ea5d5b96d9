"""``predict FILES``: the class of each, with its probability and the quality of the input."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cross_modal_kd.cli.answering import Answering, ends
from cross_modal_kd.cli.options import PATH, counted, loaded, student_options
from cross_modal_kd.cli.words import quality_words, shown
from cross_modal_kd.storage import how_many

if TYPE_CHECKING:
    from cross_modal_kd.student import Prediction


@click.command(cls=Answering, writes="output", short_help="Name the class of files.")
@click.argument("inputs", metavar="FILES_OR_FOLDERS...", nargs=-1, required=True, type=PATH)
@click.option(
    "--output", "-o", type=PATH, callback=lambda _, __, file: _checked(file),
    help="A table: .csv, .parquet or .jsonl (JSON lines). Without it a line for each file is printed.",
)  # fmt: skip
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, help="Classes listed for each.")
@click.option(
    "--labels", metavar="A,B,...",
    help="Classes named by words, which need not be those of the training. Only for a student that a text teacher has "
    "taught; the text encoder must be installed.",
)  # fmt: skip
@student_options
def predict(
    inputs: tuple[Path, ...], output: Path | None, top: int, labels: str | None,
    student: str | None, env: str | None, device: str, batch_size: int,
) -> None:  # fmt: skip
    """Name the class of each of FILES_OR_FOLDERS, folders at every depth.

    A row a file: the class, its probability (calibrated says whether it was fitted on dev), the quality of the file
    beside the training samples (0 is the worst of them, 1 the best) and whether it is poor, so that the answer should
    be doubted. What cannot be read has the reason in its row and stops nothing.
    """
    from cross_modal_kd.tasks import kind_of

    if output is not None and output.exists() and any(each.exists() and output.samefile(each) for each in inputs):
        raise click.BadParameter(f"{output} is one of the files to be read: name another", param_hint="--output")
    model = loaded(student, env, device, batch_size)
    names = None if labels is None else _named(labels)
    if kind_of(model.task).uses_trials and names is None and model.classes:
        click.echo(
            "note: this student was trained to compare. What it names is the nearest label of its training, right or "
            "not; `verify` and `identify` decide, and --labels names classes of your own",
            err=True,
        )
    files = counted(model, list(inputs), "predict", unseen=output is None)
    answers = Counted(model.predict(iter(files), top_k=top, labels=names))
    if output is None:
        for answer in answers:
            click.echo(_line(answer, model.name_of if names is None else str))
    else:
        _write(answers, output, top)
        click.echo(f"{how_many(answers.read, 'prediction')} in {shown(output)}" + answers.not_read(), err=True)
    ends(answers.read, answers.failed)


class Counted:
    """Answers, counted as they pass.

    Args:
        answers: each with its ``error``, or None.
    """

    def __init__(self, answers: "Iterable[Prediction]") -> None:
        self._answers = answers
        self.read = self.failed = self.poor = 0

    def __iter__(self) -> "Iterator[Prediction]":
        for answer in self._answers:
            self.failed += answer.error is not None
            self.read += answer.error is None
            self.poor += answer.quality is not None and answer.quality.poor
            yield answer

    def not_read(self) -> str:
        """What was not as it should be, to be put after what was."""
        poor = f"; {self.poor} of poor quality" if self.poor else ""
        return poor + (f"; {self.failed} could not be read (their rows have the reason)" if self.failed else "")


def _checked(file: Path | None) -> Path | None:
    from cross_modal_kd.storage import RowsFile

    try:
        if file is not None:
            RowsFile.check(file)
    except (ValueError, OSError) as error:
        raise click.BadParameter(str(error)) from error
    return file


def _write(answers: Counted, output: Path, top: int) -> None:
    from cross_modal_kd.storage import RowsFile
    from cross_modal_kd.student import prediction_columns, prediction_row

    file = RowsFile(output, prediction_columns(top))
    try:
        with file:
            for answer in answers:
                file.write(prediction_row(answer, top))
    except BaseException:
        if file.part.exists() and file.part.stat().st_size:
            click.echo(f"\nwhat was answered before is in {shown(file.part)}", err=True)
        raise


def _line(answer: "Prediction", name_of: Callable[[str], str]) -> str:
    if answer.error is not None:
        return f"{shown(answer.name)}: not read: {shown(answer.error)}"
    classes = ", ".join(f"{_class(label, name_of(label))} {probability:.3f}" for label, probability in answer.top)
    quality = quality_words(answer.quality)
    return f"{shown(answer.name)}: {classes}" + (f" ({quality})" if quality else "")


def _class(label: str, name: str) -> str:
    """The name of a class, with its label where that is a code."""
    return shown(label) if name == label else f"{shown(name)} ({shown(label)})"


def _named(labels: str) -> list[str]:
    """The classes of ``--labels``; a class alone would be every file's, whatever it shows."""
    names = [each.strip() for each in labels.split(",")]
    if "" in names or len(set(names)) < 2 or len(set(names)) < len(names):
        raise click.BadParameter(f"expected two names or more, each once, found {labels!r}", param_hint="--labels")
    return names

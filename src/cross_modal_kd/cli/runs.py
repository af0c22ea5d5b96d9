"""``compare`` and ``reproduce``: what MLflow has kept of runs, read again."""

import os
import shlex
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from kedro.utils import find_kedro_project

from cross_modal_kd.cli.command import Asking
from cross_modal_kd.cli.told import Told

PAGES = Path("data/08_reporting/compared_runs")
COMPARE = """What differs between runs: parameters, data, code, machine, and metrics with their intervals.

A RUN is an id, the first digits of one (four or more), or a name, as MLflow shows them. The others are set against the
first. The same on a page that needs nothing beside it; its path is the last line."""
REPRODUCE = """Do a run again from its command and parameters, at its commit, and compare every number.

It runs in a clean git worktree in a temporary folder, on the same raw data, tracked in a database of its own; neither
the project's artifacts nor its runs are touched. The exit code is 0 where all numbers agree, 1 where one differs, 2
where it could not be done."""
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


class Refused(Told):
    """It was not done, with the reason; the exit code is 2, so that 1 says that it was done and the numbers differ."""

    exit_code = 2


def _project() -> Path:
    return find_kedro_project(Path.cwd()) or Path.cwd()


def _server(tracking_uri: str | None) -> str:
    from cross_modal_kd.tracking import Settings

    return tracking_uri or Settings.of_project(_project()).tracking_uri


_tracking_uri = click.option(
    "--tracking-uri",
    metavar="URI",
    help="Where the runs are; else MLFLOW_TRACKING_URI, or what conf/local/mlflow.yml and conf/base/mlflow.yml say.",
)


@click.command(cls=Asking, help=COMPARE, short_help="What differs between tracked runs.")
@click.argument("runs", metavar="RUN RUN [RUN ...]", nargs=-1, required=True)
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="The page; else below data/08_reporting.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@_tracking_uri
def compare(runs: tuple[str, ...], page: Path | None, show: bool, tracking_uri: str | None) -> None:
    """Print what differs between runs, and write it on a page.

    Args:
        runs: ids, the first digits of them, or names; two or more.
        page: the file; None is one below ``PAGES``.
        show: open it in the browser.
        tracking_uri: where the runs are; None is where the project's are.

    Raises:
        UsageError: fewer than two runs are named.
    """
    from cross_modal_kd.runs import compare as set_side_by_side
    from cross_modal_kd.runs import compare_page, compare_words, resamples_of
    from cross_modal_kd.storage import write_whole
    from cross_modal_kd.tracking import Runs

    if len(runs) < 2:
        raise click.UsageError(f"compare takes two runs or more, found {len(runs)}: {' '.join(runs)}")
    store = Runs(_server(tracking_uri))
    found = [store.find(each) for each in runs]
    tables = {run.run_id: resamples_of(store, run) for run in found}
    compared = set_side_by_side(found, {key: table for key, table in tables.items() if table is not None})
    click.echo(compare_words(compared))
    file = page or _project() / PAGES / f"{'_'.join(run.short for run in found)}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    again = shlex.join(["cross-modal-kd", "compare", *(run.run_id for run in found)])
    write_whole(file, compare_page(compared, again))
    if show and not _opened(file):
        click.echo("\nno browser can be opened here; open the page by yourself", err=True)
    click.echo(f"\npage: {_near(file)}")


def _opened(file: Path) -> bool:
    """Whether a browser with a window was started; one in the terminal would take it over."""
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in DISPLAYS):
        return False
    with suppress(webbrowser.Error, OSError):
        return webbrowser.open(file.resolve().as_uri())
    return False


def _near(file: Path) -> Path:
    file = file.resolve()
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


@click.command(cls=Asking, help=REPRODUCE, short_help="Do a tracked run again, and say whether its numbers come out.")
@click.argument("run", metavar="RUN")
@click.option("--keep", is_flag=True, help="Keep the worktree with its database and artifacts, and say where it is.")
@click.option("--anyway", is_flag=True, help="Also where the run was made with uncommitted changes, or of other data.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-6,
    show_default=True,
    help="How far two numbers may lie apart and still agree: of the larger one, or absolutely where both are below 1.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder that relative roots of raw data start from, where it is not the project's.",
)
@_tracking_uri
def reproduce(
    run: str, keep: bool, anyway: bool, tolerance: float, data: Path | None, tracking_uri: str | None
) -> None:
    """Do a run again, and print number by number whether it came out the same.

    Args:
        run: an id, the first digits of it, or a name.
        keep: leave the worktree.
        anyway: also where it was made with uncommitted changes, did not finish, or saw other data.
        tolerance: up to which two numbers agree.
        data: the folder that relative roots of raw data start from; None is the project's.
        tracking_uri: where the run is; None is where the project's are.

    Raises:
        Refused: it was not done; the exit code is 2.
        Exit: the numbers do not agree; the exit code is 1.
    """
    from cross_modal_kd.runs import Refused as NotDone
    from cross_modal_kd.runs import Repetition
    from cross_modal_kd.tracking import Runs, RunsError

    try:
        store = Runs(_server(tracking_uri))
        past = store.find(run)
        repetition = Repetition(store, past, _project(), data or _project(), say=click.echo)
        with _ended_in_order():
            agreement = repetition.run(tolerance=tolerance, anyway=anyway, keep=keep)
    except (NotDone, RunsError) as error:
        raise Refused(str(error)) from error
    click.echo(agreement.words())
    if not agreement.agrees:
        raise click.exceptions.Exit(1)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM raises an exception meanwhile, so that the worktree is taken away then too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

"""A training that is finished is not done again when the run is killed in the next one."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from cross_modal_kd.models import ModelBundle, load_bundle, save_bundle
from cross_modal_kd.storage import NotReadableError, read_csv, replaced, verify, write_csv

logger = logging.getLogger(__name__)

FOLDER, HISTORY = "finished", "history.csv"


def once(
    checkpoint: Path,
    train: Callable[[], tuple[ModelBundle, pd.DataFrame]],
    log: Callable[[dict[str, float], int], None],
) -> tuple[ModelBundle, pd.DataFrame]:
    """What ``train`` gives, kept until the whole run is through, and taken from there meanwhile.

    Args:
        checkpoint: the file of the training, named after its run key; what is kept lies in ``finished/`` beside it.
        train: () -> (model, history); not called where an interrupted run has left both whole.
        log: given each row of a history that is taken, with its epoch, so that the new run has its curves too.

    Returns:
        The model, and its history, a row an epoch; to the last digit what ``train`` gave.
    """
    kept = checkpoint.parent / FOLDER / checkpoint.stem
    if kept.is_dir():
        try:
            found = _load(kept)
        except NotReadableError:
            raise
        except (ValueError, OSError) as error:
            logger.warning("%s is trained again: what was kept of it is damaged (%s)", checkpoint.stem, error)
        else:
            logger.info("%s was finished by an earlier run: taken from %s", checkpoint.stem, kept)
            for row in found[1].to_dict(orient="records"):
                values = {str(name): float(value) for name, value in row.items()}
                log(values, int(values["epoch"]))
            return found
    bundle, history = train()
    with replaced(kept.parent / f"{kept.name}.history") as new:
        write_csv(new / HISTORY, history)
    save_bundle(kept, bundle)  # the last to come: it says that both are there
    return bundle, history


def _load(kept: Path) -> tuple[ModelBundle, pd.DataFrame]:
    beside = kept.parent / f"{kept.name}.history"
    verify(beside)
    return load_bundle(kept), read_csv(beside / HISTORY)


def forget_finished(checkpoints: Path) -> None:
    """Leave nothing of what ``once`` has kept: the run is through, and the next one trains.

    Args:
        checkpoints: the folder of the checkpoints.
    """
    shutil.rmtree(checkpoints / FOLDER, ignore_errors=True)

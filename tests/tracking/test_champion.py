"""The alias of the registered model: moved by what is better on the same dev samples, and by nothing else."""

import logging
import shutil

import pytest

from cross_modal_kd.tracking import Judged
from cross_modal_kd.tracking.champion import better, register_version

ERROR = {"metric": "dev_eer", "larger_is_better": False, "data": "d"}


@pytest.mark.parametrize(
    ("new", "champion", "moves"),
    [
        (Judged(value=0.2, **ERROR), None, True),
        (Judged(value=None, **ERROR), None, False),
        (Judged(value=0.2, **ERROR), Judged(value=0.3, **ERROR), True),
        (Judged(value=0.3, **ERROR), Judged(value=0.2, **ERROR), False),
        (Judged(value=0.2, **ERROR), Judged(value=0.2, **ERROR), False),
        (Judged("dev_top1", 0.3, True, "d"), Judged("dev_top1", 0.2, True, "d"), True),
        (Judged("dev_top1", 0.2, True, "d"), Judged("dev_top1", 0.3, True, "d"), False),
        (Judged("dev_eer", 0.1, False, "other"), Judged(value=0.3, **ERROR), False),
        (Judged(value=0.1, **ERROR), Judged(value=None, **ERROR), False),
    ],
)
def test_what_moves_it(new, champion, moves):
    found, why = better(new, None if champion is None else champion.tags)
    assert found is moves and why


def test_versions_and_alias_in_a_registry(tmp_path, empty_tracking_db, caplog):
    from mlflow import MlflowClient

    shutil.copy(empty_tracking_db, tmp_path / "mlflow.db")
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.create_experiment("x", artifact_location=(tmp_path / "files").as_uri())
    run = client.create_run(experiment).info.run_id
    held = []
    with caplog.at_level(logging.INFO):
        for value in (0.3, 0.4, 0.2):
            model = client.create_logged_model(experiment, "distilled", run)
            register_version(client, "birds", model.model_id, run, Judged(value=value, **ERROR), "# A card")
            held.append(client.get_model_version_by_alias("birds", "champion").version)
    assert [str(each) for each in held] == ["1", "1", "3"]
    assert client.get_model_version("birds", "3").description == "# A card"
    assert "stays version 1, this is version 2: dev_eer 0.4 after 0.3 is no improvement" in caplog.text
    assert "is version 3 now: dev_eer 0.2 after 0.3" in caplog.text

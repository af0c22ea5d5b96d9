"""The splits on which the project's results were measured are kept, and are those of its data."""

from pathlib import Path

import pytest
from kedro.framework.session import KedroSession

from cross_modal_kd.pipelines.ingestion.nodes import read_sources
from cross_modal_kd.samples.frozen import frozen_partners, read_frozen
from cross_modal_kd.tasks import kind_of

CONF = Path(__file__).parents[2] / "conf"
PUBLISHED = {page.stem for page in (CONF.parent / "docs/sets").glob("*.md")}  # whose data do not ship here
ENVIRONMENTS = sorted(
    name
    for file in CONF.glob("*/parameters.yml")
    if (name := file.parent.name) != "local" and name.partition("_")[0] not in PUBLISHED  # voxceleb, voxceleb_ecapa
)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_cluster_of_an_environment_has_its_frozen_split(project_path, tmp_path, env):
    runtime = {"data_root": str(tmp_path)}
    with KedroSession.create(project_path, env=env, runtime_params=runtime, save_on_close=False) as session:
        params = session.load_context().params
    task, ingestion = params["task"], params["ingestion"]
    frozen = read_frozen(ingestion.split)
    candidates, _ = read_sources(task, params["sources"], ingestion)
    assert set(kind_of(task).design.dealt(candidates)) == set(frozen)
    if task.chimeric:  # the results in docs/ were measured with these partners
        partners = candidates[candidates["modality"] == task.teacher]
        folder = partners["path"].str.split("/").str[-2]
        identity = "s" + folder.str.removeprefix("s").str.zfill(2) if task.teacher == "image" else folder
        assert dict(zip(partners["label"], identity, strict=True)) == frozen_partners(ingestion.split)

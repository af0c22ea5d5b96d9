"""The environments of published sets: what they say without data, and the whole of ``distill`` on miniatures."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from cross_modal_kd.config import ConfigError
from cross_modal_kd.samples import SamplesError
from cross_modal_kd.sources import expected_in
from own_folders import image
from published_sets import cnceleb, cub, flowers


@pytest.fixture
def small(project_path):
    """The sizes of conf/test."""
    found = yaml.safe_load((project_path / "conf/test/parameters.yml").read_text())
    return {name: block for name, block in found.items() if name != "ingestion"}


def reported(run_kedro, task, name="metrics.json"):
    return json.loads((run_kedro.data_root / "08_reporting" / task / name).read_text())


HOLDS = {
    "cub": "CUB_200_2011/images.txt with images/, .*text_c10/ in it or beside it; see docs/sets/cub.md",
    "flowers": "imagelabels.mat, setid.mat and jpg/image_00001.jpg; .*see docs/sets/flowers.md",
    "cnceleb": "CN-Celeb_flac/ with dev/dev.lst, data/, .*see docs/sets/cnceleb.md",
    "faces": "<label>/<file>; see docs/your-own-data.md",
    "voxceleb": "id10001/1zcIwhmdeo4/00001.wav .*vox2_meta.csv; see docs/sets/voxceleb.md",
    "voxceleb_faces": "unzippedFaces/A.J._Buckley/1.6/.*; see docs/sets/voxceleb.md",
}


@pytest.mark.parametrize("layout", ["cub", "flowers"])
def test_what_the_root_of_a_set_is_to_hold(layout):
    assert re.search(HOLDS[layout], expected_in(layout)) and not expected_in("emoji")


@pytest.mark.parametrize("sources", [["cnceleb", "faces"], ["voxceleb", "voxceleb_faces"]])
def test_without_data_an_environment_says_what_to_put_where(run_kedro, sources):
    with pytest.raises(ConfigError) as error:
        run_kedro("distill", env=sources[0], params={"sources": {source: {"root": "nowhere"} for source in sources}})
    for source, line in zip(sources, str(error.value).splitlines(), strict=True):
        said = rf"sources.{source}.root = 'nowhere': there is no folder .*It is to hold {HOLDS[source]}.*`{source}: /"
        assert re.search(said, line)


@pytest.mark.slow
def test_distill_on_a_miniature_of_cub(run_kedro, tmp_path, small):
    root = cub(tmp_path / "sets", classes=4, images=12)
    source = {"root": str(root), "options": {"boxes": True}, "shards": str(tmp_path / "shards")}
    params = {**small, "sources": {"cub": source}, "ingestion": {"shards": {"mb": 1}}}
    run_kedro("distill", env="cub", params=params)
    assert list((tmp_path / "shards").glob("*.tar"))
    samples = pd.read_parquet(run_kedro.data_root / "02_intermediate/cub/samples.parquet")
    images = samples[samples["modality"] == "image"]
    assert images["split"].value_counts()["test"] == 16 and set(images["width"]) == {64}
    measured = reported(run_kedro, "cub")
    assert measured["protocol"]["test_samples"] == 16 and measured["protocol"]["test_labels"] == 4
    assert "top1" in measured["distilled"]


@pytest.mark.slow
def test_the_class_disjoint_split_is_for_a_verification(run_kedro, tmp_path, small):
    root = cub(tmp_path / "sets", classes=8, images=3)
    source = {"sources": {"cub": {"root": str(root), "options": {"split": "reed"}}}}
    run_kedro("ingestion", env="cub", params={**small, **source, "task": {"kind": "verification"}})
    samples = pd.read_parquet(run_kedro.data_root / "02_intermediate/cub/samples.parquet")
    assert samples.groupby("split")["label"].nunique().to_dict() == {"train": 2, "dev": 2, "test": 4}
    with pytest.raises(SamplesError, match="occur in dev or test but not in train"):
        run_kedro("ingestion", env="cub", params={**small, **source})


@pytest.mark.slow
def test_distill_on_a_miniature_of_flowers(run_kedro, tmp_path, small):
    root = flowers(tmp_path / "sets")
    run_kedro("distill", env="flowers", params={**small, "sources": {"flowers": {"root": str(root)}}})
    samples = pd.read_parquet(run_kedro.data_root / "02_intermediate/flowers/samples.parquet")
    sizes = samples[samples["modality"] == "image"]["split"].value_counts().to_dict()
    assert sizes == {"train": 12, "dev": 12, "test": 24}


@pytest.mark.slow
def test_distill_on_a_miniature_of_cn_celeb_and_its_published_trials(run_kedro, project_path, tmp_path, small):
    root = cnceleb(tmp_path / "sets", dev=7)
    for person in range(12):
        for number in range(3):
            image(tmp_path / f"faces/{person:02d}/{number}.png", person, number)
    speech = yaml.safe_load((project_path / "conf/face_speech/parameters.yml").read_text())
    params = {
        **small,
        "sources": {"cnceleb": {"root": str(root)}, "faces": {"root": str(tmp_path / "faces")}},
        "ingestion": {"split": {"train": 0.6, "dev": 0.3, "test": 0.1}},
        "inputs": {"image": {"size": 16}, "speech": {"crop_s": 0.5, "eval_s": 1.0, "n_mels": 20}},
        "student": speech["student"],
        "teacher": {
            "embedding_dim": 16, "encoder": {"library": "timm", "name": "test_resnet"},
            "training": {"epochs": 1, "batch_size": 16},
        },
    }  # fmt: skip
    run_kedro("distill", env="cnceleb", params=params)
    samples = pd.read_parquet(run_kedro.data_root / "02_intermediate/cnceleb/samples.parquet")
    voices = samples[samples["modality"] == "speech"]
    assert set(voices.loc[voices["split"] == "test", "label"]) == {"id00800", "id00801", "id00802"}
    assert voices.loc[voices["split"] != "test", "label"].str.match("id0000|cnc2-id1000").all()
    joined = voices["path"].str.contains("#join/", regex=False)
    assert joined.sum() > 20 and (voices.loc[joined, "split"] != "test").all()
    lists = root / "CN-Celeb_flac/eval/lists"
    scored = {"trials": str(lists / "trials.lst"), "models": str(lists / "enroll.map")}
    run_kedro("score_trials", env="cnceleb", params={**params, "score_trials": scored})
    found = reported(run_kedro, "cnceleb", "trial_metrics.json")
    assert found["enrolment"].startswith("Avg: the mean of the unit embeddings of 2 to 2") and found["targets"] == 8
    assert 0 <= found["eer"] <= 1 and np.isfinite(found["min_dcf_01"])

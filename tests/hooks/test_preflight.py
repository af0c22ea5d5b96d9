"""Before the first node: names, modalities and networks are checked, and the run is told in five lines."""

import hashlib
import logging
import os
import re
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
import yaml
from kedro.validation.exceptions import ParameterValidationError

from cross_modal_kd.compute import EngineError
from cross_modal_kd.config.errors import ConfigError
from cross_modal_kd.config.quality import QualityConfig
from cross_modal_kd.hooks.checks import check_blocks
from cross_modal_kd.hooks.in_short import Networks, in_short
from cross_modal_kd.samples import SamplesError

CONF = Path(__file__).parents[2] / "conf"
ENVIRONMENTS = sorted(folder.name for folder in CONF.iterdir() if folder.is_dir() and folder.name != "local")
ECAPA = {"library": "speechbrain", "name": "ECAPA_TDNN"}


@pytest.fixture
def blocks(project_path, tmp_path):
    """``blocks(env, **params)``: every block as its model."""
    from kedro.framework.session import KedroSession

    def load(env: str = "test", **params) -> dict:
        runtime = {"data_root": str(tmp_path), **params}
        session = KedroSession.create(project_path, env=env, runtime_params=runtime, save_on_close=False)
        return dict(session.load_context().params)

    return load


def used_by(name: str) -> set[str]:
    from kedro.framework.project import pipelines

    return {
        each.removeprefix("params:").split(".")[0] for each in pipelines[name].inputs() if each.startswith("params:")
    }


def is_to_be_brought(root):
    return not root.startswith("package:") and not (CONF.parent / root).is_dir()


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_environment_of_the_project_goes_together(blocks, env, tmp_path):
    from kedro.framework.project import pipelines

    (trials := tmp_path / "trials.txt").touch()
    named = {"trials": str(trials), "embeddings": str(tmp_path), "speakers": {"table": str(trials)}}
    # which nobody but the person can name, and bring
    own = yaml.safe_load((CONF / env / "parameters.yml").read_text()).get("sources", {})
    brought = {name: {"root": str(tmp_path)} for name, source in own.items() if is_to_be_brought(source["root"])}
    loaded = blocks(
        env, score={"inputs": [str(tmp_path)]}, score_trials=named, **({"sources": brought} if brought else {})
    )
    held_back = loaded["distillation"].labelled.share < 1
    for name in dict(pipelines):
        if held_back and used_by(name) & {"comparison", "tuning", "regimes"} and name != "robustness":
            with pytest.raises(ConfigError, match="distillation.labelled.share is .*which `distill` alone reads"):
                check_blocks(loaded, used_by(name))
        else:
            check_blocks(loaded, used_by(name))


STUDENT = ("student", "encoder")


@pytest.mark.parametrize(
    ("pipeline", "params", "message"),
    [
        ("ingestion", {"distillation": {"arm": "soft_bth"}}, "distillation.arm: .*'soft_bth'.*mean 'soft_both'"),
        (
            "distill",
            {"distillation": {"baseline": "alone"}},
            "distillation.baseline: there is no arm 'alone'.*There are: (none|hard)",
        ),
        (
            "ingestion",
            {"projection": {"words": 3}},
            "projection.words is 3, but a verification names no",
        ),
        ("comparison", {"comparison": {"arms": ["none", "softboth"]}}, "comparison.arms: there is no arm 'softboth'"),
        ("comparison", {"comparison": {"hard_of": {"soft_both": "hrd"}}}, "comparison.hard_of.soft_both: .*'hrd'"),
        ("tuning", {"tuning": {"space": {"rdk": {"joint": {"choices": [1]}}}}}, "tuning.space: .*'rdk'"),
        (
            "tuning",
            {"tuning": {"space": {"soft_feature": {"constraints.featur.weight": {"low": 1, "high": 2}}}}},
            "tuning.space.soft_feature: .*'constraints.featur.weight' leads nowhere",
        ),
        (
            "tuning",
            {
                "tuning": {
                    "space": {"soft_feature": {"constraints.feature.weight": {"low": -1, "high": 2, "log": False}}}
                }
            },
            "tuning.space.soft_feature: 'constraints.feature.weight' cannot be -1",
        ),
        ("regimes", {"regimes": {"against": {"soft_both": "x"}}}, "regimes.against.soft_both: there is no arm 'x'"),
        (
            "regimes",
            {"regimes": {"noise": {"kinds": {"image": {"jpg": [3]}}}}},
            "regimes.noise.kinds.image: there is no degradation of image 'jpg'.*mean 'jpeg'",
        ),
        (
            "robustness",
            {"robustness": {"kinds": {"image": {"jpeg": [80, 0], "blur": [1]}}}},
            r"robustness.kinds.image.jpeg: expected levels from 1 to 95 \(JPEG quality\), found \[0",
        ),
        (
            "quality_study",
            {"quality_study": {"degradations": {"text": ["typos"]}}},
            "quality_study.degradations.text: there is no degradation of text 'typos'",
        ),
        (
            "quality",
            {"quality": {"measures": {"image": ["sharpnes"]}, "score": {"image": ["sharpnes"]}}},
            "quality.measures.image: there is no measure of image 'sharpnes'. Did you mean 'sharpness'",
        ),
        (
            "ingestion",
            {"sources": {"emoji": {"options": {"lable": "x"}}}},
            "sources.emoji.options.*unknown key 'lable'",
        ),
        ("ingestion", {"sources": {"emoji": {"options": {"label": "x"}}}}, "sources.emoji.options.*'concept' or 'subc"),
        (
            "quality",
            {"sources": {"emoji": {"layout": "emojis", "root": "x"}}},
            "unknown layout 'emojis'; there are: .*'emoji', ",
        ),
        (
            "ingestion",
            {"sources": {"emoji": {"root": "data/nowhere"}}},
            "sources.emoji.root.*there is no folder /.*/data/n",
        ),
        (
            "ingestion",
            {"ingestion": {"shards": {"mb": 10}}},
            "ingestion.shards: no source says where to; give sources.emoji.shards a folder",
        ),
        (
            "quality",
            {"sources": {"emoji": {"shards": "data/nowhere"}}},
            "data/nowhere: there is no index.parquet of shards; write them",
        ),
        (
            "teacher",
            {"student": {"encoder": ECAPA}},
            "student.encoder.library is 'speechbrain', but task.student is 'image'",
        ),
        (
            "ingestion",
            {"teacher": {"pretrained": False, "encoder": ECAPA}},
            "teacher.encoder.library is 'speechbrain', but task.teacher is 'text', whose encoders are of: sentence_tr",
        ),
        (
            "ingestion",
            {"teacher": {"encoder": {"name": "all-MiniLM"}}},
            "teacher.encoder.name 'all-MiniLM' is neither a folder.*nor one of: all-MiniLM-L6-v2",
        ),
        (
            "ingestion",
            {"teacher": {"encoder": {"name": "src"}}},
            "teacher.encoder.name '.*src': .*modules.json is missing: the folder holds no",
        ),
        ("ingestion", {"ingestion": {"split": {"frozen": "conf/x.csv"}}}, "ingestion.split.frozen.*there is no file"),
        ("ingestion", {"ingestion": {"max_labels": 5}}, "ingestion.max_labels is 5: verification needs at least 6"),
        ("ingestion", {"projection": {"kind": "pca"}}, "projection.kind is not read.*arms.<name>.projection"),
        (
            "distill",
            {"arms": {"soft_both": {"answer": "teacher"}}, "distillation": {"arm": "soft_both"}},
            "arms.soft_both.answer is 'teacher', which is for classification",
        ),
        (
            "distill",
            {"task": {"kind": "classification"}, "training": {"large_margin": {"epochs": 1}}},
            "training.large_margin is of the AAM-softmax of a verification task; a classification has none",
        ),
    ],
)
def test_what_does_not_go_together_is_named(blocks, pipeline, params, message):
    with pytest.raises(ConfigError, match=message):
        check_blocks(blocks(**params), used_by(pipeline))


def test_a_modality_of_the_task_of_which_nothing_is_measured_is_named(blocks):
    loaded = blocks()
    loaded["quality"] = QualityConfig(measures={"text": ["length"]}, score={"text": ["length"]})
    with pytest.raises(ConfigError, match="quality.measures.image: names no measure.*There are: sharpness"):
        check_blocks(loaded, used_by("quality"))
    check_blocks(loaded, used_by("ingestion"))


def test_everything_that_is_wrong_is_told_at_once(blocks):
    wrong = blocks(distillation={"arm": "x", "baseline": "y"}, ingestion={"max_labels": 2})
    with pytest.raises(ConfigError) as raised:
        check_blocks(wrong, used_by("distill"))
    assert len(str(raised.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ({"name": "resnet81"}, "student.encoder: timm's 'resnet81'.*is not a timm model; near it: .*resnet18"),
        ({"options": {"chanels": [8]}}, "encoder.options of 'test_resnet' .timm.: unknown key 'chanels'.*channels"),
        (
            {"options": {"embed_dim": 8}},
            "student.encoder: timm's 'test_resnet' with the options {'embed_dim': 8}.*embed_dim",
        ),
        (
            {"name": "resnet18", "options": {"channels": [1, 2]}},
            "timm's 'resnet18'.*It works without student.encoder.options.channels: correct its value.*"
            "The options that 'resnet18' takes: act_layer, avg_down, base_width, .*channels",
        ),
        (
            {"name": "vit_tiny_patch16_224", "options": {"img_size": 16, "patch_size": 4, "channels": [8]}},
            "It works without student.encoder.options.channels: 'vit_tiny_patch16_224' has no such option.*embed_dim",
        ),
        ({"library": "torchvision"}, "'test_resnet' is not known for torchvision; expected one of: .*vgg"),
        ({"library": "torchvision", "name": "vgg"}, "encoder.options of 'vgg' .torchvision.: channels: missing"),
        (
            {"library": "torchvision", "name": "vgg", "options": {"channels": [8, 8, 8, 8, 8, 8]}},
            "torchvision's 'vgg'.*does not take inputs of 3x16x16, which `inputs` makes",
        ),
    ],
)
def test_a_network_that_cannot_be_trained_stops_before_any_node(run_kedro, encoder, message):
    with pytest.raises((ConfigError, ParameterValidationError), match=f"(?s){message}"):
        run_kedro("distill", params={"student": {"encoder": encoder}})
    assert not run_kedro.data_root.exists()


def test_a_run_that_is_stopped_before_it_begins_is_not_tracked(run_kedro, tracking_uri):
    import mlflow

    with pytest.raises(ConfigError):
        run_kedro("ingestion", params={"distillation": {"arm": "x"}})
    client = mlflow.MlflowClient(tracking_uri)
    assert not client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])


@pytest.mark.skipif(os.environ.get("CUDA_VISIBLE_DEVICES", "") != "" or Path("/dev/nvidia0").exists(), reason="a GPU")
def test_a_device_that_is_not_there_is_named(run_kedro):
    with pytest.raises(ConfigError, match=r"compute.accelerator 'cuda' with .*Set compute.accelerator to auto"):
        run_kedro("distillation", params={"compute": {"accelerator": "cuda"}})


def lines(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "cross_modal_kd.hooks.preflight"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"compute": {"num_nodes": 2}}, "compute.num_nodes is 2: start the command on every machine by torchrun or"),
        ({"compute": {"accelerator": "cpu", "precision": "16-mixed"}}, "compute.precision 16-mixed: a CPU has no half"),
        ({"compute": {"accelerator": "cpu", "devices": 64}},
         "training.batch_size: 32 samples in a step are too few for 64 device.s.* makes 128"),
        ({"training": {"accumulate": 64}}, "training.batch_size: 32 .*training.accumulate 64"),
    ],
)  # fmt: skip
def test_a_training_that_cannot_be_shared_so_is_refused_before_any_node(run_kedro, params, message):
    with pytest.raises(ConfigError, match=message):
        run_kedro("distill", params=params)


@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")
@pytest.mark.parametrize(
    ("compute", "message"),
    [
        ({"address": "127.0.0.1:1"}, "compute.address '127.0.0.1:1': no Ray cluster answers"),
        ({"address": None, "task_cpus": 4096}, "compute.task_cpus is 4096, and the cluster has"),
    ],
)
def test_a_cluster_that_cannot_do_the_work_is_refused_before_any_node(run_kedro, compute, message):
    with pytest.raises(EngineError, match=message):
        run_kedro("distill", params={"compute": {"engine": "ray", **compute}})
    assert not (run_kedro.data_root / "02_intermediate").exists()


def test_five_lines_say_what_the_run_does_before_the_work(run_kedro, project_path, caplog):
    caplog.set_level(logging.INFO)
    run_kedro("distill", to_nodes=["ingestion.list_raw_files"])
    said = [record.getMessage() for record in caplog.records if record.name.startswith("cross_modal_kd")]
    assert said.index(lines(caplog)[-1]) < next(n for n, line in enumerate(said) if "concepts kept" in line)
    task, sources = lines(caplog)
    assert task == "task: test, verification: Concept verification (the task of conf/base, with other parameters)"
    root = "data/01_raw/emoji" if Path.cwd() == project_path else project_path / "data/01_raw/emoji"
    assert sources == f"sources: emoji (emoji, {root}): 143 image samples of 24 labels and 72 text samples of 24 labels"


def test_the_lines_of_a_training_have_its_encoders_arm_size_and_device(distilled, run_kedro_after, caplog):
    caplog.set_level(logging.INFO)
    run_kedro_after("distillation")
    told = lines(caplog)
    assert [line.split(":")[0] for line in told] == ["task", "sources", "teacher -> student", "arms", "network"]
    assert "143 image samples of 24 labels" in told[1]
    assert told[2].endswith("text, sentence_transformers all-MiniLM-L6-v2, pretrained -> image, timm test_resnet")
    assert told[3] == "arms: soft_both_quality against none"
    assert "0.4 M parameters of the student, on " in told[4]


def test_the_lines_of_a_comparison_name_its_arms(blocks):
    assert blocks()["comparison"].in_a_line() == "none, soft_feature, soft_both_quality, each against none, seeds 0"
    assert blocks()["tuning"].in_a_line() == "search of soft_feature, soft_both_quality: 2 trials each"
    assert "both_joint" in blocks()["regimes"].in_a_line()


def test_the_lines_say_in_how_many_folds_and_that_a_study_takes_one(blocks):
    made = blocks(evaluation={"folds": 3})

    def arms(*used: str) -> str:
        return next(line for line in in_short(made, used, Networks(), None) if line.startswith("arms: "))

    assert arms("distillation", "evaluation").endswith("against none, in 3 folds")
    assert not arms("distillation").endswith("folds")
    assert arms("comparison", "evaluation").endswith("on the test split alone, without folds")
    assert arms("distillation", "comparison", "robustness", "evaluation").endswith("without folds")
    made["comparison"] = made["comparison"].model_copy(update={"over_folds": True})
    assert arms("comparison", "evaluation").endswith("in 3 folds")
    assert arms("tuning", "comparison", "evaluation").endswith("without folds")
    assert arms("regimes", "evaluation").endswith("on the test split alone, without folds")
    made["regimes"] = made["regimes"].model_copy(update={"over_folds": True})
    assert arms("regimes", "evaluation").endswith("in 3 folds")
    assert "tests: on the test split alone, without folds" in in_short(
        made, ("quality_study", "evaluation"), Networks(), None
    )


def test_a_modality_that_no_source_gives_is_named_before_any_node_with_what_gives_it(run_kedro, tmp_path):
    from PIL import Image

    for label in "abcdefgh":
        (tmp_path / "birds" / label).mkdir(parents=True)
        Image.new("RGB", (16, 16)).save(tmp_path / "birds" / label / "1.png")
    birds = {"layout": "folder", "root": str(tmp_path / "birds")}
    with pytest.raises(SamplesError) as raised:
        run_kedro("distill", params={"sources": {"emoji": birds}})
    assert re.search(
        r"no source gives text samples, which task.teacher asks for: emoji \(folder, .*birds\) gives image. "
        r"Add a captions.csv \(path, text\) to a source of the layout folder or an option .*, or correct task.teacher",
        str(raised.value),
    )
    left = [file.name for file in run_kedro.data_root.rglob("*") if file.is_file()]
    assert left == ["data.html"]  # what was found, and nothing that a node makes


@pytest.mark.parametrize("below", ["file", "file/deep/er", "/proc/nothing", "shut/x"])
def test_a_data_root_that_cannot_be_is_named_with_its_parameter_before_anything_is_made(run_kedro, tmp_path, below):
    (tmp_path / "file").write_text("x")
    (tmp_path / "shut").mkdir(mode=0o555)
    if below.startswith("shut") and os.access(tmp_path / "shut", os.W_OK):
        pytest.skip("root may write everywhere")
    run_kedro.data_root = root = tmp_path / below
    expected = rf"data_root \(of --params, or of globals.yml\) is {root}: expected a folder that can be written to, "
    why = "found the file" if below.startswith("file") else "and in .* nothing can be made"
    with pytest.raises(ConfigError, match=rf"{expected}{why}.*--params=data_root=/another/folder"):
        run_kedro("ingestion")
    assert sorted(each.name for each in tmp_path.iterdir() if each.name in ("data", "deep")) == []


def test_shards_that_are_behind_the_table_of_samples_are_refused_before_any_node(run_kedro, tmp_path):
    with_shards = {"sources": {"emoji": {"shards": str(tmp_path / "shards")}}}
    run_kedro("ingestion", params={**with_shards, "ingestion": {"shards": {"mb": 1}}})
    file = run_kedro.data_root / "02_intermediate" / "test" / "samples.parquet"
    samples = pd.read_parquet(file)
    row = samples.index[samples["path"].notna()][3]
    samples.loc[row, "sha256"] = "0" * 64  # as a later ingestion without shards would note it
    samples.to_parquet(file, index=False)
    with pytest.raises(SamplesError, match="emoji: 1 file is not in the shards of .*, or changed since"):
        run_kedro("quality", params=with_shards)
    assert not (run_kedro.data_root / "04_feature").exists()
    run_kedro("quality")  # of the files themselves


@pytest.mark.parametrize(
    ("pipeline", "node", "lacks", "makes"),
    [
        ("evaluation", "evaluation.write_report", "figures_section", r"evaluation\..*show_figures"),
        ("comparison", "comparison.compare_arms", "arm_outcomes", r"gathering\.gather_context"),
    ],
)
def test_a_run_that_begins_behind_what_is_kept_in_memory_says_where_to_begin(
    run_kedro_after, pipeline, node, lacks, makes
):
    """`Data for MemoryDataset has not been saved yet` named neither a node nor what to do."""
    with pytest.raises(ConfigError, match=rf"{lacks}, .*--from-nodes=.*{makes}"):
        run_kedro_after(pipeline, from_nodes=[node])


def test_a_file_that_has_changed_in_place_stops_a_stage_before_its_first_node(tmp_path, monkeypatch):
    """``require_unchanged`` is asked with what ingestion kept, and reads by the samples' modality."""
    from kedro.io import DataCatalog, MemoryDataset
    from kedro.pipeline import node, pipeline

    from cross_modal_kd.config import SourceConfig, SourcesConfig
    from cross_modal_kd.datasets import DirectoryDataset
    from cross_modal_kd.hooks.preflight import _samples
    from cross_modal_kd.samples import Kept, Roots

    (file := tmp_path / "a.png").write_bytes(b"before")
    os.utime(file, ns=(10**18, 10**18))
    sources = SourcesConfig({"made": SourceConfig(layout="folder", root=str(tmp_path))})
    samples = pd.DataFrame(
        {"modality": "image", "source": "made", "path": ["a.png"], "sha256": hashlib.sha256(b"before").hexdigest()}
    )
    kept = Kept(tmp_path / "cache", "this", Roots(sources).stamps)
    kept.known(samples)
    kept.keep(pd.DataFrame({"width": [1]}))
    kept.write()
    catalog = DataCatalog(
        {"samples": MemoryDataset(samples), "inspection_cache": DirectoryDataset(filepath=str(tmp_path / "cache"))}
    )
    reads = pipeline([node(lambda samples: None, "samples", "nothing", name="read")])
    assert _samples({"sources": sources}, reads, catalog) is not None
    file.write_bytes(b"after")
    with pytest.raises(SamplesError, match=r"another content .*'a\.png'"):
        _samples({"sources": sources}, reads, catalog)
    renamed = SourcesConfig({"other": SourceConfig(layout="folder", root=str(tmp_path))})
    assert _samples({"sources": renamed}, reads, catalog) is not None  # told by whoever reads of that source

"""conf/<env>/studies is the studies' own: Kedro finds it, and distilling does without it."""

import shutil
from pathlib import Path

import pytest

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.objective import DistillationConfig
from cross_modal_kd.hooks.loader import TaskConfigLoader
from cross_modal_kd.hooks.parameter_names import declared_names

CONF = Path(__file__).parents[2] / "conf"
STUDIES = {"comparison", "tuning", "regimes", "robustness", "quality_study", "results"}
METHOD_ARMS = {"none", "soft_feature", "soft_classifier", "soft_both", "soft_both_quality"}
TASKS = ("base", "text_image", "face_speech", "text_speech", "image_text", "speech_face")


def loader(conf: Path, env: str) -> TaskConfigLoader:
    from cross_modal_kd.settings import CONFIG_LOADER_ARGS

    return TaskConfigLoader(str(conf), env=env, **CONFIG_LOADER_ARGS)


@pytest.fixture
def without_studies(tmp_path) -> Path:
    return Path(shutil.copytree(CONF, tmp_path / "conf", ignore=shutil.ignore_patterns("studies", "local")))


def test_a_block_in_the_sub_folder_counts_as_declared():
    patterns = loader(CONF, "base").config_patterns["parameters"]
    assert declared_names(CONF / "base", patterns) >= STUDIES
    assert {*loader(CONF, "base")["parameters"]} >= STUDIES


@pytest.mark.parametrize("env", TASKS)
def test_distilling_needs_nothing_of_the_studies(without_studies, project_path, env):
    from kedro.framework.project import pipelines

    parameters, whole = (loader(conf, env)["parameters"] for conf in (without_studies, CONF))
    assert not STUDIES & set(parameters)
    needed = {name.removeprefix("params:").split(".")[0] for name in pipelines["distill"].inputs() if "params:" in name}
    assert needed <= set(parameters)
    arms, distillation = ArmsConfig(parameters["arms"]), DistillationConfig(**parameters["distillation"])
    assert set(arms.root) == METHOD_ARMS
    assert all(parameters["arms"][name] == whole["arms"][name] for name in METHOD_ARMS)
    assert arms.get(distillation.arm).constraints and not arms.get(distillation.baseline).constraints


def test_every_dataset_of_distill_is_in_the_catalog_without_the_studies(without_studies, project_path):
    from kedro.framework.project import pipelines
    from kedro.io import DataCatalog

    catalog = DataCatalog.from_config(loader(without_studies, "base")["catalog"])
    names = {name for name in pipelines["distill"].datasets() if not name.startswith("param")}
    assert not sorted(name for name in names if name not in catalog)


def test_both_arms_files_are_one_block_and_no_arm_is_in_both():
    from omegaconf import OmegaConf

    for env in ("base", "text_image"):
        method, evidence = (
            set(OmegaConf.load(CONF / env / place / "parameters_arms.yml").arms) for place in ("", "studies")
        )
        assert method <= METHOD_ARMS and not method & evidence
        assert set(loader(CONF, env)["parameters"]["arms"]) >= method | evidence

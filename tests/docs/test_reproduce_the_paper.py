"""The commands of docs/sets/reproduce-the-paper.md: of pipelines, environments, tags and parameters that there are."""

import re
import shlex
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "sets" / "reproduce-the-paper.md").read_text(encoding="utf-8")


def test_its_commands_are_of_what_there_is(project_path):  # noqa: ARG001 (with it the pipelines are found)
    from kedro.framework.project import pipelines

    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S))
    commands = [line for line in blocks.splitlines() if line.startswith("kedro run")]
    assert len(commands) == 16
    known = yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text())["score_trials"]
    for command in commands:
        given = dict(word.removeprefix("--").split("=", 1) for word in shlex.split(command)[2:])
        pipeline = dict(pipelines)[given["pipeline"]]
        assert (PROJECT / "conf" / given["env"] / "parameters.yml").is_file()
        if "tags" in given:
            assert any(given["tags"] in node.tags for node in pipeline.nodes)
        for parameter in filter(None, given.get("params", "").split(",")):
            block, _, name = parameter.partition("=")[0].partition(".")
            assert block == "score_trials" and name in known


def test_the_arms_and_settings_that_it_names_are_there():
    arms = {}
    for file in ("parameters_arms.yml", "studies/parameters_arms.yml"):
        arms |= yaml.safe_load((PROJECT / "conf/base" / file).read_text())["arms"]
    named = {"hard_feature", "hard_classifier", "soft_feature", "soft_classifier", "soft_both", "soft_both_quality"}
    assert named | {"none_quality"} <= set(arms) and all(f"`{name}`" in PAGE for name in named)
    voxceleb = yaml.safe_load((PROJECT / "conf/voxceleb/parameters.yml").read_text())
    assert voxceleb["student"]["encoder"]["library"] == "tstp" and "large_margin" in voxceleb["training"]
    cnceleb = yaml.safe_load((PROJECT / "conf/cnceleb/parameters.yml").read_text())
    assert cnceleb["student"]["encoder"]["options"]["channels"][0] == 512

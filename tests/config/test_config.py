"""Parameter blocks: what they refuse, and what they say then."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest
from pydantic import ValidationError

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.compute import ComputeConfig
from cross_modal_kd.config.encoder import EncoderConfig, InputConfig
from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.ingestion import IngestionConfig, SourcesConfig
from cross_modal_kd.config.objective import ArmConfig, ConstraintConfig, DistillationConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.quality import QualityConfig, WeightConfig
from cross_modal_kd.config.strict import EachOnce, Strict
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.quality.config import QualityStudyConfig
from cross_modal_kd.studies.regimes.config import NoiseStudy
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.studies.tuning.config import SearchRange, TuningConfig

TASK = {"name": "t", "title": "T", "kind": "verification", "student": "image", "teacher": "text"}
SENTENCES = {"library": "sentence_transformers", "name": "all-MiniLM-L6-v2"}
TIMM = {"library": "timm", "name": "resnet10t"}
RANGE = {"low": 0.1, "high": 1.0}


@pytest.mark.parametrize(
    ("block", "values", "message"),
    [
        (TrainingConfig, {"epoch": 3}, "unknown key 'epoch' in TrainingConfig; expected one of: accumulate, .*epochs"),
        (TrainingConfig, {"epochs": 0}, "epochs.*greater than or equal to 1"),
        (TrainingConfig, {"seed": 2**63}, "seed: expected a number below 2.63, found one of 19 digits"),
        (
            ProjectionConfig,
            {"batch_size": 10**400},
            "batch_size: expected a number below 2.63, found one of 401 digits",
        ),
        (
            ComparisonConfig,
            {"arms": ["none"], "seeds": [0, 10**20]},
            "seeds: expected a number below 2.63, found one of 21 digits",
        ),
        (TrainingConfig, {"lr": 1e300}, r"lr: expected a number up to 3.4e\+38, found 1e\+300"),
        (ProjectionConfig, {"hidden": 10**9}, "hidden.*less than or equal to 65536"),
        (TrainingConfig, {"seed": -1}, "seed.*greater than or equal to 0"),
        (ComputeConfig, {"precision": "fp8"}, "precision.*'32-true', 'bf16-mixed', '16-mixed' or 'auto'"),
        (ComputeConfig, {"devices": 0}, "devices: expected a number from 1 on, or all; found 0"),
        (ComputeConfig, {"devices": 2, "accelerator": "mps"}, "mps is one device"),
        (ComputeConfig, {"sync_batchnorm": True, "accelerator": "cpu"}, "torch has it for CUDA alone"),
        (TrainingConfig, {"precision": "auto"}, "training.precision is now compute.precision: say it in the block"),
        (TrainingConfig, {"patience": 2, "keep": "last"}, "training.keep must then be 'best'"),
        (TaskConfig, TASK | {"teacher": "image"}, "must differ, both are 'image'"),
        (TaskConfig, TASK | {"chimeric": True}, "task.pairing must be 'label'"),
        (
            TaskConfig,
            TASK | {"student": "video"},
            "student.*unknown modality 'video'; expected one of: 'image', 'speech', 'text'",
        ),
        (
            EncoderConfig,
            TIMM | {"library": "keras"},
            "library.*expected one of: 'timm', 'torchvision', 'onnx', 'speechbrain', 'tstp', 'transformers', 'sentence",
        ),
        (InputConfig, {"image": {"channels": 2}}, "image.channels.*1 or 3"),
        (IngestionConfig, {"split": {"train": 0.5, "dev": 0.1, "test": 0.1}}, "must be 1, is 0.7"),
        (SourcesConfig, {}, "sources is empty"),
        (SourcesConfig, {"emoji": None}, "sources is empty"),
        (SourcesConfig, {"mine": {"root": "data"}}, "sources.mine: layout lacking; a source is given whole"),
        (SourcesConfig, {"mine": {"options": {}}}, "sources.mine: layout and root lacking"),
        (ArmsConfig, {}, "arms is empty"),
        (ArmConfig, {"constraints": {"f": {"kind": "cosin"}}}, "kind: expected one of .*, cosine, .*; found 'cosin'"),
        (ArmConfig, {"constraints": {"f": {"kind": "l2", "weight": 0}}}, r"constraints.f.weight is 0: remove"),
        (ConstraintConfig, {"kind": "l2", "reducer": "sum"}, "reducer: expected one of active_mean, mean; found 'sum'"),
        (
            ConstraintConfig,
            {"kind": "cosine", "temperature": 2},
            "'cosine' compares no distributions, 2.0 would have no",
        ),
        (ConstraintConfig, {"kind": "hinton_kd", "temperature": 0}, "temperature.*greater than 0"),
        (
            ConstraintConfig,
            {"kind": "rkd", "options": {"angel_weight": 1}},
            "'rkd' has no option 'angel_weight'; expected one of distance_weight, angle_weight",
        ),
        (ConstraintConfig, {"kind": "l2", "options": {"distance": "l2"}}, "'l2' has no option.*expected none"),
        (
            ConstraintConfig,
            {"kind": "rkd", "options": {"angle_weight": -1}},
            "angle_weight: expected a finite number >=",
        ),
        (
            ConstraintConfig,
            {"kind": "rkd", "options": {"angle_weight": True}},
            "angle_weight: expected a finite number",
        ),
        (
            ConstraintConfig,
            {"kind": "rkd", "options": {"angle_weight": 0, "distance_weight": 0}},
            "both weights 0 is 0 itself; remove the constraint",
        ),
        (
            ConstraintConfig,
            {"kind": "contrastive", "options": {"symmetric": 1}},
            "symmetric: expected one of True, Fal",
        ),
        (ConstraintConfig, {"kind": "feature", "options": {"distance": "l1"}}, "one of 'cosine', 'l2', found 'l1'"),
        (ConstraintConfig, {"kind": "classifier", "options": {"target": "truth"}}, "'teacher', 'label', found 'truth'"),
        (
            ConstraintConfig,
            {"kind": "classifier", "options": {"unlabelled": "ignore"}},
            "unlabelled: has no effect with target 'teacher'",
        ),
        (QualityConfig, {"measures": {"text": ["a"]}, "score": {"text": ["b"]}}, r"uses \['b'\].*it takes \['a'\]"),
        (QualityConfig, {"measures": {"text": ["a"]}, "score": {"text": []}}, "score.text is empty"),
        # what losses.quality_weights, the classifier and the features of a sound refuse is refused here
        (WeightConfig, {"w_min": 1.2}, "w_min.*less than or equal to 1"),
        (WeightConfig, {"w_max": 0.9}, "w_max.*greater than or equal to 1"),
        (WeightConfig, {"w_min": 1, "w_max": 1}, "both 1, which leaves every weight at 1"),
        (StudentConfig, {"encoder": TIMM, "margin": 1.58}, "margin.*less than 1.57"),
        (TeacherConfig, {"encoder": TIMM, "margin": 2}, "margin.*less than 1.57"),
        (InputConfig, {"speech": {"crop_s": 0.01}}, "crop_s.*greater than or equal to 0.1"),
        (InputConfig, {"speech": {"eval_s": 0.01}}, "eval_s.*greater than or equal to 0.1"),
        (InputConfig, {"speech": {"sample_rate": 4000, "n_mels": 80}}, "n_mels: expected at most 64 at 4000 Hz"),
        (InputConfig, {"image": {"size": 5000}}, "size.*less than or equal to 4096"),
        (EvaluationConfig, {"gallery": [2, 1]}, "gallery.1.*greater than or equal to 2"),
        (EvaluationConfig, {"gallery": [2, 5, 2]}, r"found \[2\] more than once"),
        (IngestionConfig, {"workers": 1000}, "workers.*less than or equal to 256"),
        (DistillationConfig, {"baseline": "a", "arm": "a"}, "both 'a': nothing is compared"),
        (ComparisonConfig, {"arms": ["none"], "seeds": [0, 1, 0]}, r"found \[0\] more than once"),
        (SearchRange, {"choices": ["a", 1.0, "a", 1.0]}, r"found \[1.0, 'a'\] more than once"),
        (RobustnessConfig, {"kinds": {}, "seed": -1}, "seed.*greater than or equal to 0"),
        (QualityConfig, {"measures": {"imgae": ["a"]}, "score": {}}, "unknown modality 'imgae'"),
        # numbers are finite, and not a yes
        (TrainingConfig, {"lr": float("inf")}, "lr.*finite"),
        (ConstraintConfig, {"kind": "cosine", "margin": float("nan")}, "margin.*finite"),
        (TrainingConfig, {"epochs": True}, "epochs: expected a number, found true"),
        (TrainingConfig, {"patience": False}, "patience: expected a number, found false"),
        (IngestionConfig, {"split": {"seed": True}}, "seed: expected a number, found true"),
        (TeacherConfig, {"encoder": SENTENCES, "pretrained": False}, "teacher.pretrained must be true"),
        (
            TeacherConfig,
            {"encoder": {"library": "speechbrain", "name": "ResNet"}},
            "teacher.pretrained must be its path",
        ),
        (TeacherConfig, {"encoder": {**SENTENCES, "options": {"device": "x"}}}, "unknown key 'device'.*takes none"),
        (ProjectionConfig, {"margin": 0.1}, "unknown key 'margin'"),
        (StudentConfig, {"encoder": TIMM, "free_dim": -1}, "free_dim.*greater than or equal to 0"),
        (ArmConfig, {"answer": "both"}, "an arm without constraints has none"),
        (EvaluationConfig, {"level": 1.0}, "level.*less than 1"),
        (ComparisonConfig, {"arms": ["a"]}, "comparison.baseline 'none' is not among comparison.arms: a"),
        (ComparisonConfig, {"arms": ["none"], "projections": ["own", "x"]}, "projections.1.*'own', 'mlp' or 'pca'"),
        (ComparisonConfig, {"arms": ["none"], "arm_seeds": {"a": 1}}, r"arm_seeds names \['a'\], not among.*: none"),
        (ComparisonConfig, {"arms": ["none"], "seeds": [-1]}, "seeds.0.*greater than or equal to 0"),
        (TuningConfig, {"space": {}}, "space.*at least 1 item"),
        (TuningConfig, {"space": {"a": None}}, "space.*at least 1 item"),
        (SearchRange, {"low": 1, "high": 1}, "needs low < high, found low=1.0, high=1.0"),
        (SearchRange, {"low": 0, "high": 1, "log": True}, "logarithmic range needs low > 0, found 0.0"),
        (SearchRange, {"choices": [1], "low": 0}, "either low and high, or a non-empty list"),
        (SearchRange, {"choices": []}, "either low and high, or a non-empty list"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(block, values, message):
    with pytest.raises(ValidationError, match=f"(?s){message}"):
        block(values) if block in (SourcesConfig, ArmsConfig) else block(**values)


def test_what_is_null_is_taken_away():
    assert EncoderConfig(**TIMM, options={"stem_width": 1, "channels": None}).options == {"stem_width": 1}
    assert list(SourcesConfig({"a": {"layout": "folder", "root": "x"}, "b": None}).root) == ["a"]
    arms = ArmsConfig({"a": {"constraints": {"f": {"kind": "l2"}, "g": None}}, "b": None})
    assert list(arms.root) == ["a"] and list(arms.get("a").constraints) == ["f"]
    space = TuningConfig(space={"a": {"x": RANGE, "y": None}, "b": None}).space
    assert list(space) == ["a"] and list(space["a"]) == ["x"]
    assert ComparisonConfig(arms=["none"], hard_of={"a": "b", "c": None}).hard_of == {"a": "b"}


def test_a_task_without_a_title_is_called_by_its_name():
    assert TaskConfig(**{key: value for key, value in TASK.items() if key != "title"}).title == "t"


def test_an_arm_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(ValueError, match="arm 'c' is not in the block 'arms'; expected one of: a, b"):
        ArmsConfig({"a": {}, "b": {}}).get("c")


def test_a_constraint_without_options_dumps_as_it_did_before_there_were_any():
    """Fingerprints of trainings are taken of the dump."""
    arm = ArmConfig(constraints={"f": {"kind": "rkd", "options": {"angle_weight": None}}})
    expected = {"kind": "rkd", "weight": 1.0, "margin": 0.0, "temperature": 1.0, "reducer": "mean", "warmup": 0.0}
    assert arm.model_dump()["constraints"] == {"f": expected}
    assert "options" not in arm.model_dump_json()


def test_a_constraints_options_are_in_its_dump_and_come_back_from_it():
    constraint = ConstraintConfig(kind="rkd", options={"angle_weight": 0.5})
    assert constraint.model_dump()["options"] == {"angle_weight": 0.5}
    assert ConstraintConfig(**constraint.model_dump()) == constraint


def test_a_block_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        TrainingConfig().epochs = 3


def test_the_command_line_refuses_a_wrong_key_before_any_node_runs(project_path, tmp_path):
    command = [sys.executable, "-m", "kedro", "run", "--env=test", f"--params=data_root={tmp_path},training.epoch=3"]
    done = subprocess.run(command, cwd=project_path, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert "unknown key 'epoch' in TrainingConfig; expected one of: accumulate, augment, augmentation" in said
    assert "Running node" not in said
    assert not list(tmp_path.iterdir())


def blocks_of(model: type[Strict]) -> Iterator[type[Strict]]:
    for each in model.__subclasses__():
        yield each
        yield from blocks_of(each)


def lists_in(kind: object) -> Iterator[object]:
    """Every list of names or numbers in an annotation that does not say of its members that each is named once.

    Mappings are no names: those of two folds may say the same.
    """
    arguments = get_args(kind)
    if get_origin(kind) is Annotated and EachOnce in arguments:
        return
    if get_origin(kind) is list and get_origin(arguments[0]) is not dict:
        yield kind
    for each in arguments:
        yield from lists_in(each)


def test_what_a_parameter_names_twice_is_never_counted_twice():
    """A list of arms, levels or seeds; the sources' lists say which are taken, where twice is as good as once."""
    rooms = ("cross_modal_kd.config.", "cross_modal_kd.studies.")
    models = [model for model in blocks_of(Strict) if model.__module__.startswith(rooms)]
    assert {ComparisonConfig, RobustnessConfig, NoiseStudy, QualityStudyConfig} <= set(models)
    lists = {
        f"{model.__name__}.{name}": list(lists_in(kind))
        for model in models
        for name, kind in get_type_hints(model, include_extras=True).items()
        if name in model.model_fields
    }
    assert [name for name, found in lists.items() if found] == []

"""The configuration loader: whose name a task has, and what an environment of a stranger's becomes."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from cross_modal_kd.config.errors import ConfigError
from cross_modal_kd.hooks.loader import TaskConfigLoader
from cross_modal_kd.settings import CONFIG_LOADER_ARGS

CONF = Path(__file__).parents[2] / "conf"
TASK = {"kind": "verification", "student": "image", "teacher": "text"}
SOURCES = {"pictures": {"layout": "folder", "root": "data/01_raw/pictures"}}


@pytest.fixture
def conf(tmp_path):
    shutil.copytree(CONF / "base", tmp_path / "conf" / "base")
    for env in ("local", "face_speech", "ten_seeds"):
        shutil.copytree(
            CONF / env, tmp_path / "conf" / env, ignore=shutil.ignore_patterns("*") if env == "local" else None
        )
    return tmp_path / "conf"


@pytest.fixture
def write(conf):
    def write(env: str, parameters: dict | None = None, task: object = None) -> None:
        (conf / env).mkdir(exist_ok=True)
        if parameters is not None:
            OmegaConf.save(parameters, conf / env / "parameters.yml")
        if task is not None:
            OmegaConf.save({"task": task}, conf / env / "globals.yml")

    return write


@pytest.fixture
def load(conf):
    def load(env: str | None, **runtime) -> TaskConfigLoader:
        return TaskConfigLoader(str(conf), env=env, runtime_params=runtime, **CONFIG_LOADER_ARGS)

    return load


def test_a_task_without_a_globals_file_has_its_environments_name(load, write):
    write("mine", {"task": TASK, "sources": SOURCES})
    loader = load("mine")
    assert loader["globals"] == {"task": "mine", "data_root": "data"}
    assert loader["parameters"]["task"] == {**TASK, "name": "mine"}
    assert "/mine/" in loader["catalog"]["samples"]["filepath"]
    assert loader["mlflow"]["experiment"] == "mine"


def test_an_environment_that_changes_nothing_but_numbers_has_a_name_of_its_own_too(load, write):
    write("longer", {"training": {"epochs": 100}})
    assert load("longer")["globals"]["task"] == load("longer")["parameters"]["task"]["name"] == "longer"


@pytest.mark.parametrize("parameters", [None, {}])
def test_an_environment_that_says_nothing_is_refused_with_what_to_write(load, write, parameters):
    write("empty", parameters)
    with pytest.raises(
        ConfigError, match="conf/empty says nothing.*Write conf/empty/parameters.yml: the blocks `task`"
    ):
        load("empty")


def test_it_is_known_who_runs_the_default_task_under_another_name(load, write):
    write("longer", {"training": {"epochs": 100}})
    write("mine", {"task": TASK, "sources": SOURCES})
    found = {env: load(env).under_another_name for env in (None, "base", "longer", "ten_seeds", "mine")}
    assert [env for env, borrowed in found.items() if borrowed] == ["longer"]


def test_the_default_task_is_what_runs_without_an_environment(load, write):
    for env in (None, "base", "ten_seeds"):
        assert load(env)["parameters"]["task"]["name"] == "concept_verification"
    write("local", {"training": {"epochs": 1}})
    assert load(None)["globals"]["task"] == "concept_verification"
    assert load(None)["parameters"]["training"]["epochs"] == 1


def test_a_task_of_ones_own_in_conf_local_is_not_the_default_task(load, write):
    write("local", {"task": TASK, "sources": SOURCES})
    assert load(None)["globals"]["task"] == "local"


def test_its_globals_file_names_a_task(load, write):
    write("mine", {"task": TASK, "sources": SOURCES}, task="pictures")
    assert load("mine")["parameters"]["task"]["name"] == "pictures"


@pytest.mark.parametrize(("other", "task"), [("base", "concept_verification"), ("face_speech", "face_speech")])
@pytest.mark.parametrize("own", [{"task": TASK, "sources": SOURCES}, {"sources": SOURCES}])
def test_the_name_of_another_task_is_refused(load, write, other, task, own):
    """A copied globals.yml: its artifacts would be overwritten."""
    write("mine", own, task=task)
    with pytest.raises(ConfigError, match=f"'{task}', which is the name of another task, that of conf/{other}"):
        load("mine")


def test_an_environment_without_a_task_of_its_own_does_not_run_the_default_one_under_anothers_name(load, write):
    write("more_faces", {"training": {"epochs": 100}}, task="face_speech")
    with pytest.raises(ConfigError, match="that of conf/face_speech"):
        load("more_faces")


@pytest.mark.parametrize("name", ["a/b", "..", "", "a b", "vögel", ".a", 3, [1]])
def test_a_name_that_is_no_folder_is_refused(load, write, name):
    write("mine", {}, task=name)
    with pytest.raises(ConfigError, match="conf/mine/globals.yml: task is .* expected a name of letters from a to z"):
        load("mine")


def test_a_second_name_in_the_parameters_is_refused_where_it_differs(load, write):
    write("mine", {"task": {**TASK, "name": "pictures"}, "sources": SOURCES})
    with pytest.raises(
        ConfigError, match="task.name is 'pictures', but the task is called 'mine'.*conf/mine/globals.yml"
    ):
        load("mine")["parameters"]
    write("mine", {"task": {**TASK, "name": "mine"}, "sources": SOURCES})
    assert load("mine")["parameters"]["task"]["name"] == "mine"
    with pytest.raises(ConfigError, match="task.name is 'x'"):
        load(None, task={"name": "x"})["parameters"]


def test_neither_sources_nor_words_nor_encoders_of_the_default_task_are_in_another(load, write):
    speech = {"kind": "verification", "student": "speech", "teacher": "image", "pairing": "label"}
    write("mine", {"task": speech, "sources": SOURCES})
    parameters = load("mine")["parameters"]
    assert list(parameters["sources"]) == ["pictures"]
    assert not {"note", "title"} & set(parameters["task"])
    assert parameters["student"]["encoder"]["library"] == "speechbrain"
    assert parameters["teacher"]["encoder"]["library"] == "timm" and not parameters["teacher"]["pretrained"]
    assert "concept" not in str({name: parameters[name] for name in ("task", "sources", "student", "teacher")})


def test_the_modalities_start_from_the_encoders_that_the_projects_tasks_train(load):
    from cross_modal_kd.config.registered import default_of

    base, faces = load("base")["parameters"], load("face_speech")["parameters"]
    assert base["student"]["encoder"] == default_of("student", "image")["encoder"]
    assert base["teacher"].items() >= default_of("teacher", "text").items()
    assert faces["student"]["encoder"] == default_of("student", "speech")["encoder"]
    assert faces["teacher"].items() >= default_of("teacher", "image").items()


def test_an_encoder_of_another_name_does_not_have_the_options_of_the_one_before(load):
    resnet = {"library": "timm", "name": "resnet18"}
    assert load(None, student={"encoder": resnet})["parameters"]["student"]["encoder"] == resnet


def test_params_change_single_keys_and_interpolations_see_them(load, write, conf):
    (conf / "mine").mkdir()
    (conf / "mine" / "parameters.yml").write_text("projection: {epochs: '${training.epochs}'}\n")
    parameters = load("mine", training={"epochs": 5}, sources={"emoji": {"root": "/disk"}})["parameters"]
    assert parameters["projection"]["epochs"] == 5
    assert parameters["projection"]["dim"] == 128
    emoji = load(None)["parameters"]["sources"]["emoji"]
    assert parameters["sources"] == {"emoji": {**emoji, "root": "/disk"}}


def test_a_broken_environment_beside_it_stops_no_run(load, write, conf):
    (conf / "broken").mkdir()
    (conf / "broken" / "globals.yml").write_text("task: [\n")
    assert load(None)["globals"]["task"] == "concept_verification"


def test_where_data_lie_on_this_machine_is_said_once_for_every_environment(conf, load, write):
    write("mine", {"task": TASK, "sources": {**SOURCES, "texts": {"layout": "folder", "root": "t"}}})
    (conf / "local/sources.yml").write_text("pictures: /data/pictures\nvoices: /data/voices\nunknown: /nowhere\n")
    found = load("mine")["parameters"]["sources"]
    assert found == {
        "pictures": {"layout": "folder", "root": "/data/pictures"},
        "texts": {"layout": "folder", "root": "t"},
    }
    given = load("mine", sources={"pictures": {"root": "/once"}})["parameters"]["sources"]
    assert given["pictures"]["root"] == "/once"
    assert load("face_speech")["parameters"]["sources"]["voices"]["root"] == "/data/voices"
    assert list(load("ten_seeds")["parameters"]["sources"]) == ["emoji"]  # whose task is conf/base's


@pytest.mark.parametrize("text", ["- /data/pictures\n", "pictures: {root: /data}\n", "pictures: [", ""])
def test_a_wrong_file_of_places_is_named(conf, load, write, text):
    write("mine", {"task": TASK, "sources": SOURCES})
    (conf / "local/sources.yml").write_text(text)
    if text:
        with pytest.raises(
            ConfigError, match="conf/local/sources.yml: (expected lines 'SOURCE: FOLDER'|not a readable)"
        ):
            load("mine")["parameters"]
    else:
        assert load("mine")["parameters"]["sources"] == SOURCES


@pytest.mark.parametrize("name", ["parameters.yml", "globals.yml"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- 1\n- 2\n", "expected lines 'key: value', found a list"),
        (b"7\n", "expected lines 'key: value' of YAML"),
        (b"task: 1\ntask: 2\n", "line 2, column 1: found duplicate key task"),
        (b"task: [\n", "line 2, column 1: expected the node content"),
        (b"task: *nowhere\n", "line 1, column 7: found undefined alias"),
        ("task: {title: V\xf6gel}\n".encode("latin-1"), "expected lines 'key: value' of YAML in UTF-8"),
        (b"task: \x07\n", "expected lines 'key: value' of YAML in UTF-8"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(load, write, conf, name, content, message):
    write("mine", {"training": {"epochs": 1}})
    (conf / "mine" / name).write_bytes(content)
    with pytest.raises(ConfigError, match=f"mine/{name}.*{message}"):
        _ = load("mine")["parameters"]


def test_a_misspelt_global_is_refused(load, write, conf):
    write("mine", {"training": {"epochs": 1}})
    (conf / "mine" / "globals.yml").write_text("dataroot: /scratch\n")
    with pytest.raises(ConfigError, match="conf/mine/globals.yml: unknown 'dataroot'. Did you mean 'data_root'"):
        load("mine")


@pytest.mark.parametrize("content", [None, "", "task: concept_verification\n", "data_root: data\n"])
def test_globals_that_are_lost_are_named(load, write, conf, content):
    write("mine", {"training": {"epochs": 1}})
    (conf / "base" / "globals.yml").unlink()
    if content is not None:
        (conf / "base" / "globals.yml").write_text(content)
    with pytest.raises(ConfigError, match="conf/base/globals.yml: (task|data_root) is missing; restore the file"):
        _ = load("mine")["parameters"]


@pytest.mark.parametrize("root", [None, "", " ", 5, ["a"]])
def test_a_root_that_is_no_folder_is_refused_and_no_folder_none_is_made(load, write, conf, root):
    write("mine", {"training": {"epochs": 1}})
    with pytest.raises(ConfigError, match="--params: data_root must be the name of a folder, found"):
        load("mine", data_root=root)
    OmegaConf.save({"data_root": root}, conf / "mine" / "globals.yml")
    with pytest.raises(ConfigError, match="globals.yml: data_root must be the name of a folder, found"):
        load("mine")

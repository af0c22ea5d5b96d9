"""Runs that are there already: found by id, by the beginning of it, by name; read whole."""

import pytest

from cross_modal_kd.tracking import MlflowSession, PastRun, Runs, RunsError, Settings


@pytest.fixture
def client(tracking_uri):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri)


@pytest.fixture
def make_run(client, tmp_path):
    """``make_run("a name", metrics={...}, tags={...}, params={...})``: its id."""
    experiment = client.create_experiment("birds", artifact_location=(tmp_path / "files").as_uri())

    def make(name, params=None, metrics=None, tags=None, status="FINISHED"):
        run_id = client.create_run(experiment, run_name=name, tags=tags or {}).info.run_id
        for key, value in (params or {}).items():
            client.log_param(run_id, key, str(value)[:20])
        for key, value in (metrics or {}).items():
            client.log_metric(run_id, key, value)
        if params:
            client.log_dict(run_id, params, "parameters.json")
        client.set_terminated(run_id, status)
        return run_id

    return make


def test_a_run_is_found_by_its_id_by_the_beginning_of_it_and_by_its_name(make_run, tracking_uri):
    one, _ = make_run("one run, seed 0", {"training.seed": 0}, {"metrics/eer": 0.25}), make_run("it's another")
    runs = Runs(tracking_uri)
    for reference in (one, one[:8], "one run, seed 0"):
        found = runs.find(reference)
        assert (found.run_id, found.name, found.experiment) == (one, "one run, seed 0", "birds")
    assert found.metrics == {"metrics/eer": 0.25}
    assert runs.find("it's another").name == "it's another"


def test_parameters_are_whole_where_the_run_has_kept_them(make_run, tracking_uri):
    long = "x" * 50
    run = Runs(tracking_uri).find(make_run("a", {"long": long, "off": None, "list": [1, 2], "yes": True}))
    assert run.whole
    assert run.params == {"long": long, "off": "null", "list": "[1, 2]", "yes": "true"}


def test_a_name_that_several_have_is_refused_with_their_ids(make_run, tracking_uri):
    ids = [make_run("twice"), make_run("twice")]
    with pytest.raises(RunsError, match="2 runs are called 'twice': name one by its id") as error:
        Runs(tracking_uri).find("twice")
    assert all(each in str(error.value) for each in ids)


def test_a_run_that_is_not_there_is_told_with_the_last_ones(make_run, tracking_uri):
    run_id = make_run("the last one")
    with pytest.raises(RunsError, match=r"has the id or the name .nothing.; the last ones are") as error:
        Runs(tracking_uri).find("nothing")
    assert f"{run_id}  " in str(error.value) and "birds: the last one (FINISHED)" in str(error.value)


def test_no_database_is_made_by_looking_for_a_run(tmp_path):
    file = tmp_path / "none.db"
    with pytest.raises(RunsError, match="no database lies at .*none.db"):
        Runs(f"sqlite:///{file}")
    assert not file.exists()


def test_a_server_that_is_away_is_told_with_its_address(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RunsError, match="the tracking server http://127.0.0.1:9 does not answer"):
        Runs("http://127.0.0.1:9").find("abcd")


def test_children_and_the_newest_run(make_run, tracking_uri):
    above = make_run("study")
    below = [make_run(name, tags={"mlflow.parentRunId": above}) for name in ("seed 0", "seed 1")]
    runs = Runs(tracking_uri)
    assert [run.run_id for run in runs.children(runs.find(above))] == below
    assert runs.newest().run_id == above


def test_an_interval_is_both_its_ends():
    metrics = {"metrics/a": 1.0, "interval/metrics/a.low": 0.5, "interval/metrics/a.high": 2.0, "metrics/b": 1.0}
    run = PastRun("0" * 32, "a", "b", "FINISHED", None, metrics=metrics)
    assert run.interval("metrics/a") == (0.5, 2.0)
    assert run.interval("metrics/b") is None


def test_the_address_of_a_project_is_that_of_its_local_file_over_the_base(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for layer, text in (("base", "experiment: ${globals:task}\ntracking_uri: sqlite:///a.db\n"), ("local", "")):
        (tmp_path / "conf" / layer).mkdir(parents=True)
        (tmp_path / "conf" / layer / "mlflow.yml").write_text(text)
    assert Settings.of_project(tmp_path).tracking_uri == f"sqlite:///{tmp_path}/a.db"
    (tmp_path / "conf" / "local" / "mlflow.yml").write_text("tracking_uri: http://mlflow.example.org\n")
    assert Settings.of_project(tmp_path).tracking_uri == "http://mlflow.example.org"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://other.example.org")
    assert Settings.of_project(tmp_path).tracking_uri == "http://other.example.org"


@pytest.mark.parametrize("name", ["p [v2] ü", "p #1?x", "p a%20b"])
def test_a_database_in_a_folder_of_any_name_lies_in_that_folder(name, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    from cross_modal_kd.tracking.settings import database_file

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    project = tmp_path / "projects" / name
    project.mkdir(parents=True)
    settings = Settings.of_project(project)
    assert settings.local_folder == project
    assert database_file(settings.tracking_uri) == project / "mlflow.db"
    MlflowClient(settings.tracking_uri).create_experiment("a", artifact_location=(project / "files").as_uri())
    assert (project / "mlflow.db").is_file() and not [*tmp_path.rglob("p #1")]
    assert [each.name for each in Runs(settings.tracking_uri)._client.search_experiments()][0] == "a"


def test_a_quote_in_the_path_of_a_database_is_refused_with_the_sign(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    settings = Settings.of_project(tmp_path / "it's")
    with pytest.raises(RuntimeError, match=r"no database in .*it's, for the \"'\" in that path: rename the folder"):
        MlflowSession().start(settings, "a", {}, tmp_path)

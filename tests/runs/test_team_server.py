"""docs/team.md as commands: a server with passwords for two people, each with a clone, and their runs compared.

On PostgreSQL where Debian's package is installed (a cluster of its own, in a temporary folder), and on SQLite.
"""

import importlib.util
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "scripts" / "team_server.sh"
PEOPLE = {"alice": "alice-has-a-password", "bob": "bob-has-another-one"}
PATIENCE = 240  # seconds that a server may take to start, on a busy machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def missing() -> str:
    """What the server would need and this machine has not."""
    programs = [name for name in ("bash", "curl", "git") if shutil.which(name) is None]
    modules = [name for name in ("flask_wtf",) if importlib.util.find_spec(name) is None]
    if programs or modules:
        return f"not installed: {', '.join(programs + modules)} (pip install '.[team]')"
    return "" if (PROJECT / ".git").exists() else "this is no git clone"


def postgres_programs() -> Path | None:
    """The newest of Debian's clusters' programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))
    return found[-1] if found else None


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """Variables with which psql reaches a cluster of this test's own; skips where there is none."""
    programs = postgres_programs()
    if programs is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL (apt-get install postgresql) or psycopg (pip install '.[team]') is not installed")
    as_user: list[str] = []
    folder = Path("/tmp") / f"team-postgres-{os.getpid()}"  # noqa: S108 (a socket's path must be short)
    folder.mkdir()
    if os.getuid() == 0:  # PostgreSQL does not run as root
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, pwd.getpwnam("postgres").pw_name)

    def run(*words):
        return subprocess.run([*as_user, *words], cwd="/", check=True, capture_output=True, text=True)

    run(programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    control = [programs / "pg_ctl", "-D", folder / "data", "-w", "-t", "120"]
    subprocess.run(
        [*as_user, *control, "-l", folder / "log", "-o", options, "start"], cwd="/", check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield {"PGHOST": str(folder), "PGUSER": "postgres"}
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Team:
    """The script with its settings, and the server while it runs."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "KEDRO_"))}
        self.home, self.url = home, f"http://127.0.0.1:{settings['TEAM_PORT']}"
        self.environment = inherited | {"TEAM_HOME": str(home), "TEAM_PYTHON": sys.executable} | settings
        self.server: subprocess.Popen | None = None

    def step(self, *words: str, **variables: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", SCRIPT, *words], env=self.environment | variables, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def start(self) -> None:
        with (self.home / "log").open("w") as log:
            self.server = subprocess.Popen(
                ["bash", SCRIPT, "serve"], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        until, said = time.monotonic() + PATIENCE, ""
        while time.monotonic() < until and self.server.poll() is None:
            code, said = self.step("check")
            if code == 0:
                return
            time.sleep(1)
        raise AssertionError(f"{said}\n{(self.home / 'log').read_text()}")

    def stop(self) -> None:
        if self.server is not None:
            os.killpg(self.server.pid, 15)
            self.server.wait(60)

    def as_person(self, name: str, folder: Path, *words: str) -> tuple[int, str]:
        """A command of a person's, in their clone."""
        variables = {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_TRACKING_USERNAME": name,
            "MLFLOW_TRACKING_PASSWORD": PEOPLE.get(name, "a-password-of-nobody"),
            "PYTHONPATH": str(folder / "src"),
            "OMP_NUM_THREADS": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=folder, env=self.environment | variables, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module", params=[pytest.param("postgresql", marks=pytest.mark.faults), "sqlite"])
def team(request, tmp_path_factory):
    """A server that runs, on one of the databases."""
    if why := missing():
        pytest.skip(why)
    home = tmp_path_factory.mktemp("team")
    settings = {"TEAM_PORT": str(free_port()), "TEAM_HOSTS": "mlflow.example.org", "TEAM_WORKERS": "1"}
    if request.param == "postgresql":
        reach = request.getfixturevalue("postgres")
        where = f"?host={reach['PGHOST']}"
        settings |= {
            **reach,
            "TEAM_DATABASE": f"postgresql+psycopg://mlflow@/mlflow{where}",
            "TEAM_AUTH_DATABASE": f"postgresql+psycopg://mlflow@/mlflow_auth{where}",
        }
    else:
        settings |= {name: f"sqlite:///{home}/{name}.db" for name in ("TEAM_DATABASE", "TEAM_AUTH_DATABASE")}
    found = Team(home, settings)
    if request.param == "postgresql":
        for _ in range(2):  # the second time nothing is left to do
            code, said = found.step("database")
            assert code == 0, said
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.mark.slow
def test_people_may_log_in_and_nobody_else(team):
    for name, password in PEOPLE.items():
        code, said = team.step("user", name, TEAM_PASSWORD=password)
        assert code == 0 and "may log in" in said, said
    code, said = team.step("user", "bob", TEAM_PASSWORD=PEOPLE["bob"])
    assert code == 0 and "bob has a new password" in said, said
    code, said = team.step("user", "eve", TEAM_PASSWORD=PEOPLE["bob"][:5])
    assert code == 1 and "has 5 letters" in said
    code, said = team.step("user", "a b", TEAM_PASSWORD=PEOPLE["bob"])
    assert code == 1 and "letters from a to z or A to Z, digits" in said
    code, said = team.as_person("eve", PROJECT, "cross_modal_kd", "compare", "aaaa", "bbbb")
    assert code == 1 and "MLFLOW_TRACKING_PASSWORD" in said, said
    for secret in (team.home / "secrets").iterdir():
        assert secret.stat().st_mode & 0o077 == 0


@pytest.mark.faults  # minutes: two clones, each with a run
def test_runs_of_two_people_from_two_clones_are_compared(team, tmp_path, distilled):
    """Each measures students in their own clone; artifacts travel through the server."""
    for name, password in PEOPLE.items():
        team.step("user", name, TEAM_PASSWORD=password)
    ids = []
    for number, name in enumerate(PEOPLE):
        clone = tmp_path / name
        subprocess.run(["git", "clone", "-q", PROJECT, clone], check=True)
        shutil.copytree(distilled, clone / "data", dirs_exist_ok=True)
        words = ["run", "--env=test", "--pipelines=evaluation", f"--params=evaluation.max_impostors={500 - number}"]
        code, output = team.as_person(name, clone, "kedro", *words)
        assert code == 0, output
        ids.append(re.search(r"MLflow: run ([0-9a-f]{32}) at http", output)[1])
    kept = list(Path(team.environment.get("TEAM_ARTIFACTS", team.home / "artifacts")).rglob("resamples.parquet"))
    assert len(kept) == 2, "the server keeps the artifacts"

    code, output = team.as_person("bob", tmp_path / "bob", "cross_modal_kd", "compare", *ids)
    assert code == 0, output
    assert re.search(r"evaluation.max_impostors +500 +499", output)
    assert "WARNING: The test sets differ" in output and "evaluation.max_impostors differ" in output
    assert re.search(r"data.samples .* same", output)
    page = tmp_path / "bob" / re.search(r"^page: (.*)$", output, re.MULTILINE)[1]
    assert {"alice", "bob"} <= set(re.findall(r"\b(alice|bob)\b", page.read_text())), "whose run it is"

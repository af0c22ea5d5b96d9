"""A stranger's path, from `git clone` over a folder of his own to a student that answers over HTTP.

    python scripts/stranger.py              # in a clone of this checkout, with the Python that runs this
    python scripts/stranger.py --fresh      # with an environment of the clone's own (make env: minutes, 6.5 GB)

It does what README.md and docs/your-own-data.md say, and ends with an error where a command fails, where two ways to
ask the student give two answers, or where all of it took over 15 minutes.
"""

import argparse
import base64
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).parents[1]
LIMIT = 15 * 60
CLOSE = 2e-3  # of probabilities that are printed with a few digits


class Stranger:
    """Somebody with a clone and a home folder.

    Args:
        home: an empty folder.
        fresh: whether the clone gets an environment of its own.
    """

    def __init__(self, home: Path, fresh: bool) -> None:
        self.home, self.project, self.took = home, home / "cross_modal_kd", {}
        self.step("git clone", ["git", "clone", "-q", str(HERE), str(self.project)], HERE)
        if fresh:
            self.step("make env", ["make", "env"], self.project)
        self.python = str(self.project / ".venv" / "bin" / "python") if fresh else sys.executable

    @property
    def environment(self) -> dict[str, str]:
        """What his commands see: his home, his clone, no tracking server of somebody else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        path = f"{Path(self.python).parent}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "HOME": str(self.home), "PATH": path, "PYTHONPATH": str(self.project / "src")}

    def step(self, name: str, command: list[str], folder: Path | None = None) -> str:
        """Run a command to its end.

        Args:
            name: what the table calls it.
            command: its words.
            folder: where; None is the clone.

        Returns:
            What it printed.

        Raises:
            SystemExit: it failed; the last lines that it printed are shown.
        """
        started = time.monotonic()
        environment = self.environment if hasattr(self, "python") else None
        done = subprocess.run(
            command, cwd=folder or self.project, env=environment, capture_output=True, text=True, check=False
        )
        self.took[name] = time.monotonic() - started
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
            raise SystemExit(f"{name}: exit code {done.returncode}\n{last}")
        print(f"{self.took[name]:6.1f} s  {name}", flush=True)
        return done.stdout

    def kedro(self, *words: str) -> str:
        """`kedro` in the clone."""
        return self.step(f"kedro {' '.join(words)}", [self.python, "-m", "kedro", *words])

    @contextmanager
    def served(self, model: str) -> Iterator[str]:
        """The model behind HTTP; its address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = ["models", "serve", "-m", model, "-p", str(port), "-h", "127.0.0.1", "--env-manager", "local"]
        environment = {**self.environment, "MLFLOW_TRACKING_URI": f"sqlite:///{self.project / 'mlflow.db'}"}
        with (self.home / "server.log").open("w") as log:
            server = subprocess.Popen(
                [self.python, "-m", "mlflow", *words], cwd=self.project, env=environment,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            try:
                yield self._reached(server, f"http://127.0.0.1:{port}")
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGTERM)
                server.wait(60)

    def _reached(self, server: "subprocess.Popen[bytes]", address: str) -> str:
        until = time.monotonic() + 300
        while time.monotonic() < until and server.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{address}/ping", timeout=5):
                return address
            time.sleep(1)
        raise SystemExit(f"mlflow models serve does not answer\n{(self.home / 'server.log').read_text()[-3000:]}")


def walk(stranger: Stranger) -> None:
    """From a folder of pictures to an answer over HTTP.

    Raises:
        SystemExit: A command fails, or two ways to ask give two answers.
    """
    birds = stranger.home / "birds"
    stranger.step("a folder of his own", [stranger.python, "docs/examples/make_birds.py", str(birds)])
    stranger.kedro("new-task", "birds", str(birds))
    stranger.kedro("run", "--pipeline=distill", "--env=birds")
    stranger.kedro("run", "--pipeline=deployment", "--env=birds")
    picture = min(path for path in birds.rglob("*") if path.suffix in (".png", ".jpg"))
    ask = [stranger.python, "-m", "cross_modal_kd", "predict", str(picture), "--env=birds", "--output=found.csv"]
    stranger.step("cross-modal-kd predict", ask)
    with (stranger.project / "found.csv").open(newline="", encoding="utf-8") as file:
        (predicted,) = csv.DictReader(file)
    exported = stranger.project / "data" / "06_models" / "birds" / "distilled" / "exported"
    alone = stranger.step("run_student.py", [stranger.python, str(exported / "run_student.py"), str(picture)])
    answer = json.loads(alone)
    _agree("run_student.py", [answer["label"], answer["probability"]], predicted)
    started = time.monotonic()
    with stranger.served("models:/birds@champion") as address:
        rows = [{"content": base64.b64encode(picture.read_bytes()).decode()}]
        request = urllib.request.Request(
            f"{address}/invocations", json.dumps({"dataframe_records": rows}).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=120) as answer:
            (served,) = json.load(answer)["predictions"]
    print(f"{time.monotonic() - started:6.1f} s  mlflow models serve", flush=True)
    _agree("mlflow models serve", [served["label"], served["probability"]], predicted)


def _agree(way: str, found: list, predicted: dict[str, str]) -> None:
    label, probability = found[0], float(found[1])
    if label != predicted["label"] or abs(probability - float(predicted["probability"])) > CLOSE:
        raise SystemExit(f"{way} answers {found}, cross-modal-kd predict {predicted}")


def main() -> None:
    """Walk the path in a temporary folder, and say how long each step took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="make an environment for the clone first")
    given, started = parser.parse_args(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stranger-") as home:
        walk(Stranger(Path(home), given.fresh))
    took = time.monotonic() - started
    print(f"{took:6.1f} s  in all")
    if took > LIMIT:
        raise SystemExit(f"over {LIMIT / 60:.0f} minutes")


if __name__ == "__main__":
    main()

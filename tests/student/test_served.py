"""The registered student: loaded by its alias, and asked over HTTP."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from cross_modal_kd.student import StudentError, StudentModel

ADDRESS = "models:/test@champion"


@pytest.fixture(scope="module")
def tracking(distilled):
    return f"sqlite:///{distilled.parent / 'mlflow.db'}"


def test_the_champion_of_mlflow_is_the_student_of_the_folder(
    distilled, tracking, empty_tracking_db, tmp_path, monkeypatch
):
    student = StudentModel.load(distilled / "06_models" / "test" / "distilled" / "packaged", device="cpu")
    shutil.copy(empty_tracking_db, tmp_path / "other.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")  # where there is no such model
    champion = StudentModel.load(ADDRESS, device="cpu", tracking_uri=tracking)
    by_version = StudentModel.load("models:/test/1", device="cpu", tracking_uri=tracking)
    assert by_version.record == student.record
    content = next(iter(student.package.examples.values()))
    assert champion.record == student.record
    np.testing.assert_array_equal(champion.embed(content).vector, student.embed(content).vector)
    with pytest.raises(StudentError, match="no such model"):
        StudentModel.load("models:/nobody@champion", tracking_uri=tracking)
    with pytest.raises(StudentError, match="no such model"):
        StudentModel.load(ADDRESS)


@pytest.mark.slow
def test_mlflow_serves_it(distilled, tracking, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", ADDRESS, "-p", str(port), "-h", "127.0.0.1"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where mlflow looks for uvicorn
    environment = {**os.environ, "PATH": path, "MLFLOW_TRACKING_URI": tracking, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--env-manager", "local"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait(server, f"http://127.0.0.1:{port}/ping", tmp_path / "log")
            _ask(distilled, f"http://127.0.0.1:{port}/invocations")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


def _ask(distilled, address):
    student = StudentModel.load(distilled / "06_models" / "test" / "distilled" / "packaged", device="cpu")
    content = next(iter(student.package.examples.values()))
    expected = student.predict(content)
    rows = [{"content": base64.b64encode(each).decode()} for each in (content, b"no picture")]
    one, other = _post(address, {"dataframe_records": rows})
    assert one["label"] == expected.label and one["error"] is None
    assert one["probability"] == pytest.approx(expected.probability, abs=1e-5)
    assert one["quality"] == pytest.approx(expected.quality.score)
    np.testing.assert_allclose(one["embedding"], expected.embedding, atol=1e-5)
    assert other["label"] is None and "not a readable image" in other["error"]
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    (drawn,) = _post(address, {"dataframe_records": [{"pixels": pixels.tolist()}]})
    assert drawn["label"] == student.predict(pixels).label
    body = {"dataframe_records": rows[:1], "params": {"labels": ["cat", "umbrella"]}}
    (named,) = _post(address, body)
    assert named["label"] == student.predict(content, labels=["cat", "umbrella"]).label


def _post(address, body):
    request = urllib.request.Request(  # noqa: S310 (our own server)
        address, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            return json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error


def _wait(server, address, log, seconds=240):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(1)
    raise AssertionError(log.read_text())

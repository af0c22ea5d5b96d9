"""The page on which a student answers: answers, errors, limits, and what is refused; and in a browser."""

import html
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from click.testing import CliRunner
from fastapi.testclient import TestClient

from cross_modal_kd.cli import cli
from cross_modal_kd.config import SourcesConfig
from cross_modal_kd.demo import Desk, make_app, serve
from cross_modal_kd.demo.desk import _title
from cross_modal_kd.samples import Roots
from cross_modal_kd.student import Enrolled, StudentError, StudentModel

PROJECT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1"


@pytest.fixture(scope="module")
def students(distilled):
    models = distilled / "06_models" / "test"
    return [StudentModel.load(models / role / "packaged", device="cpu") for role in ("distilled", "student_alone")]


@pytest.fixture(scope="module")
def desk(students):
    sources = yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text(encoding="utf-8"))["sources"]
    return Desk(*students, Roots(SourcesConfig(sources), PROJECT))


@pytest.fixture(scope="module")
def client(desk):
    return TestClient(make_app(desk), base_url=ADDRESS, raise_server_exceptions=False)


def test_the_page_opens_no_address_and_runs_its_own_script_alone(client):
    reply = client.get("/")
    assert reply.status_code == 200
    assert "http" not in reply.text
    (nonce,) = re.findall(r'<script nonce="([^"]+)">', reply.text)
    assert f"script-src 'nonce-{nonce}'" in reply.headers["content-security-policy"]
    assert client.get("/").text != reply.text  # another nonce
    assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 404


def test_a_file_is_answered_as_the_student_answers_it(client, desk, students):
    content = client.get("/example/0").content
    assert content == desk.examples[0]
    text = html.unescape(client.post("/answer", content=content).text)
    said = desk.answer(content)
    for student, reply in zip(students, said.replies, strict=True):
        answer = student.predict(content)
        assert reply.probability == answer.probability
        assert f"{100 * answer.probability:.1f} %" in text
        assert len(reply.top) == 5
        near = student.neighbours(content, 6)[1]
        assert [each.score for each in reply.nearest] == pytest.approx([match.score for match in near], abs=1e-6)
        assert {each.kind for each in reply.nearest} == {"image"}
        value = student.thresholds["eer"].value
        assert [each.same for each in reply.nearest] == [each.score >= value for each in reply.nearest]
        assert f"threshold {value:.3f}" in text
    assert [reply.title for reply in said.replies] == ["Distilled student", "Student alone"]
    assert said.replies[0].teachers
    assert said.replies[0].teachers[0].content in text
    assert not said.replies[1].teachers  # no teacher has bound its space
    assert f"{said.quality.score:.2f}" in text
    assert text.count("of the training's labels the nearest, right or not") == 2  # a test's label is none of these


def test_the_enrolled_are_named_by_their_student_alone(students):
    content = students[0].package.examples[next(iter(students[0].package.examples))]
    book = Enrolled(students[0].record.weights).with_one(students[0].enroll("<b>Ann</b>", [content]))
    desk = Desk(*students, enrolled=book)
    text = TestClient(make_app(desk), base_url=ADDRESS).post("/answer", content=content).text
    said = desk.answer(content)
    assert said.enrolled.startswith("Enrolled: “<b>Ann</b>” (threshold EER; a stranger")
    assert said.names == (("<b>Ann</b>", pytest.approx(1.0, abs=1e-5)),)
    assert "“&lt;b&gt;Ann&lt;/b&gt;” (threshold" in text
    assert "&lt;b&gt;Ann&lt;/b&gt; 1.000" in text
    assert not Desk(*students).answer(content).enrolled
    with pytest.raises(StudentError, match="another student"):
        Desk(students[1], enrolled=book)
    with pytest.raises(StudentError, match="nobody is enrolled"):
        Desk(students[0], enrolled=Enrolled(students[0].record.weights))


def test_without_the_projects_data_samples_are_named(students):
    desk = Desk(students[0])
    (reply,) = desk.answer(desk.examples[0]).replies
    assert {(each.kind, each.content) for each in reply.nearest} == {("name", "")}
    assert all(each.name for each in reply.nearest)


@pytest.mark.parametrize("content", [b"", b"no image <script>alert(1)</script>", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_cannot_be_read_is_said_as_the_student_says_it(client, students, content):
    reply = client.post("/answer", content=content)
    said = students[0].predict(content).error if content else "the file is empty"
    assert reply.status_code == 200
    assert said in html.unescape(reply.text)
    assert "Traceback" not in reply.text


def test_words_find_training_samples_and_are_escaped(client, desk, monkeypatch):
    side = type(desk.student.package.teacher)
    monkeypatch.setattr(side, "encode", lambda self, given, names: self.space.vectors[:1])
    text = client.post("/search", content="<img src=x onerror=alert(1)> ä".encode()).text
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt; ä" in text
    assert text.count("<li") == 12


def test_an_encoder_that_is_not_here_is_said(client, desk, monkeypatch):
    def absent(*_):
        raise StudentError("the encoder <b>x</b> is not here")

    monkeypatch.setattr(type(desk.student.package.teacher), "encode", absent)
    reply = client.post("/search", content="heart")
    assert reply.status_code == 200
    assert "the encoder &lt;b&gt;x&lt;/b&gt; is not here" in reply.text
    assert "type a word" in client.post("/search", content="  ").text
    assert client.post("/search", content="x" * 501).status_code == 413


def test_what_is_too_large_is_not_read_to_its_end(desk):
    small, sent = TestClient(make_app(desk, largest=1000), base_url=ADDRESS), []

    def parts():
        for _ in range(3):
            sent.append(1)
            yield b"x" * 600

    reply = small.post("/answer", content=parts())
    assert reply.status_code == 413
    assert "larger than" in reply.text


def test_a_fault_of_the_demo_is_no_traceback(client, desk, monkeypatch):
    monkeypatch.setattr(desk, "answer", lambda content: 1 / 0)
    reply = client.post("/answer", content=b"x")
    assert reply.status_code == 500
    assert "ZeroDivisionError" in reply.text
    assert "Traceback" not in reply.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8000"}, 200),
        ({"host": "evil.example"}, 400),
        ({"host": "127.0.0.1.evil.example"}, 400),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1"}, 200),
    ],
)
def test_only_this_machine_and_the_page_itself_may_ask(client, desk, headers, status):
    assert client.get("/", headers=headers).status_code == status
    assert client.post("/answer", content=desk.examples[0], headers=headers).status_code == status


@pytest.mark.parametrize(
    "path", ["/example/-1", "/example/99", "/example/..%2fstudent.json", "/student.json", "/etc/passwd"]
)
def test_no_file_is_served(client, path):
    assert client.get(path).status_code in (404, 422)


def test_students_of_two_tasks_are_no_pair(students, monkeypatch):
    other = StudentModel(students[1].package, device="cpu")
    other.record = other.record.model_copy(update={"task": other.task.model_copy(update={"name": "another"})})
    with pytest.raises(StudentError, match="another"):
        Desk(students[0], other)


@pytest.mark.parametrize(
    ("role", "arm", "title"),
    [
        ("student_alone", "none", "Student alone"),
        ("student_alone", "hard_feature", "Baseline (hard_feature)"),
        ("distilled", "hard_feature", "Distilled student"),
    ],
)
def test_a_baseline_that_is_no_student_alone_is_called_by_its_arm(role, arm, title):
    assert _title(SimpleNamespace(record=SimpleNamespace(role=role, provenance={"arm": arm}))) == title


@pytest.mark.parametrize("at", [PROJECT, None])
def test_the_command_finds_the_student_alone_and_the_projects_data(distilled, tmp_path, monkeypatch, at):
    monkeypatch.chdir(at or tmp_path)
    desks, where = [], distilled / "06_models" / "test" / "distilled" / "packaged"
    monkeypatch.setattr("cross_modal_kd.demo.server.serve", lambda desk, *_: desks.append(desk))
    done = CliRunner().invoke(cli, ["demo", f"--student={where}", "--device=cpu", "--port=0"])
    assert done.exit_code == 0, done.output
    replies = desks[0].answer(desks[0].examples[0]).replies
    assert [reply.title for reply in replies] == ["Distilled student", "Student alone"]
    assert {each.kind for reply in replies for each in reply.nearest} == {"image" if at else "name"}


def test_a_port_that_is_taken_is_said(desk):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} .* --port"):
            serve(desk, port)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_a_browser_shows_the_answer_to_an_example(desk, tmp_path):
    said, known = [], threading.Event()
    threading.Thread(
        target=serve, args=(desk, 0, False, lambda address: (said.append(address), known.set())), daemon=True
    ).start()
    assert known.wait(30)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}"]
    command += ["--virtual-time-budget=20000", "--dump-dom", f"{said[0]}?example=0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    text = html.unescape(done.stdout)
    for reply in desk.answer(desk.examples[0]).replies:
        assert f"{100 * reply.probability:.1f} %" in text
        assert reply.verdict in text
    assert "Distilled student" in text
    assert "Student alone" in text
    assert text.count('<img src="data:image') == 12

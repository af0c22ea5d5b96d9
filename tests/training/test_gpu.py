"""On a GPU the same training as on the CPU (benchmarks/gpu_checks.py), and that the checks would see a difference."""

import importlib

import pytest
import torch

CPU = torch.device("cpu")


@pytest.fixture
def checks(request, monkeypatch):
    monkeypatch.syspath_prepend(request.config.rootpath / "benchmarks")
    return importlib.import_module("gpu_checks")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.timeout(900)
def test_a_gpu_trains_as_the_cpu(checks, capsys):
    outcomes = {name: checks.run(name, torch.device("cuda")) for name in checks.CHECKS}
    assert "FAIL" not in outcomes.values(), capsys.readouterr().out


@pytest.mark.parametrize(
    "kind", ["constraint/classifier_kl", "constraint/rkd", "bf16 constraint/rkd", "classifier/aam", "precision/image"]
)
def test_the_checks_run_without_a_gpu(checks, kind):
    assert checks.run(kind, CPU) == "PASS"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["resume/image/32-true", "same seed twice/image/32-true/as configured"])
def test_the_checks_of_trainings_run_without_a_gpu(checks, kind):
    assert checks.run(kind, CPU) == "PASS"


def test_a_constraint_that_rounds_is_seen(checks, monkeypatch):
    exact = checks.build_constraint

    def rounds(*seen):
        output = seen[-1]
        single = output.values.dtype == torch.float32  # float64 is what it is compared with
        return output._replace(values=output.values.bfloat16().float()) if single else output

    def rounded(*given):
        made = exact(*given)
        made.register_forward_hook(rounds)
        return made

    monkeypatch.setattr(checks, "build_constraint", rounded)
    assert checks.run("constraint/cosine", CPU) == "FAIL"


def test_a_training_that_differs_is_seen(checks, monkeypatch):
    made = iter([torch.ones(3), torch.tensor([1.0, 1.0, 1.0 + 1e-6])])
    history = checks.pd.DataFrame({"loss": [1.0]})
    bundles = [checks.ModelBundle("student", {}, {"weight": each}) for each in made]
    monkeypatch.setattr(checks, "train", lambda *_, **__: (bundles.pop(), history))
    assert checks.run("same seed twice/image/32-true/as configured", CPU) == "FAIL"


def test_what_is_missing_is_skipped_and_what_breaks_stops_nothing(checks, monkeypatch, capsys):
    def missing(*_, **__):
        raise ImportError("no such package")

    monkeypatch.setattr(checks, "encoder_of", missing)
    assert checks.run("embedding/image", CPU) == "SKIP"
    monkeypatch.setattr(checks, "student_of", lambda _: 1 / 0)
    assert checks.run("embedding/image", CPU) == "FAIL"
    assert "ZeroDivisionError" in capsys.readouterr().out

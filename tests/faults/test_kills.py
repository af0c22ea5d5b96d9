"""Runs that are killed at random moments and started again: nothing of what they leave differs.

``pytest -m faults --kills=40`` sends so many SIGKILLs to ``distill`` and as many to ``comparison``.
"""

import random
import shutil
import signal
import time

import pytest

from killed import end, results, start

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX"),
]
IN_A_ROW = 4


@pytest.mark.parametrize("pipeline", ["distill", "comparison"])
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_a_run_that_was_killed_at_any_moment_is_gone_on_with_to_the_same_results(
    request, project_path, distilled, tracking_uri, tmp_path, pipeline, name
):
    number, kills, seed = getattr(signal, name), request.config.getoption("kills"), request.config.getoption("seed")
    kills = kills if name == "SIGKILL" else max(1, kills // 5)
    rng, moments = random.Random(f"{seed} {pipeline} {name}"), []

    def begin(root, log):
        return start(project_path, root, pipeline, tmp_path / log)

    def fresh(root):
        if pipeline == "comparison":
            shutil.copytree(distilled, root)
        return root

    whole = fresh(tmp_path / "whole")
    began = time.monotonic()
    assert end(begin(whole, "whole.log")) == 0
    lasts, expected = time.monotonic() - began, results(whole)

    for row in range(0, kills, IN_A_ROW):
        root = fresh(tmp_path / f"killed{row}")
        for each in range(row, min(row + IN_A_ROW, kills)):
            moments.append(round(rng.uniform(0, lasts), 2))
            code = end(begin(root, f"{each}.log"), number, moments[-1])
            assert code in (-number, 128 + number, 0), (tmp_path / f"{each}.log").read_text()[-3000:]
        assert end(begin(root, "again.log")) == 0, (moments, (tmp_path / "again.log").read_text()[-3000:])
        found = results(root)
        differs = sorted(path for path in expected.keys() | found if expected.get(path) != found.get(path))
        assert not differs, f"seed {seed}, moments {moments}: {differs}"
        assert not [file for file in root.rglob("*") if file.name.endswith((".new", ".old", ".tmp"))], moments
        shutil.rmtree(root)
    print(f"{pipeline}: {kills} x {name} in a run of {lasts:.1f} s, {len(expected)} results the same; {moments}")

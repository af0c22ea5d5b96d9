"""What a stage that runs alone must leave as ``distill`` left it."""

import json
from pathlib import Path


def assert_same_results(one: Path, other: Path) -> None:
    """Of two data roots: their metrics, students and packages.

    Args:
        one: After ``distill`` on conf/test.
        other: A copy of it, on which a stage has run again.
    """
    for name in ("metrics.json", "teacher_metrics.json", "projection_metrics.json"):
        before, after = (json.loads((root / "08_reporting/test" / name).read_text()) for root in (one, other))
        assert before == after
    for arm in ("student_alone", "distilled"):
        for name in ("student/model.safetensors", "packaged/student.json", "packaged/checksums.json"):
            before, after = ((root / "06_models/test" / arm / name).read_bytes() for root in (one, other))
            assert before == after

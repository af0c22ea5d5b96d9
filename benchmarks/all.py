"""Every benchmark that needs no GPU, one after the other, and the page that they make.

    python benchmarks/all.py                          # about 25 minutes on two quiet cores
    python benchmarks/all.py --only loops growth
    python benchmarks/all.py --page docs/benchmarks.md

Each is a program of its own (``--quick`` shows in seconds that it runs), and prints its own tables and the machine. The
page has the commands, the day, and what was printed; parts of it that are not run stay.
"""

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parent
ONE_CORE = ["--threads", "1", "--clock", "cpu"]  # where a ratio of a few per cent is to be seen
ALL = {
    "distilled": ("A distilled step beside the student's own", [*ONE_CORE, "--worlds", "8", "--rounds", "3"]),
    "constraints": ("A constraint beside the student's step", ["--dims", "128", "--threads", "1", "--clock", "cpu"]),
    "loops": ("The training loop beside others", ONE_CORE),
    "data_path": ("Decoding, quality, and waiting for data", []),
    "million": ("Tables of a million samples", []),
    "trials": ("Lists of trials, and matching", []),
    "nodes": ("Kedro and MLflow beside the nodes", ["--env", "base", "--rounds", "1", *ONE_CORE]),
    "growth": ("Growing batches, classes and embeddings", ["--clock", "cpu"]),
}
PAGE = """# Benchmarks

What this package costs, each figure beside its peer of the same run: ratios travel from machine to machine, seconds do
not. `make benchmarks` prints them all on yours; `python benchmarks/<name>.py --help` says how each is measured. `!`
marks a ratio that is above its goal. GPUs have a page of their own: [scale](scale.md#one-gpu).

This page is written by `python benchmarks/all.py --page docs/benchmarks.md`; with `--only` the parts that are named
are written anew. The machine had other work meanwhile: with the `cpu` clock that counts little, elsewhere it makes
figures larger.

What stays above its goal: a projection that is trained with the student costs its own loss, gradient and step, by
itself 0.08 of a plain step (last row of the first table), and no loop saves that. RKD compares all pairs and all
triplets of a batch.
"""


def run(name: str, quick: bool) -> tuple[str, str]:
    """The command of one benchmark, and what it printed; what it says besides goes to the console."""
    options = ["--quick"] if quick else ALL[name][1]
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), *options], stdout=subprocess.PIPE, text=True, check=True
    )
    return " ".join(["python", f"benchmarks/{name}.py", *options]), done.stdout.strip()


def section(name: str, quick: bool) -> str:
    """The part of the page that one benchmark makes, its title first."""
    command, printed = run(name, quick)
    return f"{ALL[name][0]}\n\n`{command}`, {datetime.now(UTC).date()}\n\n{printed}\n"


def page_of(found: dict[str, str], before: str) -> str:
    """The page with the parts that were found anew, and those that it had before."""
    kept = {part.partition("\n")[0]: part for part in before.split("\n## ")[1:]}
    parts = [found.get(name) or kept.get(title) for name, (title, _) in ALL.items()]
    return PAGE + "".join(f"\n## {part.strip()}\n" for part in parts if part)


def main() -> None:
    """Run them, print what they print, and write the page where one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=list(ALL), choices=list(ALL))
    parser.add_argument("--quick", action="store_true", help="do they run? seconds, and numbers that say nothing")
    parser.add_argument("--page", type=Path, help="where the page is written too")
    given = parser.parse_args()
    for name in given.only:
        found = {name: section(name, given.quick)}
        print(f"## {found[name]}", flush=True)
        if given.page:  # as it is there: a run that is ended has written what it found
            before = given.page.read_text(encoding="utf-8") if given.page.exists() else ""
            given.page.write_text(page_of(found, before), encoding="utf-8")


if __name__ == "__main__":
    main()

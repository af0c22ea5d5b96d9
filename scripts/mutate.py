"""Which mutants of a room its tests do not catch: mutmut on one room of the package, with a report.

    python scripts/mutate.py metrics                    # every mutant of src/cross_modal_kd/metrics
    python scripts/mutate.py training --sample 200      # 200 of them, drawn with --seed
    python scripts/mutate.py metrics NAME [NAME ...]    # those alone, again (after tests were added)

mutmut (see [tool.mutmut] in pyproject.toml) makes the mutants, finds which tests reach which function, and runs them in
one process. This file adds what it lacks: the tests that belong to a room ([tool.cross_modal_kd.mutation]), a sample,
and the survivors as differences. The exit code is 1 where less than 95 % are caught. Everything is written below
mutants/, which git ignores; what was judged of the survivors stands in docs/mutation.md.
"""

import argparse
import random
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mutmut import __main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.state import state
from mutmut.stats import status_by_exit_code

CAUGHT = ("killed", "timeout", "suspicious", "segfault", "caught by type check")
LEAST = 0.95
FOLDER = Path("mutants")


def main() -> int:
    """Run what the command line asks for; the exit code."""
    rooms = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["cross_modal_kd"]["mutation"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("room", choices=sorted(rooms))
    parser.add_argument("names", nargs="*", help="mutants to be run again")
    parser.add_argument("--sample", type=int, help="how many mutants, drawn at random; all by default")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    options = parser.parse_args()
    config().only_mutate = [f"src/cross_modal_kd/{options.room}/*.py"]
    config().pytest_add_cli_args_test_selection = ["-m", "not slow", *rooms[options.room]]
    if not options.names:
        shutil.rmtree(FOLDER, ignore_errors=True)
    names = options.names or _drawn(options.sample, options.seed)
    mutmut.collect_or_load_stats = _with_neighbours(mutmut.collect_or_load_stats)
    mutmut._run(names, max_children=1)
    return _report(options.room, names)


def _drawn(count: int | None, seed: int) -> list[str]:
    """``count`` mutants, drawn at random; an empty list, which is all to mutmut, where no count is given."""
    if count is None:
        return []
    mutmut.set_mutant_under_test("mutant_generation")
    FOLDER.mkdir()
    mutmut.copy_src_dir()
    mutmut.create_mutants(1)
    found = sorted(name for _, name, _ in mutmut.collect_source_file_mutation_data(mutant_names=[])[0])
    return random.Random(seed).sample(found, min(count, len(found)))


def _with_neighbours(collect: Callable[..., None]) -> Callable[..., None]:
    """mutmut's statistics of which tests reach a function, with what they miss.

    What a fixture of a whole module calls is put down to the first test that asks for it; the tests that look at what
    it made are others. So where a file has such a fixture, all its tests count as soon as one does.
    """

    def collecting(*args: Any, **options: Any) -> None:
        collect(*args, **options)
        of_file: dict[str, set[str]] = {}
        for test in state().duration_by_test:
            of_file.setdefault(test.partition("::")[0], set()).add(test)
        shared = {file for file in of_file if "scope=" in Path(file).read_text()}
        for tests in state().tests_by_mangled_function_name.values():
            for file in {test.partition("::")[0] for test in tests} & shared:
                tests |= of_file[file]

    return collecting


def _report(room: str, names: list[str]) -> int:
    """Print the counts and every survivor's difference; 1 where less than ``LEAST`` of them are caught, else 0."""
    mutants, _ = mutmut.collect_source_file_mutation_data(mutant_names=names)
    status = {name: status_by_exit_code[code] for data, name, _ in mutants for code in [data.exit_code_by_key[name]]}
    of_file = {name: data.path for data, name, _ in mutants}
    survivors = sorted(name for name, found in status.items() if found not in CAUGHT)
    for name in survivors:
        print(f"\n# {name}: {status[name]}\n{get_diff_for_mutant(name, path=of_file[name])}")
    caught = len(status) - len(survivors)
    print(f"\n{room}: {len(status)} mutants, {caught} caught, {len(survivors)} not ({caught / len(status):.1%} caught)")
    print(", ".join(f"{found} {count}" for found, count in Counter(status.values()).most_common()))
    return int(caught < LEAST * len(status))


if __name__ == "__main__":
    sys.exit(main())

"""A commit in a folder of its own: a git worktree that is gone afterwards."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Refused(ValueError):
    """A run cannot be done again, for the reason that the message gives."""


def checked_commit(project: Path, commit: str) -> str:
    """The commit, if this repository has it.

    Args:
        project: a folder of the repository.
        commit: its hash.

    Returns:
        The whole hash.

    Raises:
        Refused: there is no git or no repository, or it has no such commit.
    """
    if shutil.which("git") is None:
        raise Refused("git is not installed, and a commit can be had from it alone")
    if _git(project, "rev-parse", "--show-toplevel").returncode:
        raise Refused(
            f"{project} is no git repository: run this in a clone of the project, which has the commit {commit}"
        )
    found = _git(project, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if found.returncode:
        raise Refused(
            f"this clone does not know the commit {commit}: `git fetch --all` brings it, if it was pushed; else who "
            "made the run has it"
        )
    return found.stdout.strip()


@contextmanager
def worktree(project: Path, commit: str, keep: bool) -> Iterator[Path]:
    """The files of a commit, and nothing else, in a new temporary folder.

    Args:
        project: a folder of the repository.
        commit: that is checked out, detached.
        keep: leave it there.

    Yields:
        The folder that corresponds to ``project``.

    Raises:
        Refused: git cannot make it.
    """
    scratch = Path(tempfile.mkdtemp(prefix=f"reproduce-{commit[:8]}-"))
    tree = scratch / "tree"
    try:
        made = _git(project, "worktree", "add", "--detach", "--force", str(tree), commit)
        if made.returncode:
            raise Refused(f"git could not make a worktree of {commit}: {made.stderr.strip()}")
        below = _git(project, "rev-parse", "--show-prefix").stdout.strip()
        yield tree / below
    finally:
        if not keep:
            _git(project, "worktree", "remove", "--force", str(tree))
            shutil.rmtree(scratch, ignore_errors=True)  # a link in it is taken away, not what it leads to
            _git(project, "worktree", "prune")


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def kedro(tree: Path, arguments: list[str], environment: dict[str, str], log: Path, python: str) -> int:
    """``kedro`` in a folder, with its output in a file.

    Args:
        tree: the project's folder.
        arguments: after ``kedro``.
        environment: of the process, whole.
        log: is written on at its end.
        python: the interpreter.

    Returns:
        The exit code.
    """
    with log.open("a", encoding="utf-8") as out:
        out.write(f"\n$ kedro {' '.join(arguments)}\n")
        out.flush()
        done = subprocess.run(
            [python, "-m", "kedro", *arguments], cwd=tree, env=environment, stdout=out, stderr=out, check=False
        )
    return done.returncode


def answer(tree: Path, code: str, arguments: list[str], environment: dict[str, str], python: str) -> str:
    """What a few lines of Python print last, in a folder; empty where they fail.

    Args:
        tree: the current folder of the process.
        code: the lines.
        arguments: are in ``sys.argv``.
        environment: of the process, whole.
        python: the interpreter.

    Returns:
        The last line.
    """
    done = subprocess.run(
        [python, "-c", code, *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    lines = done.stdout.strip().splitlines()
    return lines[-1] if lines and not done.returncode else ""

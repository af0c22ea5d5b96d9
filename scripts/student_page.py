"""Write the blocks of docs/student.md and docs/export.md anew: their commands, done by the default task's student.

After ``kedro run --pipeline=distill`` and ``kedro run --pipeline=deployment`` in this checkout: python
scripts/student_page.py
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parents[1]
PAGES = HERE / "docs" / "student.md", HERE / "docs" / "export.md"
BLOCK = re.compile(r"^```\n(\$ .*?)^```\n", re.DOTALL | re.MULTILINE)
ENDS = 0, 3  # of all files, or but for some that cannot be read


def anew(block: str, folder: Path) -> str:
    """A block of a page with what its commands print now; the notes that they begin with are left out.

    Args:
        block: lines; those that begin with ``$`` are commands.
        folder: to do them in.

    Returns:
        The block.

    Raises:
        SystemExit: A command fails.
    """
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found, environment = [], {**os.environ, "PATH": programs, "PYTHONPATH": str(HERE / "src")}
    for line in re.findall(r"^\$ .*", block, re.MULTILINE):
        ended = subprocess.run(  # noqa: S603 (commands of our own pages)
            ["bash", "-c", line.removeprefix("$ ")],  # noqa: S607
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environment,
        )  # fmt: skip
        if ended.returncode not in ENDS:
            raise SystemExit(f"{line}: exit code {ended.returncode}\n{ended.stdout}")
        found += [line, *(each for each in ended.stdout.splitlines() if each and not each.startswith("note: "))]
    return "\n".join(found) + "\n"


def main() -> None:
    """Write the pages, both or none.

    Raises:
        SystemExit: There are no exported programs yet, or a command fails.
    """
    exported = HERE / "data/06_models/concept_verification/distilled/exported"
    if not exported.is_dir():
        raise SystemExit(f"{exported} is not there: `kedro run --pipeline=deployment` writes it, after `distill`")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        maker = HERE / "docs" / "examples" / "make_pictures.py"
        subprocess.run([sys.executable, str(maker), str(folder / "pictures")], check=True)  # noqa: S603 (our own)
        for part in ("conf", "data", "pyproject.toml"):
            (folder / part).symlink_to(HERE / part)
        (folder / "exported").symlink_to(exported)
        texts = [page.read_text(encoding="utf-8") for page in PAGES]
        texts = [BLOCK.sub(lambda hit: f"```\n{anew(hit[1], folder)}```\n", text) for text in texts]
    for page, text in zip(PAGES, texts, strict=True):
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

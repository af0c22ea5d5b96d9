"""An exported student on files, a line of JSON each. It needs this folder, onnxruntime, and what read_input.py imports.

python run_student.py FILE...               class and probability
python run_student.py FILE OTHER...         of a student that names no classes: the cosine with the first file, and
                                            which thresholds it reaches; "undecided" says why others were not found
python run_student.py int8.onnx FILE...     the same by another network of this folder

Exit codes: 0 every file was read; 1 nothing was answered, or nothing decided; 2 wrongly typed; 3 some files were not
read.
"""

import json
import re
import runpy
import signal
import sys
from pathlib import Path

import onnxruntime

HERE = Path(__file__).resolve().parent
HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|\?xml[^>]*>\s*<error>)", re.IGNORECASE)
POINTER = b"version https://git-lfs.github.com/spec/"
NO_THRESHOLDS = "this student was exported without thresholds: there is a score, and no decision"


def main(files: list) -> int:
    """Print what the student says of each file; the exit code."""
    network = files.pop(0) if files and files[0].endswith(".onnx") else "student.onnx"
    about = json.loads((HERE / "export.json").read_text(encoding="utf-8"))
    classes, first, answered = about["classes"], None, 0
    if (wrong := wrongly_typed(files, network, classes)) is not None:
        print(f"{wrong}\n\n{__doc__}".lstrip(), file=sys.stderr)
        return 2
    session = onnxruntime.InferenceSession(str(HERE / network))
    read = runpy.run_path(str(HERE / "read_input.py"))["read"]
    undecided = about["undecided"] or ({} if about["thresholds"] else {"any": NO_THRESHOLDS})
    for file in files:
        try:
            given = {about["input"]["name"]: read(file, about["input"])[None]}
        except (ValueError, OSError, MemoryError) as error:
            print(json.dumps({"file": file, "error": why_not(file, error)}))
            if first is None and not classes:
                break  # there is nothing to compare the others with
            continue
        found = session.run(["probability" if classes else "embedding"], given)[0][0]
        first, answered = found if first is None else first, answered + 1
        if classes:
            answer = {"label": classes[found.argmax()], "probability": round(float(found.max()), 6)}
        else:
            reached = {name: bool(first @ found >= at) for name, at in about["thresholds"].items()}
            answer = {"with": files[0], "score": round(float(first @ found), 6), "accepted": reached}
            answer |= {"undecided": undecided} if undecided else {}
        print(json.dumps({"file": file, **answer}))
    if not classes and not about["thresholds"]:
        return 1
    return 0 if answered == len(files) else 3 if answered else 1


def wrongly_typed(files: list, network: str, classes: list) -> "str | None":
    """What is wrong with what was typed, in a sentence, empty where help is asked for; None where nothing is."""
    if files and files[0].startswith("-"):
        return "" if files[0] in ("-h", "--help") else f"{files[0]}: this program has no options; name files."
    if not (HERE / network).is_file():
        there = ", ".join(sorted(each.name for each in HERE.glob("*.onnx"))) or "none"
        return f"{network}: there is no such network in {HERE} (there: {there})."
    if classes:
        return None if files else "No file is named: name one at least."
    if len(files) == 1:
        return f"{files[0]} alone is named: this student compares files with the first, so name two at least."
    return None if files else "No file is named: this student compares files with the first, so name two at least."


def why_not(file: str, error: Exception) -> str:
    """Why a file was not read, in the words of the package."""
    path = Path(file)
    if not path.is_file():
        return "it is a folder, not a file" if path.is_dir() else "there is no such file"
    if isinstance(error, OSError):
        return f"the file cannot be read ({type(error).__name__}: {error.strerror or error})"
    try:
        with path.open("rb") as stream:
            begins = stream.read(512)
    except OSError:  # not ours to read: then the reader's own reason stands
        return str(error)
    if not begins:
        return "the file is empty (0 bytes); copy it once more"
    if begins.startswith(POINTER):
        return "the file is a pointer of Git LFS, in place of what it points to; `git lfs pull` fetches that"
    if HTML.match(begins):
        return "the file is a page of HTML or XML, as a download that was refused leaves it; fetch it once more"
    return str(error) if any(begins) else "the file is zeros, as a download that broke off leaves it; copy it once more"


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # `| head` ends it as it ends other programs
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))

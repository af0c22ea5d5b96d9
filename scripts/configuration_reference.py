"""The page of every parameter, from the pydantic models: key, what it may be, what it is in conf/base, what it does.

    PYTHONPATH=src python scripts/configuration_reference.py    print it

What a field does stands in its ``description``, or in the docstring of its model after the field's name and a colon.
"""

import json
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

PROJECT = Path(__file__).parents[1]


def blocks() -> dict[str, type[BaseModel]]:
    """The model of every block of conf/base, in the order of the files."""
    from cross_modal_kd import config
    from cross_modal_kd.studies.config import ComparisonConfig
    from cross_modal_kd.studies.quality.config import QualityStudyConfig
    from cross_modal_kd.studies.regimes.config import RegimesConfig
    from cross_modal_kd.studies.results.config import ResultsConfig
    from cross_modal_kd.studies.robustness.config import RobustnessConfig
    from cross_modal_kd.studies.tuning.config import TuningConfig

    return {
        "task": config.TaskConfig,
        "sources": config.SourceConfig,
        "ingestion": config.IngestionConfig,
        "inputs": config.InputConfig,
        "quality": config.QualityConfig,
        "teacher": config.TeacherConfig,
        "projection": config.ProjectionConfig,
        "student": config.StudentConfig,
        "training": config.TrainingConfig,
        "compute": config.ComputeConfig,
        "distillation": config.DistillationConfig,
        "arms": config.ArmConfig,
        "evaluation": config.EvaluationConfig,
        "deployment": config.DeploymentConfig,
        "export": config.ExportConfig,
        "score": config.ScoreConfig,
        "score_trials": config.ScoreTrialsConfig,
        "comparison": ComparisonConfig,
        "tuning": TuningConfig,
        "quality_study": QualityStudyConfig,
        "regimes": RegimesConfig,
        "robustness": RobustnessConfig,
        "results": ResultsConfig,
    }


def options() -> dict[str, type[BaseModel]]:
    """The models of what layouts, modalities and encoder libraries take, by where they are given."""
    import cross_modal_kd.modalities  # noqa: F401 (registers the names)
    from cross_modal_kd.config import input_blocks, libraries_of, modality_names
    from cross_modal_kd.sources import OPTIONS

    found: dict[str, type[BaseModel]] = {f"sources.*.options, layout {name}": each for name, each in OPTIONS.items()}
    found |= {f"inputs.{name}": block for name, block in input_blocks().items()}
    for modality in modality_names():
        for library, traits in libraries_of(modality).items():
            named = traits.options if isinstance(traits.options, Mapping) else {"": traits.options}
            found |= {
                f"encoder.options, library {library}{f', {name}' if name else ''}": each for name, each in named.items()
            }
    return {where: model for where, model in found.items() if model.model_fields}


NAMED = ("sources", "arms")  # blocks of entries by a name of one's choice


def page() -> str:
    """The whole page, in Markdown."""
    base = in_base()
    lines = [
        "# Configuration reference",
        "",
        "Every parameter that there is, made from the models that check it. A task of your own changes what it wants "
        "to have otherwise, in `conf/<name>/parameters.yml` ([how](../conf/README.md)); a single run with "
        "`--params=training.epochs=4`. The column *conf/base* is what the default task has, else the model's default.",
    ]
    for name, model in blocks().items():
        where = f"{name}.*" if name in NAMED else name
        lines += ["", f"## {name}", "", *_table(model, base.get(name) if name not in NAMED else None)]
        lines += _nested(model, where, base.get(name) if name not in NAMED else None, {model})
    lines += [
        "",
        "## Options",
        "",
        "What stands in a block `options`, or belongs to one modality. The options of an encoder are its library's "
        "own, and do what that library says of them; those that are not here are refused.",
    ]
    for where, model in options().items():
        lines += ["", f"### {_heading(where)}", "", *_table(model, None)]
    return "\n".join(lines) + "\n"


def _heading(where: str) -> str:
    key, comma, rest = where.partition(",")
    return f"`{key}`{comma}{rest}"


def in_base() -> dict[str, Any]:
    """All parameters of conf/base."""
    found: dict[str, Any] = {}
    for file in sorted((PROJECT / "conf" / "base").rglob("parameters*.yml")):
        for name, block in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).items():
            found[name] = {**found[name], **block} if name in found else block
    return found


def _nested(model: type[BaseModel], where: str, base: Any, done: set[type[BaseModel]]) -> Iterator[str]:
    """Tables of the models within a model, each once a block."""
    for name, field in model.model_fields.items():
        for inner in models_in(field.annotation):
            if inner in done:
                continue
            done.add(inner)
            many = get_origin(_plain(field.annotation)) in (dict, list)
            there = base.get(name) if isinstance(base, dict) and not many else None
            inside = f"{where}.{name}{'.*' if many else ''}"
            yield from ("", f"### `{inside}`", "", *_table(inner, there))
            yield from _nested(inner, inside, there, done)


def _table(model: type[BaseModel], base: Any) -> Iterator[str]:
    said = descriptions(model)
    yield f"{_first_line(model)}"
    yield ""
    yield "| key | it may be | conf/base | what it is |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        value = base[name] if isinstance(base, dict) and name in base else _default(field)
        cells = (f"`{name}`", kind_of(field), value, said.get(name, ""))
        yield f"| {' | '.join(_cell(each) for each in cells)} |"


def _first_line(model: type[BaseModel]) -> str:
    doc = _doc(model)
    named = re.search(_pattern(model), doc)
    first = doc[: named.start()] if named else doc
    return _markdown(first.split("Attributes:")[0])


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What each field of a model does, by name: of its docstring, else its description.

    Args:
        model: of a block, or of a part of one.

    Returns:
        Markdown on one line; a field of which nothing is said is not there.
    """
    doc = _doc(model)
    places = list(re.finditer(_pattern(model), doc))
    found = {}
    for place, after in zip(places, [*places[1:], None], strict=False):
        text = doc[place.end() : after.start() if after else len(doc)].split("\n\n")[0]
        found |= dict.fromkeys(re.split(r", | and ", place[1]), _markdown(text))
    for name, field in model.model_fields.items():
        parts = [_first_line(inner) for inner in models_in(field.annotation)]
        if not found.get(name) and (field.description or parts):
            found[name] = _markdown(field.description or parts[0])
    return {name: text for name, text in found.items() if text}


def _doc(model: type[BaseModel]) -> str:
    return "\n".join(line.strip() for line in (model.__doc__ or "").splitlines())


def _pattern(model: type[BaseModel]) -> str:
    names = "|".join(sorted(map(re.escape, model.model_fields), key=len, reverse=True)) or "(?!)"
    return rf"(?m:^|(?<=[.;)]\s))((?:{names})(?:(?:, | and )(?:{names}))*)(?: in \w+)?: "


def _markdown(text: str) -> str:
    return " ".join(text.replace("``", "`").split()).rstrip(";")


def _default(field: FieldInfo) -> Any:
    if field.is_required():
        return "**must be given**"
    return field.get_default(call_default_factory=True)


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        if isinstance(value, BaseModel):
            return "see below"
        text = json.dumps(value, ensure_ascii=False, default=str)
        value = f"`{text}`" if len(text) <= 60 else "see the file"
    return re.sub(r"(?<!\\)\|", r"\\|", value.replace("\n", " "))


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation names, within whatever containers.

    Args:
        annotation: of a field.

    Yields:
        Each model.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for inner in get_args(annotation):
        yield from models_in(inner)


def _plain(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false", type(None): "null"}
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def kind_of(field: FieldInfo) -> str:
    """What a field may be, in words.

    Args:
        field: of a model.

    Returns:
        ``whole number >= 1, or null``.
    """
    return _words(field.annotation, [*field.metadata])


def _words(annotation: Any, metadata: list[Any]) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(inner[0], [*inner[1:], *metadata])
    if origin is Literal:
        return " or ".join(f"`{json.dumps(each) if not isinstance(each, str) else each}`" for each in inner)
    if origin in (Union, types.UnionType):
        last = [each for each in inner if each is type(None)]
        said = [_words(each, metadata) for each in inner if each is not type(None)]
        return " or ".join(said) + (", or null" if last else "")
    if origin is list:
        return f"list of: {_words(inner[0], [])}"
    if origin is dict:
        return f"names, each with: {_words(inner[1], [])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a block, see below"
    bounds = [
        f"{sign} {getattr(each, name):g}"
        for each in _flat(metadata)
        for name, sign in _BOUNDS.items()
        if getattr(each, name, None) is not None
    ]
    return f"{_WORDS.get(annotation, 'any value')}{f' {chr(32).join(bounds)}' if bounds else ''}"


def _flat(metadata: list[Any]) -> Iterator[Any]:
    for each in metadata:
        yield from _flat(list(each.metadata)) if isinstance(each, FieldInfo) else [each]


if __name__ == "__main__":
    import cross_modal_kd.modalities  # noqa: F401 (registers the names)

    print(page())

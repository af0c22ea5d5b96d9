"""Texts of anybody's in Markdown and YAML: labels, titles and commands stay what they are, and steer nothing."""

import re
import shlex
import unicodedata

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~$&!@])")
# an absolute path, or one of a home, where a value begins: up to a comma or a closing bracket
PLACE = re.compile(r"(^|[=,:\[({\"' ])(?:file:)?(?:/|~[\w.-]*/|\\\\|[A-Za-z]:[\\/])[^,\])}\"'=]*")
LONGEST = 500


def one_line(value: object) -> str:
    """A text on one line, without control and direction characters.

    Args:
        value: of any kind.

    Returns:
        The text, no longer than ``LONGEST`` characters.
    """
    text = " ".join(str(value).split())
    plain = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) in ("Cc", "Cf", "Cs") else each
                    for each in text)  # fmt: skip
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + "\N{HORIZONTAL ELLIPSIS}"


def in_markdown(value: object) -> str:
    r"""A text that Markdown shows as it is: no markup, no HTML, no link, no cell of a table.

    Args:
        value: of any kind.

    Returns:
        The escaped text, on one line.

    >>> print(in_markdown("<b>|a_b"))
    \<b\>\|a\_b
    """
    text = SPECIAL.sub(r"\\\1", " ".join(one_line(value).split(" ")))
    return text.replace("://", r"\://").replace("www.", r"www\.")


def fenced(lines: list[str], language: str = "") -> str:
    """Lines as a block of code that none of them can end.

    Args:
        lines: each of anybody's.
        language: of the code.

    Returns:
        Markdown.
    """
    plain = [one_line(line) for line in lines]
    longest = max((len(run) for line in plain for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *plain, fence])


def without_places(command: str) -> str:
    """A command without folders of the machine that it was typed on.

    Args:
        command: for a shell.

    Returns:
        The command, PATH in the place of every absolute path and of every one in a home.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    kept = [PLACE.sub(r"\1PATH", re.sub(r"(?:^|(?<=[=,]))data_root=[^,]*,?", "", word)) for word in words]
    return shlex.join(word for word in kept if word not in ("--params=", "--params", ""))

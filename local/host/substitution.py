"""Fills `${…}` and `$(…)` in the text of project.yml, before YAML sees it.

The deployer's rules: purely textual, comments included; an empty value counts as missing; every
missing name is reported at once.

    ${NAME}    the variable, line breaks written as \\n so that a double-quoted scalar keeps them
    ${|NAME}   the variable as it is
    $(A B)     a JSON object of the named variables (also `${A B}`, the deprecated spelling)
    ${<file}   a JSON object: the file's own, or its NAME=value lines
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

SYMBOL = re.compile(r"\$\{(?P<braces>[^}]*)\}|\$\((?P<parentheses>[^)]*)\)")
OPENING = re.compile(r"\$[{(]")


class SubstitutionError(ValueError):
    """A reference in project.yml cannot be filled in."""


def substitute(text: str, environment: Mapping[str, str], folder: Path) -> str:
    """The text with every reference filled in. Raises SubstitutionError naming what is missing."""
    missing: list[str] = []

    def fill(match: re.Match[str]) -> str:
        name = (match["braces"] if match["braces"] is not None else match["parentheses"]).strip()
        if match["parentheses"] is not None or re.search(r"\s", name):
            return _object_of(name.split(), environment, missing)
        if name.startswith("<"):
            value = _object_in(folder / name[1:])
        elif name.startswith("|"):
            value = environment.get(name[1:], "")
        else:
            value = environment.get(name, "").replace("\n", "\\n")
        if not value:
            missing.append(name)
        return value

    if OPENING.search(SYMBOL.sub("", text)):
        raise SubstitutionError("a ${ or $( is not closed")
    filled = SYMBOL.sub(fill, text)
    if missing:
        names = ", ".join(f"'{name}'" for name in dict.fromkeys(missing))
        raise SubstitutionError(
            f"these variables are not set, or are empty: {names}. "
            "Give each a value (comments in project.yml are substituted too)."
        )
    return filled


def _object_of(names: list[str], environment: Mapping[str, str], missing: list[str]) -> str:
    missing.extend(name for name in names if not environment.get(name))
    return json.dumps({name: environment.get(name, "") for name in names})


def _object_in(path: Path) -> str:
    if not path.is_file():
        return ""
    text = path.read_text()
    try:
        values = json.loads(text)
    except ValueError:
        lines = (line.strip() for line in text.splitlines())
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        values = {name.strip(): value.strip().strip("\"'") for name, value in pairs}
    return json.dumps(values) if values else ""

"""The functions of project.yml with the routes that their entry files declare."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tollgate.http.endpoint import Main
from tollgate.http.route import Route


@dataclass(frozen=True)
class Entry:
    """One function that is called over HTTP."""

    package: str
    name: str
    routes: tuple[Route, ...]


def read_entries(project: Path) -> Iterator[Entry]:
    """Every function of project.yml, in its order, but those that no web call reaches."""
    declared = yaml.safe_load((project / "project.yml").read_text())
    for package in declared["packages"]:
        for function in package["functions"]:
            if function["web"] is not False:
                folder = project / "packages" / package["name"] / function["name"]
                yield Entry(package["name"], function["name"], _main(folder).routes)


def _main(folder: Path) -> Main:
    file = folder / "__main__.py"
    spec = importlib.util.spec_from_file_location(f"{folder.parent.name}_{folder.name}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Main = module.main
    return main

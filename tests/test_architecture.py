"""The shape of the project: what lies where, and what may not lie there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parent.parent
TOLLGATE = PROJECT / "shared" / "tollgate"
PACKAGES = PROJECT / "packages"
SOURCES = [
    file
    for folder in (TOLLGATE, PACKAGES, PROJECT / "local", PROJECT / "tests")
    for file in sorted(folder.rglob("*.py"))
]
OURS = sorted(TOLLGATE.rglob("*.py"))
ENTRIES = sorted(PACKAGES.glob("*/*/__main__.py"))
MAX_LINES = 350
MAX_TIMERS = 3
MAX_TIMEOUT_MS = 25_000
MAX_TIMER_MS = 60_000

# Both commands of SQL that read or change rows, and those that define tables, as text begins.
SQL = re.compile(
    r"\s*(SELECT\b|INSERT INTO\b|UPDATE \w+\s+SET\b|DELETE FROM\b|WITH \w+ AS\b|MERGE INTO\b"
    r"|(CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|LOCK) [A-Z]+\b|(BEGIN|COMMIT|ROLLBACK)\s*$)"
)


def name_of(file: Path) -> str:
    return file.relative_to(PROJECT).as_posix()


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def declared() -> dict[str, dict[str, Any]]:
    """Each function of project.yml by its folder, such as payments/create."""
    document = yaml.safe_load((PROJECT / "project.yml").read_text())
    return {
        f"{package['name']}/{function['name']}": function
        for package in document["packages"]
        for function in package["functions"]
    }


def docstrings(tree: ast.Module) -> set[ast.expr]:
    """The text that stands as a statement: of modules, classes, functions and constants."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def texts(file: Path) -> Iterator[str]:
    """Every text of a file that is no docstring."""
    tree = tree_of(file)
    told = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
            yield node.value


def reads_environment(file: Path) -> bool:
    names = ("environ", "environb", "getenv", "getenvb")
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and any(alias.name in names for alias in node.names))
        for node in ast.walk(tree_of(file))
    )


def catches_everything(file: Path) -> bool:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.walk(node.type) if node.type else [ast.Name("BaseException")]
            kinds = {kind.id for kind in caught if isinstance(kind, ast.Name)}
            if kinds & {"Exception", "BaseException"}:
                return True
    return False


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_an_entry_file_is_a_declaration(entry: Path) -> None:
    assert 5 <= len(entry.read_text().splitlines()) <= 30
    docstring, *statements, declaration = tree_of(entry).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value, ast.Constant)
    for statement in statements:
        if isinstance(statement, ast.Assign):
            ast.literal_eval(statement.value)  # a ValueError when it is more than a constant
            continue
        assert isinstance(statement, ast.ImportFrom)
        assert re.match(
            r"tollgate\.(http|operations|schemas|jobs|domain)\b", statement.module or ""
        )
    assert isinstance(declaration, ast.Assign)
    assert [ast.unparse(target) for target in declaration.targets] == ["main"]
    main = declaration.value
    assert isinstance(main, ast.Call)
    assert ast.unparse(main.func) in ("endpoint", "job")
    routes = [argument for argument in main.args if isinstance(argument, ast.Call)]
    assert {ast.unparse(route.func) for route in routes} <= {"GET", "POST", "PUT", "DELETE"}
    calls = [node for node in ast.walk(main) if isinstance(node, ast.Call)]
    assert calls == [main, *routes]


def test_every_function_is_declared_and_every_declared_function_is_there() -> None:
    assert {entry.parent.relative_to(PACKAGES).as_posix() for entry in ENTRIES} == set(declared())


def test_nothing_else_lies_in_packages() -> None:
    """Whatever lies there is deployed, and what lies beside the function folders is public."""
    functions = {PACKAGES / name for name in declared()}
    packages = {function.parent for function in functions}
    files = {function / file for function in functions for file in ("__main__.py", ".include")}
    found = {
        path
        for path in PACKAGES.rglob("*")
        if "__pycache__" not in path.parts and "__deployer__.zip" not in path.parts
    }
    assert found == functions | packages | files


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_an_include_names_the_package_and_vendor_sets_that_exist(entry: Path) -> None:
    first, *built = (entry.parent / ".include").read_text().splitlines()
    assert first == "__main__.py"
    sets = {f"vendor-{lock.stem}" for lock in (PROJECT / "shared" / "requirements").glob("*.txt")}
    files = [line for line in built if not line.startswith("../../../lib/build/")]
    names = [line.removeprefix("../../../lib/build/") for line in built if line not in files]
    assert names[:2] == ["tollgate", "vendor-core"]
    assert set(names[1:]) <= sets
    assert len(names) == len(set(names))
    # the API's description is the one file that is deployed beside the package
    assert set(files) <= {"../../../lib/openapi.json"}
    assert all((entry.parent / file).is_file() for file in files)


@pytest.mark.parametrize("function", declared())
def test_a_function_keeps_the_platforms_rules(function: str) -> None:
    settings = declared()[function]
    is_timer = bool(settings.get("triggers"))
    # raw keeps the bytes that a signature is over; a timer must not be called from outside
    assert settings.get("web", True) == (False if is_timer else "raw")
    assert 0 < settings["limits"]["timeout"] <= (MAX_TIMER_MS if is_timer else MAX_TIMEOUT_MS)
    assert settings["runtime"] == "python:3.11"


def test_there_are_few_timers() -> None:
    triggers = [trigger for each in declared().values() for trigger in each.get("triggers", [])]
    assert len(triggers) <= MAX_TIMERS


def test_only_settings_reads_the_environment() -> None:
    readers = [name_of(file) for file in [*OURS, *ENTRIES] if reads_environment(file)]
    assert readers == ["shared/tollgate/settings.py"]


def test_sql_is_in_storage_only() -> None:
    elsewhere = [
        f"{name_of(file)}: {text.strip()[:60]}"
        for file in [*OURS, *ENTRIES]
        if file.parent.name != "storage"
        for text in texts(file)
        if SQL.match(text)
    ]
    assert not elsewhere


def test_storage_is_where_sql_is_recognised() -> None:
    found = {
        file.stem
        for file in (TOLLGATE / "storage").glob("*.py")
        if any(SQL.match(text) for text in texts(file))
    }
    assert found >= {"api_keys", "apps", "idempotency", "inbox", "payments", "plans"}
    assert found >= {"rate_buckets", "subscriptions"}


def test_everything_is_caught_in_one_place_only() -> None:
    allowed = {"shared/tollgate/http/endpoint.py", "shared/tollgate/jobs.py"}
    assert {name_of(file) for file in [*OURS, *ENTRIES] if catches_everything(file)} <= allowed


@pytest.mark.parametrize(
    "word", ["utils", "util", "helpers", "helper", "common", "base", "manager"]
)
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    named = [
        name_of(file)
        for file in SOURCES
        if word in re.split(r"[_.]", file.stem) or word in file.relative_to(PROJECT).parts
    ]
    assert not named


def test_a_file_has_one_subject() -> None:
    lengths = {name_of(file): len(file.read_text().splitlines()) for file in SOURCES}
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_LINES}

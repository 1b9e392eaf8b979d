"""project.yml is read as the deployer reads it."""

import re
from pathlib import Path
from typing import Any

import pytest

from local.host.project import Function, Web, load_project
from local.host.rules import ProjectError
from tests.local.host.sample import Sample

MAIN = "def main(event): return {}"
CRON = {"cron": "*/5 * * * *", "withBody": {"job": "renew"}}


def load(sample: Sample, name: str = "f") -> Function:
    return load_project(sample.root, sample.environment)[f"p/{name}"]


def refuse(sample: Sample, words: str) -> None:
    with pytest.raises(ProjectError, match=re.escape(words)):
        load_project(sample.root, sample.environment)


def test_variables_are_filled_in_before_yaml(sample: Sample) -> None:
    sample.environment = {"KEY": "k1", "PEM": "a\nb", "JOINED": "[x: 1]"}
    sample.function("f", MAIN)
    sample.write(
        "project.yml",
        """\
        # for ${KEY}
        environment: {KEY: "${KEY}", PEM: "${PEM}"}
        packages:
          - name: p
            functions:
              - name: f
                environment: {BOTH: '$(KEY JOINED)', RAW: '${|JOINED}'}
        """,
    )
    assert load(sample).environment == {
        "KEY": "k1",
        "PEM": "a\nb",
        "BOTH": '{"KEY": "k1", "JOINED": "[x: 1]"}',
        "RAW": "[x: 1]",
    }


@pytest.mark.parametrize("line", ["# ${GONE}", "environment: {A: '${GONE}'}", "# $(GONE KEY)"])
def test_missing_variable_is_named_even_in_a_comment(sample: Sample, line: str) -> None:
    sample.environment = {"KEY": "k1"}
    sample.write("project.yml", line + "\npackages: []\n")
    refuse(sample, "'GONE'")


def test_empty_variable_counts_as_missing(sample: Sample) -> None:
    sample.environment = {"EMPTY": ""}
    sample.write("project.yml", "environment: {A: '${EMPTY}'}\npackages: []\n")
    refuse(sample, "'EMPTY'")


def test_function_wins_over_package_wins_over_project(sample: Sample) -> None:
    sample.function("f", MAIN, environment={"C": "function"}, parameters={"x": 1})
    sample.top = {"environment": {"A": "project", "B": "project", "C": "project"}}
    sample.write_project(environment={"B": "package", "C": "package"}, parameters={"x": 0, "y": 2})
    function = load(sample)
    assert function.environment == {"A": "project", "B": "package", "C": "function"}
    assert function.parameters == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("entry", "package", "web"),
    [
        ({}, {}, Web.PARSED),
        ({}, {"web": False}, Web.NO),
        ({"web": "raw"}, {"web": False}, Web.RAW),
        ({"web": False}, {}, Web.NO),
    ],
)
def test_web_is_public_unless_said_otherwise(
    sample: Sample, entry: dict[str, Any], package: dict[str, Any], web: Web
) -> None:
    sample.function("f", MAIN)
    sample.functions = [{"name": "f", **entry}]
    sample.write_project(**package)
    assert load(sample).web is web


def test_timeout_defaults_to_three_seconds(sample: Sample) -> None:
    sample.function("f", MAIN)
    sample.functions = [{"name": "f"}]
    sample.write_project()
    assert load(sample).timeout_seconds == 3


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"colour": "red"}, "invalid key 'colour'"),
        ({"environment": {"A": 1}}, "'A' is a int"),
        ({"web": "yes"}, "web is true, false or 'raw'"),
        ({"webSecure": True}, "webSecure is false or a secret"),
        ({"limits": {"concurrency": 2}}, "invalid limit 'concurrency'"),
        ({"limits": {"timeout": "1s"}}, "'timeout' must be a number"),
        ({"limits": {"timeout": 900_001}}, "between 100 and 900000"),
        ({"limits": {"memory": 64}}, "between 128 and 1024"),
        ({"annotations": {"raw-http": True}}, "raw-http"),
        ({"runtime": "nodejs:20"}, "Python"),
        ({"triggers": [{"name": "t"}]}, "sourceType: scheduler"),
    ],
)
def test_what_is_not_allowed_is_named(sample: Sample, entry: dict[str, Any], words: str) -> None:
    sample.function("f", MAIN, **entry)
    refuse(sample, words)


def test_unknown_key_at_the_top_and_in_a_package(sample: Sample) -> None:
    sample.function("f", MAIN)
    sample.write_project(colour="red")
    refuse(sample, "invalid key 'colour'")
    sample.top = {"name": "x"}
    sample.write_project()
    refuse(sample, "invalid key 'name'")


def test_environment_of_the_project_must_be_strings_too(sample: Sample) -> None:
    sample.top = {"environment": {"A": 1}}
    sample.function("f", MAIN)
    refuse(sample, "'A' is a int")


def test_tabs_and_double_keys_are_refused(sample: Sample) -> None:
    sample.write("project.yml", "packages: []\n#\t\n")
    refuse(sample, "tabs")
    sample.write("project.yml", "packages: []\npackages: []\n")
    refuse(sample, "given twice")


@pytest.mark.parametrize("stray", ["helper.py", "README.md", "__init__.py", "__pycache__/x.pyc"])
def test_stray_in_a_package_is_refused(sample: Sample, stray: str) -> None:
    sample.function("f", MAIN)
    sample.write(f"packages/p/{stray}", "")
    refuse(sample, "public function")


def test_folder_that_project_yml_does_not_list_is_refused(sample: Sample) -> None:
    sample.function("f", MAIN)
    sample.write("packages/other/g/__main__.py", MAIN)
    refuse(sample, "packages/other/g")


def test_what_the_deployer_ignores_is_no_stray(sample: Sample) -> None:
    sample.function("f", MAIN)
    for name in (".DS_Store", "f.py~", ".f.swp"):
        sample.write(f"packages/p/{name}", "")
    sample.write("packages/README.md", "")
    assert load(sample).folder == sample.root / "packages/p/f"


def test_function_only_in_project_yml_is_refused(sample: Sample) -> None:
    sample.function("f", MAIN)
    sample.functions.append({"name": "gone"})
    sample.write_project()
    refuse(sample, "no folder packages/p/gone")


@pytest.mark.parametrize(
    "trigger",
    [
        {"sourceType": "scheduler", "sourceDetails": CRON},
        {"type": "SCHEDULED", "scheduledDetails": {"cron": CRON["cron"], "body": CRON["withBody"]}},
    ],
)
def test_both_spellings_of_a_trigger(sample: Sample, trigger: dict[str, Any]) -> None:
    sample.function("f", MAIN, triggers=[{"name": "t", **trigger}])
    (read,) = load(sample).triggers
    assert (read.name, read.cron, read.body) == ("t", "*/5 * * * *", {"job": "renew"})


@pytest.mark.parametrize("cron", ["* * * *", "0 * * * * *", "0 0 * JAN *", "61 * * * *", ""])
def test_cron_has_five_numeric_fields(sample: Sample, cron: str) -> None:
    trigger = {"name": "t", "sourceType": "scheduler", "sourceDetails": {"cron": cron}}
    sample.function("f", MAIN, triggers=[trigger])
    refuse(sample, "cron")


def test_three_triggers_at_most_each_with_its_own_name(sample: Sample) -> None:
    def trigger(name: str) -> dict[str, Any]:
        return {"name": name, "sourceType": "scheduler", "sourceDetails": CRON}

    sample.function("f", MAIN, triggers=[trigger("a"), trigger("a")])
    refuse(sample, "two triggers are named 'a'")
    sample.functions = [{"name": "f", "triggers": [trigger(name) for name in "abcd"]}]
    sample.write_project()
    refuse(sample, "4 triggers")


def test_missing_project_yml_says_where_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"project\.yml"):
        load_project(tmp_path, {})

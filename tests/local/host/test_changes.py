"""A saved change is served by the next request, without a restart."""

import asyncio

import pytest

from local.host import ProjectError
from tests.local.host.sample import Sample, in_loop, serving

GREET = "import greeting\ndef main(): return {'body': greeting.WORD}"
INCLUDE = "__main__.py\n../../../lib/build/greeting\n"


def says(word: str) -> str:
    return f"def main(): return {{'body': {word!r}}}"


@in_loop
async def test_changed_function_is_served_at_once(sample: Sample) -> None:
    sample.function("f", says("one"))
    async with serving(sample) as served:
        for word in ("one", "two", "three"):
            sample.write("packages/p/f/__main__.py", says(word))
            assert (await served.get("f")).text == word


@in_loop
async def test_changed_shared_code_is_served_at_once_without_vendoring(sample: Sample) -> None:
    sample.shared("one")
    sample.function("f", GREET)
    sample.write("packages/p/f/.include", INCLUDE)
    async with serving(sample) as served:
        assert (await served.get("f")).text == "one"
        vendored = sample.root / ".local/build/lib/build/vendor-core/thing.py"
        vendored.write_text("kept")
        sample.shared("two")
        assert (await served.get("f")).text == "two"
        assert vendored.read_text() == "kept"


@in_loop
async def test_change_of_a_function_does_not_build_lib(sample: Sample) -> None:
    sample.shared("one")
    sample.function("f", GREET)
    sample.write("packages/p/f/.include", INCLUDE)
    async with serving(sample) as served:
        runs = sample.root / ".local/build/lib/build/runs"
        before = runs.read_text()
        sample.write("packages/p/f/__main__.py", GREET + "\n")
        assert (await served.get("f")).text == "one"
        assert runs.read_text() == before


@in_loop
async def test_running_call_ends_in_its_own_code(sample: Sample) -> None:
    slow = "import time\ndef main(): time.sleep(0.5); import beside; return {'body': beside.WORD}"
    sample.function("f", slow)
    sample.write("packages/p/f/beside.py", "WORD = 'one'")
    async with serving(sample) as served:
        running = asyncio.create_task(served.get("f"))
        await asyncio.sleep(0.1)
        sample.write("packages/p/f/beside.py", "WORD = 'two'")
        sample.write("packages/p/f/__main__.py", says("new"))
        assert (await served.get("f")).text == "new"
        assert (await running).text == "one"
        assert (await served.get("f")).text == "new"


@in_loop
async def test_unchanged_function_keeps_its_process(sample: Sample) -> None:
    sample.function("f", "import os\ndef main(): return {'body': {'pid': os.getpid()}}")
    sample.function("g", says("one"))
    async with serving(sample) as served:
        before = (await served.get("f")).json()
        sample.write("packages/p/g/__main__.py", says("two"))
        assert (await served.get("g")).text == "two"
        assert (await served.get("f")).json() == before


@in_loop
async def test_broken_shared_code_is_logged_and_the_former_served(sample: Sample) -> None:
    sample.shared("one")
    sample.function("f", GREET)
    sample.function("g", says("one"))
    sample.write("packages/p/f/.include", INCLUDE)
    async with serving(sample) as served:
        sample.write("shared/greeting/__init__.py", "WORD = (")
        assert (await served.get("f")).text == "one"
        assert any("cannot be built" in line and "SyntaxError" in line for line in served.log)
        sample.write("packages/p/g/__main__.py", says("two"))
        assert (await served.get("f")).text == "one"
        sample.shared("mended")
        assert (await served.get("f")).text == "mended"
        assert (await served.get("g")).text == "two"


@in_loop
async def test_broken_function_fails_alone_until_it_is_mended(sample: Sample) -> None:
    sample.function("f", says("one"))
    sample.function("g", says("one"))
    async with serving(sample) as served:
        sample.write("packages/p/f/__main__.py", "def main(:")
        assert (await served.get("f")).status_code == 400
        assert (await served.get("g")).text == "one"
        sample.write("packages/p/f/__main__.py", says("mended"))
        assert (await served.get("f")).text == "mended"


@in_loop
async def test_project_yml_is_read_again(sample: Sample) -> None:
    show = "import os\ndef main(): return {'body': os.environ['A']}"
    sample.function("f", show, environment={"A": "one"})
    async with serving(sample) as served:
        assert (await served.get("f")).text == "one"
        sample.functions[0]["environment"] = {"A": "two"}
        sample.function("g", says("new"))
        assert (await served.get("f")).text == "two"
        assert (await served.get("g")).text == "new"
        (sample.root / "project.yml").write_text("packages: [")
        assert (await served.get("f")).text == "two"
        assert any("project.yml is not YAML" in line for line in served.log)


@in_loop
async def test_removed_function_is_gone(sample: Sample) -> None:
    sample.function("f", says("one"))
    sample.function("g", says("one"))
    async with serving(sample) as served:
        assert (await served.get("g")).text == "one"
        (sample.root / "packages/p/g/__main__.py").unlink()
        (sample.root / "packages/p/g").rmdir()
        sample.functions.pop()
        sample.write_project()
        assert (await served.get("g")).status_code == 404


@in_loop
async def test_change_is_built_without_a_request(sample: Sample) -> None:
    sample.function("f", says("one"))
    async with serving(sample) as served:
        sample.write("packages/p/f/__main__.py", says("two"))
        await served.logged("rebuilt p/f")
        sample.functions[0]["environment"] = {"A": "two"}
        served.log.clear()
        sample.write_project()
        await served.logged("rebuilt p/f")


@in_loop
async def test_project_that_cannot_be_served_does_not_start(sample: Sample) -> None:
    sample.function("f", says("one"), environment={"A": "${GONE}"})
    with pytest.raises(ProjectError, match="'GONE'"):
        async with serving(sample):
            pass

"""A bundle holds what the deployer would upload, and nothing else."""

import re
from pathlib import Path

import pytest

from local.host.bundle import Builder
from local.host.project import load_project
from local.host.rules import ProjectError
from tests.local.host.sample import Sample

MAIN = "def main(event): return {}"


@pytest.fixture
def builder(sample: Sample) -> Builder:
    sample.shared()
    sample.function("f", MAIN)
    return Builder(sample.root, sample.root / ".local", print)


def build(sample: Sample, builder: Builder) -> Path:
    return builder.build(load_project(sample.root, {})["p/f"])


def names(bundle: Path) -> set[str]:
    return {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}


def test_include_keeps_paths_inside_and_the_last_part_from_lib(
    sample: Sample, builder: Builder
) -> None:
    sample.write("packages/p/f/pages/pay.html", "<p>")
    sample.write("packages/p/f/notes.txt", "not included")
    sample.write(
        "packages/p/f/.include",
        "__main__.py\npages/pay.html\n../../../lib/build/greeting\n../../../lib/build/vendor-core\n",
    )
    builder.build_lib()
    bundle = build(sample, builder)
    compiled = {name for name in names(bundle) if name.endswith(".pyc")}
    assert names(bundle) - compiled == {"__main__.py", "pages/pay.html", "greeting/__init__.py"}
    assert len(compiled) == 1
    assert (bundle / "vendor-core/thing.py").read_text() == 'NAME = "vendored"\n'
    assert (bundle / "greeting").resolve().parent == bundle


def test_without_include_the_folder_is_taken_apart_from_what_is_filtered(
    sample: Sample, builder: Builder
) -> None:
    for name in ("data.txt", ".DS_Store", "data.txt~", ".env"):
        sample.write(f"packages/p/f/{name}", "")
    assert names(build(sample, builder)) == {"__main__.py", "data.txt", ".env"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("../other/secret.py", "'..' may only lead to"),
        ("../../../shared/greeting", "'..' may only lead to"),
        ("../../../lib/../shared/greeting", "'..' may only lead to"),
        ("../../../lib/", "neither a file nor a folder"),
        ("../../../lib", "'..' may only lead to"),
        ("/etc/passwd", "absolute"),
        ("gone.py", "neither a file nor a folder"),
        ("../../../lib/build/gone", "neither a file nor a folder"),
        ("../../../lib/build/greeting\n../../../lib/greeting", "two entries"),
    ],
)
def test_include_that_the_deployer_refuses(
    sample: Sample, builder: Builder, line: str, words: str
) -> None:
    sample.write("packages/p/f/.include", f"__main__.py\n{line}\n")
    builder.build_lib()
    with pytest.raises(ProjectError, match=re.escape(words)):
        build(sample, builder)


def test_bundle_without_main_is_refused(sample: Sample, builder: Builder) -> None:
    sample.write("packages/p/f/other.py", "")
    sample.write("packages/p/f/.include", "other.py\n")
    with pytest.raises(ProjectError, match="no __main__"):
        build(sample, builder)


@pytest.mark.parametrize("name", ["build.sh", "package.json", ".ignore"])
def test_build_of_its_own_is_refused(sample: Sample, builder: Builder, name: str) -> None:
    sample.write(f"packages/p/f/{name}", "")
    with pytest.raises(ProjectError, match=re.escape(name)):
        build(sample, builder)


def test_link_in_a_function_is_refused(sample: Sample, builder: Builder) -> None:
    (sample.root / "packages/p/f/link.py").symlink_to("__main__.py")
    with pytest.raises(ProjectError, match="dangle"):
        build(sample, builder)


def test_unchanged_function_keeps_its_bundle_and_a_change_makes_another(
    sample: Sample, builder: Builder
) -> None:
    first = build(sample, builder)
    assert build(sample, builder) == first
    sample.write("packages/p/f/__main__.py", MAIN + "  # changed")
    second = build(sample, builder)
    assert second != first
    assert first.is_dir()
    builder.prune({second})
    assert not first.exists()
    assert second.is_dir()


def test_build_script_runs_beside_the_copy_and_keeps_its_output(
    sample: Sample, builder: Builder
) -> None:
    builder.build_lib()
    vendored = sample.root / ".local/lib/build/vendor-core/thing.py"
    vendored.write_text("kept")
    sample.shared("changed")
    builder.build_lib()
    assert vendored.read_text() == "kept"
    assert "changed" in (sample.root / ".local/lib/build/greeting/__init__.py").read_text()
    assert not (sample.root / "shared/build").exists()


def test_failing_build_script_shows_its_last_words(sample: Sample, builder: Builder) -> None:
    sample.write("shared/build.sh", "#!/bin/bash\necho no wheel for it >&2\nexit 3\n")
    with pytest.raises(ProjectError, match=r"(?s)exit 3.*no wheel for it"):
        builder.build_lib()


def test_build_script_must_be_executable(sample: Sample, builder: Builder) -> None:
    (sample.root / "shared/build.sh").chmod(0o644)
    with pytest.raises(ProjectError, match="chmod"):
        builder.build_lib()


def test_next_build_does_not_reach_into_a_bundle(sample: Sample, builder: Builder) -> None:
    sample.write("packages/p/f/.include", "__main__.py\n../../../lib/build/vendor-core\n")
    builder.build_lib()
    bundle = build(sample, builder)
    built = sample.root / ".local/lib/build/vendor-core"
    (built / "thing.py").unlink()
    built.rmdir()
    assert (bundle / "vendor-core/thing.py").is_file()

"""The clean copy: what a fresh checkout would hold, plus what is not committed yet."""

import subprocess
from pathlib import Path

from local.deploy_check.checkout import copy_project


def test_copy_has_links_and_new_files_but_nothing_ignored_or_deleted(tmp_path: Path) -> None:
    project, copy = tmp_path / "project", tmp_path / "copy"
    (project / "shared").mkdir(parents=True)
    for name, text in {
        ".gitignore": ".env\n",
        ".env": "SECRET=1\n",
        "shared/tracked.py": "",
        "shared/deleted.py": "",
        "shared/new.py": "",
    }.items():
        (project / name).write_text(text)
    (project / "lib").symlink_to("shared")
    for command in (["init", "--quiet"], ["add", "shared/tracked.py", "shared/deleted.py"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    (project / "shared/deleted.py").unlink()

    copy_project(project, copy)

    copied = sorted(str(path.relative_to(copy)) for path in copy.rglob("*"))
    assert copied == [".gitignore", "lib", "shared", "shared/new.py", "shared/tracked.py"]
    assert (copy / "lib").is_symlink()

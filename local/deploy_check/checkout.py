"""A clean copy of the project: what a fresh checkout would hold, plus what is not committed yet."""

import shutil
import subprocess
from pathlib import Path


def copy_project(project: Path, target: Path) -> None:
    """Copies tracked and untracked-but-not-ignored files; symbolic links stay links.

    So neither a local `.env` nor an old build gets in, and what the deployer writes (zips,
    `.deployed/`) stays out of the tree. Raises CalledProcessError outside a git work tree.
    """
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listing.split("\0")):
        source = project / name
        if not source.is_symlink() and not source.is_file():
            continue  # deleted in the work tree, not yet in the index
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, destination, follow_symlinks=False)

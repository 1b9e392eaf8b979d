"""`make lock`: resolves pyproject.toml into the lock files, with hashes, for 3.11.2 to 3.13.

local/requirements.txt is the development environment; shared/requirements/<set>.txt are the
vendor sets of shared/build.sh, at the same versions.
"""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent
DEVELOPMENT = "local/requirements.txt"

# What stripe requires besides, and finds in the other sets or does without: it uses `requests`
# only when no other HTTP client is given to it, and ours gives it httpx.
SHIPPED_WITHOUT = {
    "stripe": (
        "requests",
        "urllib3",
        "charset-normalizer",
        "typing-extensions",
        "certifi",
        "idna",
    ),
}


def main() -> int:
    """Writes every lock file anew; the exit code of the first resolution that fails."""
    arguments = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    code = _compile("dev", DEVELOPMENT, arguments)
    for name in ("core", "http", "stripe"):
        left_out = [f"--no-emit-package={package}" for package in SHIPPED_WITHOUT.get(name, ())]
        code = code or _compile(
            name, f"shared/requirements/{name}.txt", ["-c", DEVELOPMENT, *left_out]
        )
    return code


def _compile(group: str, output: str, arguments: list[str]) -> int:
    print(f"locking {output}")
    command = [str(Path(sys.executable).parent / "uv"), "pip", "compile", "--quiet"]
    command += ["--universal", "--python-version", "3.11.2", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-header", "--group", group, "pyproject.toml"]
    return subprocess.run([*command, "-o", output, *arguments], cwd=PROJECT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""`make lock`: resolves pyproject.toml into the lock files, with hashes, for 3.11.2 to 3.13.

local/requirements.txt is the development environment; shared/requirements/<set>.txt are the
vendor sets of shared/build.sh, at the same versions.
"""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent
DEVELOPMENT = "local/requirements.txt"

SETS = ("core", "http", "stripe", "crypto", "jwt")

# What a set requires besides, and finds in the other sets or does without. Stripe uses `requests`
# only when no other HTTP client is given to it, and ours gives it httpx. Cryptography imports
# cffi's backend alone; pycparser reads the C declarations that other users of cffi hand to it.
SHIPPED_WITHOUT = {
    "stripe": (
        "requests",
        "urllib3",
        "charset-normalizer",
        "typing-extensions",
        "certifi",
        "idna",
    ),
    "crypto": ("pycparser",),
}


def main() -> int:
    """Writes every lock file anew; the exit code of the first resolution that fails."""
    arguments = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    # pyproject.toml itself names what the project depends on; a set is its group alone
    code = _compile("dev", DEVELOPMENT, ["pyproject.toml", *arguments])
    for name in SETS:
        left_out = [f"--no-emit-package={package}" for package in SHIPPED_WITHOUT.get(name, ())]
        code = code or _compile(
            name, f"shared/requirements/{name}.txt", ["-c", DEVELOPMENT, *left_out]
        )
    return code


def _compile(group: str, output: str, arguments: list[str]) -> int:
    print(f"locking {output}")
    command = [str(Path(sys.executable).parent / "uv"), "pip", "compile", "--quiet"]
    command += ["--universal", "--python-version", "3.11.2", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-header", "--group", group]
    return subprocess.run([*command, "-o", output, *arguments], cwd=PROJECT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

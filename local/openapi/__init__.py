"""`make openapi`: the OpenAPI 3.1 document, from project.yml, the entry files and the models."""

import json
from pathlib import Path

from local.openapi.document import document

PROJECT = Path(__file__).parent.parent.parent
FILE = PROJECT / "shared" / "openapi.json"
"""docs/openapi.json is a link to it; ops/openapi takes it along into its bundle."""


def generate() -> str:
    """The document as text: the same for the same sources."""
    return json.dumps(document(PROJECT), indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Puts the document where it is served from."""
    FILE.write_text(generate())


__all__ = ["FILE", "generate", "write"]

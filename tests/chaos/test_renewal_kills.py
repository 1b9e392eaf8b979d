"""A timer that dies anywhere charges nobody twice and forgets nobody."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.chaos.renewals import PASSED_TOO, RENEWAL_POINTS, TIMES
from tests.conftest import Cluster, new_stores


@pytest.mark.parametrize("has_keys", [True, False], ids=["with keys", "without keys"])
def test_every_kill_is_survived(cluster: Cluster, has_keys: bool) -> None:
    with new_stores(cluster) as stores:
        plan = json.dumps({"stores": asdict(stores), "has_keys": has_keys})
        done = subprocess.run(
            [sys.executable, "-m", "tests.chaos.renewals", plan],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4_000:]
    assert json.loads(done.stdout)["killed"] == TIMES * len((*RENEWAL_POINTS, *PASSED_TOO))

"""Tollgate: takes payments through PSPs and says whether a client has paid.

The layers, top to bottom; each imports only those below it:

    packages/*              entry files: their routes, and no logic
    http | jobs | commands  how a call comes in | how an operator's does
    operations              what we do: the only layer that orders I/O
    psp | storage           who moves the money | where we remember it
    schemas | crypto        what the API says | how we seal
    settings | logs         the environment, the log
    domain                  the rules, pure
"""

import os
import sys

# In a function's bundle the vendor sets lie beside this package. They go before the platform's
# preinstalled packages, some of which are older. In a checkout there are none.
_BUNDLE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib costs the check's cold start 13 modules
sys.path[:0] = [
    os.path.join(_BUNDLE, name)  # noqa: PTH118
    for name in sorted(os.listdir(_BUNDLE))  # noqa: PTH208
    if name.startswith("vendor-")
]

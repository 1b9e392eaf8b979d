"""`python -m tollgate`: the operator's command. `--help` and commands/ tell what it does."""

import sys

from tollgate.commands import main

if __name__ == "__main__":
    sys.exit(main())

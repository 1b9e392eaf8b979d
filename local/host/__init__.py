"""The function host: stands in for the platform's gateway and Python runtime on a laptop.

project.yml -> rules, substitution, project     what the functions are
            -> bundle                           what each would be uploaded as
a request   -> gateway (rest, events) -> pool -> container -> runtime.py in its own process
            <- gateway (responses, problems)
a timer     -> timers -> pool …
a save      -> sources -> bundle -> pool: new processes, the former end with their calls
"""

from local.host.host import FunctionHost
from local.host.rules import ProjectError

__all__ = ["FunctionHost", "ProjectError"]

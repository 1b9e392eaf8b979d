"""The deploy check: the platform's real deployer builds every function, each zip is run alone.

__main__     the command line and the table
check        the order of things
checkout     a clean copy of the project
interpreter  the platform's Python on this machine
deployer     installs and runs the deployer (deploy.js)
api_host     what the deployer talks to, in place of the platform
manifest     what project.yml declares
agreement    what arrived against what is declared
bundle       what a zip holds
isolation    a zip unpacked and imported alone (compiled.py, vendored.py, probe.py)
problem      what is wrong and what to do about it
"""

"""Says whether the Python that runs this suits the book: silent if so; else why not, and exit status 1.

It must run on any Python, however old, so it uses nothing new.
"""

import sys

version = sys.version_info[:2]
if not (3, 10) <= version <= (3, 13):
    sys.exit("it is Python " + str(version[0]) + "." + str(version[1]))
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit("it cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv")

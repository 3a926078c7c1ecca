"""`python -m tests.faults`, in a module of its own: the processes of the pool import the other."""

import sys

from tests.faults.everywhere import main

if __name__ == "__main__":
    sys.exit(main())

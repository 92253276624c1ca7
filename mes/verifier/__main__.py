"""python3 -m mes.verifier, or the file cartulary-verify.pyz."""

import sys

from .run import main

sys.exit(main())

"""The scripted server stands in the folder of all tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

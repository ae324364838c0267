"""The book's tools, for their tests. book/_tools is no package: its tools are run, not imported."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "book" / "_tools"


def load_tool(name: str, tools: Path = TOOLS) -> ModuleType:
    """``book/_tools/NAME.py`` as a module; what it imports from beside it is found, as when it is run."""
    spec = importlib.util.spec_from_file_location(name, tools / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass asks for its module
    sys.path.insert(0, str(TOOLS))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(TOOLS))
    return module


def make_gives(*words: str) -> list[str] | str:
    """What ``make`` gives to the tool that it runs, after the tool's name; or what it says when it refuses to."""
    if not shutil.which("make"):
        pytest.skip("no make")
    tell = f'{sys.executable} -c "import json, sys; print(json.dumps(sys.argv[2:]))"'
    command = ["make", "--no-print-directory", "--old-file=env", f"PY={tell}", *words]
    ran = subprocess.run(command, cwd=TOOLS.parents[1], capture_output=True, text=True)
    return ran.stderr if ran.returncode else json.loads(ran.stdout)

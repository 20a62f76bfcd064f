import subprocess
import sys

SCRIPT = """
import sys
import resource_server
loaded = {name.partition(".")[0] for name in sys.modules}
print(*sorted(loaded & {"cryptography", "httpx2", "joserfc", "redis", "uvicorn"}))
"""


def test_an_import_loads_no_cryptography_and_no_client() -> None:
    """DESIGN §8: at most 50 ms and 12 MB on top of fastapi; what only some need is loaded by those who need it."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

"""Results of finished cases of a job that may be killed before its last one.

One JSON file a case in a folder named by all that the results rest on; another request has another
folder. ``done`` removes it, once the job's output is written.
"""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thinslice.fs.atomic import write_text


def anything(case: str, result: Any) -> bool:
    """A result counts by itself."""
    return True


@dataclass(frozen=True)
class Kept:
    """Results of cases below ``folder``.

    counts   whether a result, by case, still counts: what it wrote elsewhere may be gone
    """

    folder: Path
    counts: Callable[[str, Any], bool] = anything

    def read(self, cases: Iterable[str]) -> dict[str, Any]:
        """Results that are there and count, by case."""
        results = {}
        for case in cases:
            try:
                result = json.loads(self._file(case).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if self.counts(case, result):
                results[case] = result
        return results

    def write(self, case: str, result: Any) -> Any:
        """Keep a result; give it back as it will be read, floats to the last bit."""
        text = json.dumps(result)
        write_text(self._file(case), text)
        return json.loads(text)

    def done(self) -> None:
        """Remove them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, case: str) -> Path:
        return self.folder / f"{case}.json"

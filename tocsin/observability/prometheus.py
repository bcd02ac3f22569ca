"""What a Prometheus beside `tocsin up` needs: a configuration that finds all processes, rules."""

from pathlib import Path
from typing import Final

from tocsin.observability import targets

HERE: Final = Path(__file__).parent
RULES: Final = HERE / "alerts.yml"
DASHBOARD: Final = HERE / "grafana.json"
JOB: Final = "tocsin"
"""What the rules and the dashboard select by."""

_CONFIG: Final = """\
# Made by `tocsin up`, anew at every start: prometheus --config.file={path}
global:
  scrape_interval: 15s
  evaluation_interval: 15s
rule_files:
  - alerts.yml
scrape_configs:
  - job_name: {job}
    file_sd_configs:
      - files: [{pattern}]
        refresh_interval: 30s
"""


def write(data_dir: Path) -> Path:
    """The configuration in the data directory, its rules beside it. Paths in it are seen from
    there, so that the directory may be mounted elsewhere."""
    path = data_dir / "prometheus.yml"
    (data_dir / RULES.name).write_text(RULES.read_text())
    path.write_text(_CONFIG.format(path=path, job=JOB, pattern=targets.PATTERN))
    return path

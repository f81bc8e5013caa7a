"""Server time of the pages on the demo company: the first paint of Overview in a process that has imported everything, and
a change of a filter. The script of the app is run as Streamlit runs it, without a browser."""

import os
import time

from _claims import ROOT, Claims, arguments, farthing, workspace

options = arguments(0)
claims = Claims()
with workspace(options.directory) as directory:
    home = directory / "home-demo"
    if not (home / "finops.duckdb").exists():
        farthing(home, "demo")
    os.environ["FARTHING_HOME"] = str(home)

    from streamlit.testing.v1 import AppTest

    import ui.kit  # noqa: F401  the app's imports; `farthing serve` does them before the first reader comes
    from finops_core.analysis.warming import warm
    from finops_core.store.home import Home

    def run(app: AppTest) -> float:
        began = time.perf_counter()
        app.run(timeout=60)
        taken = time.perf_counter() - began
        if app.exception:
            raise SystemExit(f"the page fails: {app.exception[0].message}")
        return taken

    warm(Home(home))  # as `farthing serve` does with every new version of the store
    overview = AppTest.from_file(str(ROOT / "app.py"))
    claims.at_most("first paint of Overview", run(overview), 1.5, " s")
    changes = []
    for name, value in (
        ("by", "RegionId"),
        ("by", "x_Team"),
        ("metric", "BilledCost"),
        ("where", "ServiceName=Amazon Elastic Compute Cloud"),
        ("period", "3-months"),
        ("versus", "year"),
        ("grain", "week"),
        ("where", ""),
        ("currency", "EUR"),
    ):
        if value:
            overview.query_params[name] = value
        else:
            del overview.query_params[name]
        changes.append(run(overview))
        print(f"{name}={value}: {changes[-1] * 1000:.0f} ms")
    claims.at_most("median change of a filter", sorted(changes)[len(changes) // 2], 0.25, " s")
    claims.at_most("slowest change of a filter", max(changes), 0.3, " s")
claims.finish()

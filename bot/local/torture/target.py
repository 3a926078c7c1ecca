"""The workflow that a person names on the command line: `refund`, or `path.to:graph`."""

from collections.abc import Callable

from workflows.catalog import Catalog, Workflow
from workflows.loading import FORM, BadTarget
from workflows.loading import load as load_graph


def load(target: str, known: Catalog) -> Callable[[], Workflow]:
    """A maker of the workflow, anew each time where the target is a function. BadTarget."""
    if ":" in target:
        return load_graph(target, "graph")
    if target not in known:
        names = ", ".join(sorted(known))
        raise BadTarget(f"There is no workflow {target!r} (there is: {names}). {FORM}: a.b:c.")
    return lambda: known[target]

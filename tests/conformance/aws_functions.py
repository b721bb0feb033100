"""For a served product: every function of the scenarios once more, decorated by AWS's own SDK, as `aws-<name>`."""

from tests.conformance import branch_functions, functions
from tests.conformance.converted import as_aws, register_as_aws
from tests.conformance.scenarios import SCENARIOS

_MODULES = {module.__name__: as_aws(module) for module in (functions, branch_functions)}

for _scenario in SCENARIOS:
    _handler = _scenario.handler
    register_as_aws(getattr(_MODULES[_handler.__module__], _handler.__name__))

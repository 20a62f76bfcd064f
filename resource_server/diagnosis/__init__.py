"""What is wrong with an issuer as it is configured, seen from this machine; ``resource-server doctor`` prints it."""

from resource_server.diagnosis.diagnose import diagnose
from resource_server.diagnosis.findings import Diagnosis, Outcome
from resource_server.diagnosis.spelling import Spelling

__all__ = ["Diagnosis", "Outcome", "Spelling", "diagnose"]

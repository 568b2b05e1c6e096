from django.apps import AppConfig

from customers.presentation import decisions
from dedup.engine.priority import CRITERIA
from dedup.engine.reasons import Reason


class DedupConfig(AppConfig):
    name = "dedup"
    verbose_name = "Deduplication"

    def ready(self) -> None:
        for criterion in CRITERIA:
            decisions.register_criterion(
                criterion.name, because=criterion.because, keeps_because=criterion.keeps_because
            )
        for reason in Reason:
            decisions.register_reason(reason.value, reason.because)

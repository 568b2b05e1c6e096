from django.apps import AppConfig

from customers import words
from dedup.engine.priority import CRITERIA
from dedup.engine.reasons import Reason


class DedupConfig(AppConfig):
    name = "dedup"
    verbose_name = "Deduplication"

    def ready(self) -> None:
        for criterion in CRITERIA:
            words.register_criterion(
                criterion.name, because=criterion.because, keeps_because=criterion.keeps_because
            )
        for reason in Reason:
            words.register_reason(reason.value, reason.because)

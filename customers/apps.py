from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "Customers"

    def ready(self) -> None:
        # What each app adds to an erasure and an export, as the admin finds what each app adds to it.
        autodiscover_modules("erasure")

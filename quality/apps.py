"""What Django is told about quality."""

from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "quality"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from quality import watch
        from quality.alerts import heartbeats
        from quality.alerts import wiring as alerts
        from quality.analytics import wiring as analytics
        from quality.deviations import wiring as deviations
        from quality.release import wiring as release
        from quality.review import wiring as review
        from quality.samples import wiring as samples
        from quality.specifications import wiring as specifications

        # A lot is specified before its samples are born: receivers of one event run in the order they were registered.
        specifications.register()
        samples.register()
        deviations.register()
        alerts.register()
        heartbeats.expect(tuple(watch.SWEEPS))
        review.register()
        release.register()
        analytics.register()

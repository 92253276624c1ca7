"""Addresses on equipment."""

from django.urls import path

from batches.equipment import api, views

app_name = "equipment"

urlpatterns = [
    path("equipment/", views.EquipmentPage.as_view(), name="list"),
    path("equipment/new/", views.RegisterPage.as_view(), name="register"),
    path("equipment/classes/new/", views.ClassPage.as_view(), name="define_class"),
    path("equipment/<uuid:equipment_id>/", views.OneEquipmentPage.as_view(), name="detail"),
    path("equipment/<uuid:equipment_id>/<slug:act>/", views.ChangePage.as_view(), name="change"),
]

api_urls = [
    path("equipment-classes/", api.ClassesView.as_view(), name="equipment_classes"),
    path("equipment/", api.EquipmentListView.as_view(), name="equipment"),
    path("equipment/<uuid:equipment_id>/", api.EquipmentView.as_view(), name="one_equipment"),
    path("equipment/<uuid:equipment_id>/calibration/", api.CalibrateView.as_view(), name="calibrate_equipment"),
    path("equipment/<uuid:equipment_id>/state/", api.StateView.as_view(), name="equipment_state"),
]

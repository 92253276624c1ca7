"""Addresses on materials."""

from django.urls import path

from batches.materials import api, views

app_name = "materials"

urlpatterns = [
    path("materials/", views.MaterialsPage.as_view(), name="list"),
    path("materials/new/", views.DefinePage.as_view(), name="define"),
    path("materials/receive/", views.ReceivePage.as_view(), name="receive"),
    path("materials/lots/<uuid:lot_id>/", views.MaterialLotPage.as_view(), name="lot"),
    path("materials/lots/<uuid:lot_id>/release/", views.ReleasePage.as_view(), name="release"),
    path("materials/lots/<uuid:lot_id>/stop/<slug:act>/", views.StopPage.as_view(), name="stop"),
]

api_urls = [
    path("materials/", api.MaterialsView.as_view(), name="materials"),
    path("material-lots/", api.MaterialLotsView.as_view(), name="material_lots"),
    path("material-lots/<uuid:lot_id>/", api.MaterialLotView.as_view(), name="material_lot"),
    path("material-lots/<uuid:lot_id>/block/", api.BlockView.as_view(), name="block_material_lot"),
    path("material-lots/<uuid:lot_id>/reject/", api.RejectView.as_view(), name="reject_material_lot"),
    path("material-lots/<uuid:lot_id>/release/sign/", api.ReleaseSign.as_view(), name="release_material_lot_sign"),
]

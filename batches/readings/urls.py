"""Addresses on readings."""

from django.urls import path

from batches.readings import api, views

app_name = "readings"

urlpatterns = [
    path("equipment/<uuid:equipment_id>/readings/", views.ReadingsPanel.as_view(), name="panel"),
    path("equipment/<uuid:equipment_id>/channels/new/", views.ChannelPage.as_view(), name="define_channel"),
]

api_urls = [path("readings/", api.ReadingsView.as_view(), name="readings")]

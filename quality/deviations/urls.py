"""Addresses of deviations."""

from django.urls import path

from quality.deviations import views

app_name = "deviations"

urlpatterns = [
    path("deviations/", views.ListPage.as_view(), name="list"),
    path("deviations/panel/", views.OpenPanel.as_view(), name="panel"),
    path("deviations/new/", views.OpenPage.as_view(), name="open"),
    path("deviations/of-excursion/<uuid:excursion_id>/", views.ExcursionPanel.as_view(), name="excursion_panel"),
    path("deviations/<str:number>/", views.DetailPage.as_view(), name="detail"),
    path("deviations/<str:number>/classify/", views.ClassifyPage.as_view(), name="classify"),
    path("deviations/<str:number>/investigate/", views.InvestigatePage.as_view(), name="investigate"),
    path("deviations/<str:number>/assess/", views.AssessPage.as_view(), name="assess"),
    path("deviations/<str:number>/close/", views.ClosePage.as_view(), name="close"),
    path("lots/<str:number>/deviations/panel/", views.LotPanel.as_view(), name="lot_panel"),
]

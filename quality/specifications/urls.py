"""Addresses of specifications."""

from django.urls import path

from quality.specifications import views

app_name = "specifications"

urlpatterns = [
    path("specifications/", views.ListPage.as_view(), name="list"),
    path("specifications/import/", views.ImportPage.as_view(), name="import"),
    path("specifications/<str:code>/v/<str:label>/", views.VersionPage.as_view(), name="version"),
    path("specifications/<str:code>/v/<str:label>/text/", views.TextPage.as_view(), name="text"),
    path("specifications/<str:code>/v/<str:label>/submit/", views.SubmitPage.as_view(), name="submit"),
    path("specifications/<str:code>/v/<str:label>/return/", views.ReturnPage.as_view(), name="return"),
    path("specifications/<str:code>/v/<str:label>/approve/", views.ApprovePage.as_view(), name="approve"),
    path("specifications/<str:code>/v/<str:label>/make-effective/", views.MakeEffectivePage.as_view(), name="make_effective"),
]

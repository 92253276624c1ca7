"""Addresses of master recipes: batches:recipes:…"""

from django.urls import path

from batches.recipes import api, views

app_name = "recipes"

VERSION = "masters/<str:code>/<str:label>/"
API = "recipes/<str:code>/<str:label>/"

urlpatterns = [
    path("masters/", views.MastersPage.as_view(), name="list"),
    path("masters/import/", views.ImportPage.as_view(), name="import"),
    path(VERSION, views.VersionPage.as_view(), name="version"),
    path(f"{VERSION}text/", views.TextPage.as_view(), name="text"),
    path(f"{VERSION}against/<str:old>/", views.AgainstPage.as_view(), name="against"),
    path(f"{VERSION}submit/", views.SubmitPage.as_view(), name="submit"),
    path(f"{VERSION}return/", views.ReturnPage.as_view(), name="return"),
    path(f"{VERSION}approve/", views.ApprovePage.as_view(), name="approve"),
    path(f"{VERSION}effective/", views.EffectivePage.as_view(), name="effective"),
]

api_urls = [
    path("recipes/", api.RecipesView.as_view(), name="recipes"),
    path(API, api.RecipeView.as_view(), name="recipe"),
    path(f"{API}submit/", api.SubmitView.as_view(), name="submit_recipe"),
    path(f"{API}return/", api.ReturnView.as_view(), name="return_recipe"),
    path(f"{API}effective/", api.EffectiveView.as_view(), name="make_recipe_effective"),
    path(f"{API}approve/sign/", api.ApproveSign.as_view(), name="approve_recipe"),
]

"""Addresses of the analytics."""

from django.urls import path

from quality.analytics import views

app_name = "analytics"

urlpatterns = [
    path("product-review/", views.ProductReviewPage.as_view(), name="product_review"),
]

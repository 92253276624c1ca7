"""Addresses of the laboratory."""

from django.urls import path

from quality.samples.views import bench, results, signing

app_name = "samples"

urlpatterns = [
    path("qc/", bench.WorkListPage.as_view(), name="work_list"),
    path("qc/panel/", bench.WorkPanel.as_view(), name="panel"),
    path("qc/results/<uuid:result_id>/review/", signing.ReviewResultPage.as_view(), name="review_result"),
    path("qc/results/<uuid:result_id>/correct/", signing.CorrectionPage.as_view(), name="correct"),
    path("qc/results/<uuid:result_id>/correct/sign/", signing.SignCorrectionPage.as_view(), name="sign_correction"),
    path("qc/results/<uuid:result_id>/judge-anew/", results.JudgeAnewPage.as_view(), name="judge_anew"),
    path("qc/<str:identifier>/", bench.SamplePage.as_view(), name="sample"),
    path("qc/<str:identifier>/draw/", bench.DrawPage.as_view(), name="draw"),
    path("qc/<str:identifier>/receive/", bench.ReceivePage.as_view(), name="receive"),
    path("qc/<str:identifier>/lose/", bench.LosePage.as_view(), name="lose"),
    path("qc/<str:identifier>/review/", signing.ReviewSamplePage.as_view(), name="review_sample"),
    path("lots/<str:number>/qc/", results.ResultsPage.as_view(), name="results"),
    path("lots/<str:number>/qc/panel/", bench.LotPanel.as_view(), name="lot_panel"),
    path("lots/<str:number>/qc/<str:criterion>/", results.RecordPage.as_view(), name="record"),
    path("lots/<str:number>/qc/<str:criterion>/not-tested/", results.NotTestedPage.as_view(), name="not_tested"),
]

"""Addresses of the floor: batches:execution:…"""

from django.urls import path

from batches.execution import api, views

app_name = "execution"

STEP = "lots/<str:number>/steps/<str:key>/"

urlpatterns = [
    path("floor/", views.BoardPage.as_view(), name="board"),
    path("station/", views.StationPage.as_view(), name="station"),
    path("station/waiting/", views.WaitingPanel.as_view(), name="waiting"),
    path(STEP, views.StepPage.as_view(), name="step"),
    path(f"{STEP}scan/", views.ScanPage.as_view(), name="scan"),
    path(f"{STEP}typed/", views.TypedPage.as_view(), name="typed"),
    path(f"{STEP}late/", views.LatePage.as_view(), name="late"),
    path(f"{STEP}values/<str:parameter>/", views.ValuePage.as_view(), name="value"),
    path(f"{STEP}readings/<uuid:reading_id>/<str:parameter>/", views.ConfirmReadingPage.as_view(), name="confirm"),
    path(f"{STEP}excursions/<uuid:excursion_id>/", views.ChoosePage.as_view(), name="choose"),
    path(f"{STEP}corrections/", views.CorrectionsPage.as_view(), name="corrections"),
    path(f"{STEP}corrections/<uuid:entry_id>/", views.CorrectPage.as_view(), name="correct"),
    path(f"{STEP}corrections/materials/<uuid:consumption_id>/", views.CorrectQuantityPage.as_view(), name="correct_quantity"),
    path(f"{STEP}files/<str:code>/", views.AttachPage.as_view(), name="attach"),
    path(f"{STEP}file/<uuid:file_id>/", views.FilePage.as_view(), name="file"),
    path(f"{STEP}stop/", views.StopPage.as_view(), name="stop"),
    path(f"{STEP}resume/", views.ResumePage.as_view(), name="resume"),
    path(f"{STEP}leave-out/", views.LeaveOutPage.as_view(), name="leave_out"),
    path(f"{STEP}sign/", views.PerformPage.as_view(), name="sign"),
    path(f"{STEP}second/", views.SecondPage.as_view(), name="second"),
    path(f"{STEP}decide/<str:option>/", views.DecidePage.as_view(), name="decide"),
]

api_urls = [
    path("lots/<str:number>/steps/", api.StepsView.as_view(), name="steps"),
    path(STEP, api.StepView.as_view(), name="step"),
    path(f"{STEP}open/", api.OpenView.as_view(), name="open_step"),
    path(f"{STEP}values/", api.ValuesView.as_view(), name="values"),
    path(f"{STEP}materials/", api.MaterialView.as_view(), name="consume"),
    path(f"{STEP}equipment/", api.EquipmentView.as_view(), name="use_equipment"),
    path(f"{STEP}files/<str:code>/", api.FileView.as_view(), name="attach"),
    path(f"{STEP}readings/<uuid:reading_id>/", api.ConfirmView.as_view(), name="confirm_reading"),
    path(f"{STEP}excursions/<uuid:excursion_id>/", api.ChooseView.as_view(), name="choose"),
    path(f"{STEP}stop/", api.StopView.as_view(), name="stop_step"),
    path(f"{STEP}sign/", api.PerformSign.as_view(), name="perform_sign"),
    path(f"{STEP}second/sign/", api.SecondSign.as_view(), name="second_sign"),
    path(f"{STEP}decide/<str:option>/sign/", api.DecideSign.as_view(), name="decide_sign"),
    path(f"{STEP}corrections/<uuid:entry_id>/sign/", api.CorrectSign.as_view(), name="correct_sign"),
    path(f"{STEP}corrections/materials/<uuid:consumption_id>/sign/", api.CorrectQuantitySign.as_view(), name="correct_quantity_sign"),
    path(f"{STEP}typed/sign/", api.TypedSign.as_view(), name="typed_sign"),
    path(f"{STEP}resume/sign/", api.ResumeSign.as_view(), name="resume_step_sign"),
    path(f"{STEP}leave-out/sign/", api.LeaveOutSign.as_view(), name="leave_out_sign"),
]

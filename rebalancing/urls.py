"""Addresses of rebalancing's pages, mounted under /rebalancing/."""

from django.urls import path

from rebalancing.views import cards, decisions, looks, proposals, reconciliation, runs, stories

app_name = "rebalancing"
urlpatterns = [
    path("", runs.status, name="status"),
    path("start/", runs.start_run, name="start"),
    path("look/", looks.look_now, name="look"),
    path("reconciliation/", reconciliation.reconciliation, name="reconciliation"),
    path("reconciliation/part/", reconciliation.reconciliation_part, name="reconciliation-part"),
    path("reconciliation/now/", reconciliation.reconcile_now, name="reconcile-now"),
    path("cards/standing/", cards.standing_card, name="card-standing"),
    path("cards/attention/", cards.attention_card, name="card-attention"),
    path("cards/alive/", cards.alive_card, name="card-alive"),
    path("runs/<int:run_id>/", runs.run_detail, name="run"),
    path("runs/<int:run_id>/progress/", runs.run_progress, name="run-progress"),
    path("runs/<int:run_id>/action/", runs.run_action, name="run-action"),
    path("runs/<int:run_id>/result/", runs.run_result, name="run-result"),
    path("runs/<int:run_id>/why/", stories.run_story, name="run-story"),
    path("runs/<int:run_id>/why/<int:leg_id>/", stories.leg_story, name="leg-story"),
    path("runs/<int:run_id>/advice/", runs.run_advice, name="run-advice"),
    path("runs/<int:run_id>/approve/", decisions.approve_run, name="approve"),
    path("runs/<int:run_id>/reject/", decisions.reject_run, name="reject"),
    path("runs/<int:run_id>/cancel/", runs.cancel_run, name="cancel"),
    path("runs/<int:run_id>/resume/", runs.resume_run, name="resume"),
    path("attempts/<int:attempt_id>/decide/", decisions.decide_attempt, name="decide-attempt"),
    path("proposals/", proposals.proposals, name="proposals"),
    path("proposals/part/", proposals.proposals_part, name="proposals-part"),
    path("proposals/<int:proposal_id>/agree/", proposals.agree_proposal, name="agree-proposal"),
    path("proposals/<int:proposal_id>/refuse/", proposals.refuse_proposal, name="refuse-proposal"),
    path(
        "proposals/<int:proposal_id>/withdraw/",
        proposals.withdraw_proposal,
        name="withdraw-proposal",
    ),
    path("accounts/<int:account_id>/resume/", decisions.resume_account, name="resume-account"),
    path("alerts/<int:alert_id>/acknowledge/", decisions.acknowledge_alert, name="acknowledge"),
]

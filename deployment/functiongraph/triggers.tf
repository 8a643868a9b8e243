# Schedules are on the five-minute grid: the identity of a timer's event is its name and its time on that grid.
resource "opentelekomcloud_fgs_trigger_v2" "monitor" {
  function_urn = opentelekomcloud_fgs_function_v2.monitor.urn
  type         = "TIMER"
  event_data = jsonencode({
    name          = "monitor"
    schedule_type = "Cron"
    schedule      = "0 0/5 * * * *"
    user_event    = ""
  })
}

resource "opentelekomcloud_fgs_trigger_v2" "retention" {
  count        = local.has_retention ? 1 : 0
  function_urn = opentelekomcloud_fgs_function_v2.retention[0].urn
  type         = "TIMER"
  event_data = jsonencode({
    name          = "retention"
    schedule_type = "Cron"
    schedule      = var.retention_schedule
    user_event    = ""
  })
}

# One timer for each instance: its user event is the request.
resource "opentelekomcloud_fgs_trigger_v2" "nightly" {
  for_each     = var.nightly_instances
  function_urn = opentelekomcloud_fgs_function_v2.event.urn
  type         = "TIMER"
  event_data = jsonencode({
    name          = "nightly-${each.value}"
    schedule_type = "Cron"
    schedule      = var.nightly_schedule
    user_event = jsonencode({
      backup = {
        instance_id = each.value
        name_prefix = var.nightly_name_prefix
      }
    })
  })
}

resource "opentelekomcloud_fgs_trigger_v2" "requests" {
  function_urn = opentelekomcloud_fgs_function_v2.event.urn
  type         = "SMN"
  event_data = jsonencode({
    topic_urn = opentelekomcloud_smn_topic_v2.requests.topic_urn
  })
}

# A repeated call of any of these is safe. What fails for good goes to the alarm topic.
resource "opentelekomcloud_fgs_async_invoke_config_v2" "event" {
  function_urn                   = opentelekomcloud_fgs_function_v2.event.urn
  max_async_event_age_in_seconds = 86400
  max_async_retry_attempts       = 3

  on_failure {
    destination = "SMN"
    param = jsonencode({
      topic_urn = opentelekomcloud_smn_topic_v2.alarms.topic_urn
    })
  }
}

resource "opentelekomcloud_fgs_async_invoke_config_v2" "monitor" {
  function_urn                   = opentelekomcloud_fgs_function_v2.monitor.urn
  max_async_event_age_in_seconds = 3600
  max_async_retry_attempts       = 3

  on_failure {
    destination = "SMN"
    param = jsonencode({
      topic_urn = opentelekomcloud_smn_topic_v2.alarms.topic_urn
    })
  }
}

resource "opentelekomcloud_fgs_async_invoke_config_v2" "retention" {
  count                          = local.has_retention ? 1 : 0
  function_urn                   = opentelekomcloud_fgs_function_v2.retention[0].urn
  max_async_event_age_in_seconds = 3600
  max_async_retry_attempts       = 1

  on_failure {
    destination = "SMN"
    param = jsonencode({
      topic_urn = opentelekomcloud_smn_topic_v2.alarms.topic_urn
    })
  }
}

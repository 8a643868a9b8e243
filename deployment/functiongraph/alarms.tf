# Cloud Eye counts failed and rejected calls of each function. It has no alarm for a metric that stays away: a monitor that
# does not run at all is not noticed here.
locals {
  watched = merge(
    {
      event   = opentelekomcloud_fgs_function_v2.event.name
      monitor = opentelekomcloud_fgs_function_v2.monitor.name
    },
    local.has_api ? { http = opentelekomcloud_fgs_function_v2.http[0].name } : {},
    local.has_webhooks ? { webhooks = opentelekomcloud_fgs_function_v2.webhooks[0].name } : {},
    local.has_retention ? { retention = opentelekomcloud_fgs_function_v2.retention[0].name } : {},
  )
}

resource "opentelekomcloud_ces_alarmrule" "failed" {
  for_each          = local.watched
  alarm_name        = "${each.value}-failed"
  alarm_description = "A call of the function failed. Look for its reason in the log."
  alarm_level       = 2

  metric {
    namespace   = "SYS.FunctionGraph"
    metric_name = "failcount"
    dimensions {
      name  = "package-functionname"
      value = "default-${each.value}"
    }
  }
  condition {
    period              = 300
    filter              = "sum"
    comparison_operator = ">"
    value               = 0
    count               = 1
  }
  alarm_actions {
    type              = "notification"
    notification_list = [opentelekomcloud_smn_topic_v2.alarms.topic_urn]
  }
}

resource "opentelekomcloud_ces_alarmrule" "rejected" {
  for_each          = local.watched
  alarm_name        = "${each.value}-rejected"
  alarm_description = "FunctionGraph refused to run the function: too many calls at once."
  alarm_level       = 2

  metric {
    namespace   = "SYS.FunctionGraph"
    metric_name = "rejectcount"
    dimensions {
      name  = "package-functionname"
      value = "default-${each.value}"
    }
  }
  condition {
    period              = 300
    filter              = "sum"
    comparison_operator = ">"
    value               = 0
    count               = 1
  }
  alarm_actions {
    type              = "notification"
    notification_list = [opentelekomcloud_smn_topic_v2.alarms.topic_urn]
  }
}

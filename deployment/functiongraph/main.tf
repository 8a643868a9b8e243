# What the functions share. Names, rights and settings of each function are in functions.tf.
locals {
  prefix  = "dds-backup-trigger-${var.stage}"
  bundles = coalesce(var.bundles, "${path.module}/../../dist/functiongraph")

  runtime       = "Node.js20.15"
  has_api       = var.gateway != null
  has_webhooks  = local.has_api && nonsensitive(var.webhook_secret != "")
  has_retention = var.retention != ""

  # At most 20 entries go into the user data of a function, these included.
  user_data = {
    STAGE                 = var.stage
    EVENT_TOPIC_URN       = opentelekomcloud_smn_topic_v2.events.topic_urn
    ALARM_TOPIC_URN       = opentelekomcloud_smn_topic_v2.alarms.topic_urn
    MAX_REQUEST_AGE_HOURS = tostring(var.max_request_age_hours)
  }
}

# Each zip holds one file, {function}.js, at its root.
data "archive_file" "bundle" {
  for_each    = toset(["http", "event", "monitor", "retention"])
  type        = "zip"
  source_file = "${local.bundles}/${each.value}.js"
  output_path = "${path.module}/.build/${each.value}.zip"
}

resource "opentelekomcloud_lts_group_v2" "functions" {
  group_name  = local.prefix
  ttl_in_days = var.log_retention_in_days
}

resource "opentelekomcloud_lts_stream_v2" "functions" {
  group_id    = opentelekomcloud_lts_group_v2.functions.id
  stream_name = local.prefix
}

# Requests for backups.
resource "opentelekomcloud_smn_topic_v2" "requests" {
  name         = "${local.prefix}-requests"
  display_name = "DDS backup requests"
}

# What happened, as JSON, for programs.
resource "opentelekomcloud_smn_topic_v2" "events" {
  name         = "${local.prefix}-events"
  display_name = "DDS backup events"
}

# Alarms and the daily report, for people.
resource "opentelekomcloud_smn_topic_v2" "alarms" {
  name         = "${local.prefix}-alarms"
  display_name = "DDS backup alarms"
}

resource "opentelekomcloud_smn_subscription_v2" "alarms" {
  topic_urn = opentelekomcloud_smn_topic_v2.alarms.topic_urn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# The handler of each function is {file}.{export}: http.handler is the function handler in http.js.

# Behind routes that demand IAM or an app's signature, and nothing else: it trusts the gateway.
resource "opentelekomcloud_fgs_function_v2" "http" {
  count         = local.has_api ? 1 : 0
  name          = "${local.prefix}-http"
  description   = "Backups over HTTP, for callers that API Gateway has checked."
  app           = "default"
  runtime       = local.runtime
  handler       = "http.handler"
  code_type     = "zip"
  code_filename = "http.zip"
  func_code     = filebase64(data.archive_file.bundle["http"].output_path)
  memory_size   = 256
  timeout       = 30
  agency        = opentelekomcloud_identity_agency_v3.function["http"].name

  user_data = jsonencode(merge(local.user_data, {
    HTTP_AUTH = "gateway"
  }))

  log_group_id   = opentelekomcloud_lts_group_v2.functions.id
  log_group_name = opentelekomcloud_lts_group_v2.functions.group_name
  log_topic_id   = opentelekomcloud_lts_stream_v2.functions.id
  log_topic_name = opentelekomcloud_lts_stream_v2.functions.stream_name
}

# The same code behind a route without authentication: it demands a webhook's signature.
resource "opentelekomcloud_fgs_function_v2" "webhooks" {
  count         = local.has_webhooks ? 1 : 0
  name          = "${local.prefix}-webhooks"
  description   = "Backups over HTTP, for signed webhooks."
  app           = "default"
  runtime       = local.runtime
  handler       = "http.handler"
  code_type     = "zip"
  code_filename = "http.zip"
  func_code     = filebase64(data.archive_file.bundle["http"].output_path)
  memory_size   = 256
  timeout       = 30
  agency        = opentelekomcloud_identity_agency_v3.function["http"].name

  user_data = jsonencode(merge(local.user_data, {
    HTTP_AUTH = "required"
  }))

  encrypted_user_data = jsonencode({
    WEBHOOK_SECRET = var.webhook_secret
  })

  log_group_id   = opentelekomcloud_lts_group_v2.functions.id
  log_group_name = opentelekomcloud_lts_group_v2.functions.group_name
  log_topic_id   = opentelekomcloud_lts_stream_v2.functions.id
  log_topic_name = opentelekomcloud_lts_stream_v2.functions.stream_name
}

# Called asynchronously. It waits for as long as it retries. The rest, ten minutes, is a margin.
resource "opentelekomcloud_fgs_function_v2" "event" {
  name          = "${local.prefix}-event"
  description   = "Backups for SMN messages, timers and direct calls."
  app           = "default"
  runtime       = local.runtime
  handler       = "event.handler"
  code_type     = "zip"
  code_filename = "event.zip"
  func_code     = filebase64(data.archive_file.bundle["event"].output_path)
  memory_size   = 256
  timeout       = var.max_wait_seconds + 600
  agency        = opentelekomcloud_identity_agency_v3.function["event"].name

  user_data = jsonencode(merge(local.user_data, {
    MAX_WAIT_SECONDS = tostring(var.max_wait_seconds)
  }))

  log_group_id   = opentelekomcloud_lts_group_v2.functions.id
  log_group_name = opentelekomcloud_lts_group_v2.functions.group_name
  log_topic_id   = opentelekomcloud_lts_stream_v2.functions.id
  log_topic_name = opentelekomcloud_lts_stream_v2.functions.stream_name
}

resource "opentelekomcloud_fgs_function_v2" "monitor" {
  name          = "${local.prefix}-monitor"
  description   = "Publishes which backups ended or are overdue."
  app           = "default"
  runtime       = local.runtime
  handler       = "monitor.handler"
  code_type     = "zip"
  code_filename = "monitor.zip"
  func_code     = filebase64(data.archive_file.bundle["monitor"].output_path)
  memory_size   = 256
  timeout       = 300
  agency        = opentelekomcloud_identity_agency_v3.function["monitor"].name

  user_data = jsonencode(merge(local.user_data, {
    STUCK_AFTER_HOURS        = tostring(var.stuck_after_hours)
    MAX_BACKUP_AGE_HOURS     = tostring(var.max_backup_age_hours)
    MAX_BACKUP_AGE_OVERRIDES = var.max_backup_age_overrides
    BACKUP_AGE_OF            = var.backup_age_of
    REPORT_TIME              = var.report_time
  }))

  log_group_id   = opentelekomcloud_lts_group_v2.functions.id
  log_group_name = opentelekomcloud_lts_group_v2.functions.group_name
  log_topic_id   = opentelekomcloud_lts_stream_v2.functions.id
  log_topic_name = opentelekomcloud_lts_stream_v2.functions.stream_name
}

resource "opentelekomcloud_fgs_function_v2" "retention" {
  count         = local.has_retention ? 1 : 0
  name          = "${local.prefix}-retention"
  description   = "Deletes or reports backups that the rules let go."
  app           = "default"
  runtime       = local.runtime
  handler       = "retention.handler"
  code_type     = "zip"
  code_filename = "retention.zip"
  func_code     = filebase64(data.archive_file.bundle["retention"].output_path)
  memory_size   = 256
  timeout       = 900
  agency        = opentelekomcloud_identity_agency_v3.function["retention"].name

  user_data = jsonencode(merge(local.user_data, {
    RETENTION               = var.retention
    RETENTION_MODE          = var.retention_mode
    RETENTION_INSTANCES     = var.retention_instances
    RETENTION_HOLDS         = var.retention_holds
    RETENTION_MAX_DELETIONS = tostring(var.retention_max_deletions)
  }))

  log_group_id   = opentelekomcloud_lts_group_v2.functions.id
  log_group_name = opentelekomcloud_lts_group_v2.functions.group_name
  log_topic_id   = opentelekomcloud_lts_stream_v2.functions.id
  log_topic_name = opentelekomcloud_lts_stream_v2.functions.stream_name
}

output "request_topic_urn" {
  description = "Publish requests for backups here."
  value       = opentelekomcloud_smn_topic_v2.requests.topic_urn
}

output "event_topic_urn" {
  description = "Subscribe to events here."
  value       = opentelekomcloud_smn_topic_v2.events.topic_urn
}

output "alarm_topic_urn" {
  description = "Alarms and the daily report."
  value       = opentelekomcloud_smn_topic_v2.alarms.topic_urn
}

output "event_function_urn" {
  description = "For direct calls."
  value       = opentelekomcloud_fgs_function_v2.event.urn
}

variable "stage" {
  description = "Part of every name, so that several deployments fit into one project."
  type        = string
  default     = "dev"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.stage))
    error_message = "stage must be up to 16 lower-case letters, digits and hyphens."
  }
}

variable "project_name" {
  description = "The project of the instances and of the functions, such as eu-de or eu-de_orders. The agencies get rights in it alone."
  type        = string
}

variable "bundles" {
  description = "The folder that npm run build fills, if it is not that of this checkout."
  type        = string
  default     = null
}

variable "alarm_email" {
  description = "Receives alarms and the daily report. SMN asks the recipient to confirm."
  type        = string
}

variable "max_request_age_hours" {
  description = "For how long after its first delivery a request may lead to a backup."
  type        = number
  default     = 24
  validation {
    condition     = var.max_request_age_hours > 0 && var.max_request_age_hours <= 168
    error_message = "max_request_age_hours must be more than 0 and at most 168."
  }
}

variable "max_wait_seconds" {
  description = "For how long the function event retries a request within one invocation."
  type        = number
  default     = 3600
  validation {
    condition     = var.max_wait_seconds >= 0 && var.max_wait_seconds <= 43200
    error_message = "max_wait_seconds must be from 0 to 43200."
  }
}

variable "nightly_instances" {
  description = "The ids of the instances that are backed up every night."
  type        = set(string)
  default     = []
}

variable "nightly_name_prefix" {
  description = "The name_prefix of nightly backups."
  type        = string
  default     = "nightly"
}

variable "nightly_schedule" {
  description = "Six fields: second, minute, hour, day, month, day of the week. The minute must be a multiple of five."
  type        = string
  default     = "CRON_TZ=Europe/Berlin 0 30 4 * * *"
  validation {
    condition     = can(regex("^(CRON_TZ=[A-Za-z_/]+ )?0 [0-5]?[05] ", var.nightly_schedule))
    error_message = "nightly_schedule must begin with second 0 and a minute that is a multiple of five."
  }
}

variable "stuck_after_hours" {
  description = "A backup that is BUILDING for longer is stuck."
  type        = number
  default     = 12
}

variable "max_backup_age_hours" {
  description = "An instance without a completed backup for longer is overdue."
  type        = number
  default     = 26
}

variable "max_backup_age_overrides" {
  description = "Other limits for some instances: id=48,id=off"
  type        = string
  default     = ""
}

variable "backup_age_of" {
  description = "The backups that count for the age: any, or manual."
  type        = string
  default     = "any"
  validation {
    condition     = contains(["any", "manual"], var.backup_age_of)
    error_message = "backup_age_of must be any or manual."
  }
}

variable "report_time" {
  description = "When the daily report is sent, in UTC."
  type        = string
  default     = "06:00"
}

variable "retention" {
  description = "The rules by which backups expire, such as \"nightly: keep-within 14d, keep-last 3\". Without them there is no function retention."
  type        = string
  default     = ""
}

variable "retention_mode" {
  description = "report logs what would be deleted, delete deletes it."
  type        = string
  default     = "report"
  validation {
    condition     = contains(["report", "delete"], var.retention_mode)
    error_message = "retention_mode must be report or delete."
  }
}

variable "retention_instances" {
  description = "The instances whose backups expire: all, tag:key=value, or ids with commas between. Required to delete."
  type        = string
  default     = ""
}

variable "retention_holds" {
  description = "The ids of backups and instances that are left alone, with commas between."
  type        = string
  default     = ""
}

variable "retention_max_deletions" {
  description = "Of an instance and run."
  type        = number
  default     = 5
}

variable "retention_schedule" {
  description = "As nightly_schedule. A busy instance refuses deletions: choose a time at which no backup is made."
  type        = string
  default     = "CRON_TZ=Europe/Berlin 0 30 5 * * *"
  validation {
    condition     = can(regex("^(CRON_TZ=[A-Za-z_/]+ )?0 [0-5]?[05] ", var.retention_schedule))
    error_message = "retention_schedule must begin with second 0 and a minute that is a multiple of five."
  }
}

variable "gateway" {
  description = "A dedicated API Gateway that exists, with an API group and an environment of it. Without it there is no HTTP API."
  type = object({
    id             = string
    group_id       = string
    environment_id = string
  })
  default = null
}

variable "api_authentication" {
  description = "How the gateway checks the callers of /backups: IAM or APP."
  type        = string
  default     = "IAM"
  validation {
    condition     = contains(["IAM", "APP"], var.api_authentication)
    error_message = "api_authentication must be IAM or APP: the function trusts the gateway."
  }
}

variable "webhook_secret" {
  description = "The key of signed webhooks. Without it, or without a gateway, there is no route /webhooks."
  type        = string
  default     = ""
  sensitive   = true
}

variable "log_retention_in_days" {
  description = "From 1 to 365."
  type        = number
  default     = 90
}

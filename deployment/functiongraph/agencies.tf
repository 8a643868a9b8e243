# An agency for each function, with the actions that this function needs, in one project. The keys that a function gets
# come from its agency: there is no access key to keep.
locals {
  actions = {
    http = [
      "dds:instance:createManualBackup",
      "dds:backup:list",
    ]
    event = [
      "dds:instance:createManualBackup",
      "dds:backup:list",
      "smn:topic:publish",
    ]
    monitor = [
      "dds:backup:list",
      "dds:instance:list",
      "smn:topic:publish",
    ]
    retention = [
      "dds:backup:list",
      "dds:instance:list",
      "dds:backup:delete",
      "smn:topic:publish",
    ]
  }
}

resource "opentelekomcloud_identity_role_v3" "function" {
  for_each      = local.actions
  display_name  = "${local.prefix}-${each.key}"
  display_layer = "project"
  description   = "What the function ${each.key} of dds-backup-trigger may do."

  statement {
    effect = "Allow"
    action = each.value
  }
}

resource "opentelekomcloud_identity_agency_v3" "function" {
  for_each              = local.actions
  name                  = "${local.prefix}-${each.key}"
  description           = "The function ${each.key} of dds-backup-trigger."
  delegated_domain_name = "op_svc_cff"

  project_role {
    project = var.project_name
    roles   = [opentelekomcloud_identity_role_v3.function[each.key].display_name]
  }
}

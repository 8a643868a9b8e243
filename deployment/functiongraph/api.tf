# /backups with everything below it. The function answers other methods and paths itself.
resource "opentelekomcloud_apigw_api_v2" "backups" {
  count                        = local.has_api ? 1 : 0
  gateway_id                   = var.gateway.id
  group_id                     = var.gateway.group_id
  name                         = "${local.prefix}-backups"
  type                         = "Public"
  request_protocol             = "HTTPS"
  request_method               = "ANY"
  request_uri                  = "/backups"
  match_mode                   = "PREFIX"
  security_authentication_type = var.api_authentication

  func_graph {
    function_urn    = opentelekomcloud_fgs_function_v2.http[0].urn
    version         = "latest"
    invocation_type = "sync"
    timeout         = 30000
  }
}

resource "opentelekomcloud_apigw_api_publishment_v2" "backups" {
  count          = local.has_api ? 1 : 0
  gateway_id     = var.gateway.id
  environment_id = var.gateway.environment_id
  api_id         = opentelekomcloud_apigw_api_v2.backups[0].id
}

# No authentication by the gateway: a webhook's sender has only its signature, which the function checks.
resource "opentelekomcloud_apigw_api_v2" "webhooks" {
  count                        = local.has_webhooks ? 1 : 0
  gateway_id                   = var.gateway.id
  group_id                     = var.gateway.group_id
  name                         = "${local.prefix}-webhooks"
  type                         = "Public"
  request_protocol             = "HTTPS"
  request_method               = "POST"
  request_uri                  = "/webhooks"
  match_mode                   = "EXACT"
  security_authentication_type = "NONE"

  func_graph {
    function_urn    = opentelekomcloud_fgs_function_v2.webhooks[0].urn
    version         = "latest"
    invocation_type = "sync"
    timeout         = 30000
  }
}

resource "opentelekomcloud_apigw_api_publishment_v2" "webhooks" {
  count          = local.has_webhooks ? 1 : 0
  gateway_id     = var.gateway.id
  environment_id = var.gateway.environment_id
  api_id         = opentelekomcloud_apigw_api_v2.webhooks[0].id
}

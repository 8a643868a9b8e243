/**
 * What the resources of the module take and give, from the documentation of the providers: opentelekomcloud 1.36.69 and
 * later, archive 2.4 and later. Where the documentation of `gateway_id` in `apigw_api_publishment_v2` says `instance_id`,
 * its example and the provider's schema decide.
 */
export interface Block {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly blocks?: Readonly<Record<string, Block & { readonly isRequired?: boolean }>>;
  /** What can be read besides the arguments and `id`. */
  readonly attributes?: readonly string[];
}

const destination: Block = { required: ['destination', 'param'], optional: [] };
const actions: Block = { required: ['notification_list'], optional: ['type'] };

export const RESOURCES: Readonly<Record<string, Block>> = {
  opentelekomcloud_identity_role_v3: {
    required: ['description', 'display_layer', 'display_name'],
    optional: [],
    blocks: { statement: { isRequired: true, required: ['action', 'effect'], optional: ['resource', 'condition'] } },
    attributes: ['catalog', 'domain_id', 'name'],
  },
  opentelekomcloud_identity_agency_v3: {
    required: ['name', 'delegated_domain_name'],
    optional: ['description', 'domain_roles'],
    blocks: { project_role: { required: ['roles'], optional: ['project', 'all_projects'] } },
    attributes: ['duration', 'expire_time', 'create_time'],
  },
  opentelekomcloud_fgs_function_v2: {
    required: ['name', 'app', 'memory_size', 'runtime', 'timeout', 'handler'],
    optional: [
      ...['code_type', 'functiongraph_version', 'func_code', 'code_url', 'code_filename', 'depend_list'],
      ...['user_data', 'encrypted_user_data', 'agency', 'app_agency', 'description'],
      ...['initializer_handler', 'initializer_timeout', 'vpc_id', 'network_id', 'mount_user_id', 'mount_user_group_id'],
      ...['max_instance_num', 'tags', 'log_group_id', 'log_group_name', 'log_topic_id', 'log_topic_name', 'gpu_memory'],
      ...['pre_stop_handler', 'pre_stop_timeout', 'peering_cidr', 'enable_dynamic_memory', 'enable_class_isolation'],
    ],
    attributes: ['region', 'urn', 'dns_list', 'version'],
  },
  opentelekomcloud_fgs_trigger_v2: {
    required: ['function_urn', 'type', 'event_data'],
    optional: ['status'],
    attributes: ['created_at', 'updated_at', 'region'],
  },
  opentelekomcloud_fgs_async_invoke_config_v2: {
    required: ['function_urn', 'max_async_event_age_in_seconds', 'max_async_retry_attempts'],
    optional: [],
    blocks: { on_success: destination, on_failure: destination },
    attributes: ['region'],
  },
  opentelekomcloud_smn_topic_v2: {
    required: ['name'],
    optional: ['display_name', 'project_name', 'tags'],
    attributes: ['topic_urn', 'push_policy', 'create_time', 'update_time'],
  },
  opentelekomcloud_smn_subscription_v2: {
    required: ['topic_urn', 'endpoint', 'protocol'],
    optional: ['remark', 'project_name'],
    attributes: ['subscription_urn', 'owner', 'status'],
  },
  opentelekomcloud_lts_group_v2: {
    required: ['group_name', 'ttl_in_days'],
    optional: ['tags'],
    attributes: ['created_at', 'enterprise_project_id', 'region'],
  },
  opentelekomcloud_lts_stream_v2: {
    required: ['group_id', 'stream_name'],
    optional: ['ttl_in_days', 'tags'],
    attributes: ['filter_count', 'created_at', 'enterprise_project_id', 'region'],
  },
  opentelekomcloud_ces_alarmrule: {
    required: ['alarm_name'],
    optional: ['alarm_type', 'alarm_description', 'alarm_level', 'alarm_enabled', 'alarm_action_enabled'],
    blocks: {
      metric: {
        isRequired: true,
        required: ['namespace', 'metric_name'],
        optional: [],
        blocks: { dimensions: { required: ['name', 'value'], optional: [] } },
      },
      condition: {
        isRequired: true,
        required: ['period', 'filter', 'comparison_operator', 'value', 'count'],
        optional: ['unit', 'alarm_frequency'],
      },
      alarm_actions: actions,
      ok_actions: actions,
    },
    attributes: ['update_time', 'alarm_state'],
  },
  opentelekomcloud_apigw_api_v2: {
    required: ['gateway_id', 'group_id', 'type', 'name', 'request_method', 'request_uri', 'request_protocol'],
    optional: [
      ...['region', 'version', 'security_authentication_type', 'security_authentication_enabled', 'authorizer_id'],
      ...['body_description', 'cors', 'description', 'match_mode', 'success_response', 'failure_response'],
      ...['response_id', 'tags'],
    ],
    blocks: {
      func_graph: {
        required: ['function_urn', 'version'],
        optional: ['timeout', 'invocation_type', 'network_type', 'authorizer_id', 'description'],
      },
    },
  },
  opentelekomcloud_apigw_api_publishment_v2: {
    required: ['gateway_id', 'environment_id', 'api_id'],
    optional: ['description', 'version_id'],
    attributes: ['environment_name', 'published_at', 'publish_id', 'history', 'region'],
  },
};

export const DATA: Readonly<Record<string, Block>> = {
  archive_file: {
    required: ['type', 'output_path'],
    optional: [
      'source_file',
      'source_dir',
      'source_content',
      'source_content_filename',
      'excludes',
      'output_file_mode',
    ],
    attributes: ['output_size', 'output_md5', 'output_sha', 'output_base64sha256'],
  },
};

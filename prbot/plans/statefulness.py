"""What would be lost with a resource: its content, traffic and access, nothing, or who knows.

An own table, made from what the resource's documentation says destroying it does
(providers hashicorp/aws, google, azurerm, kubernetes, helm, and Terraform's small ones;
https://registry.terraform.io/browse/providers). Types are named one by one; where all
types of a family are alike its prefix stands with a star. What is not in the table is
`UNKNOWN`, which is judged with more care than `REPEATABLE`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache, lru_cache


class Statefulness(StrEnum):
    """`DATA`: content that creating the object again does not bring back.

    `ACCESS`: traffic, names, identity or rights that others rely on meanwhile.
    `REPEATABLE`: made again as it was, from the configuration alone.
    """

    DATA = "data"
    ACCESS = "access"
    REPEATABLE = "repeatable"
    UNKNOWN = "unknown"


_DATA = """
aws_backup_vault aws_cloudwatch_log_group aws_codecommit_repository aws_cognito_user_pool
aws_dax_cluster aws_db_cluster_snapshot aws_db_instance aws_db_snapshot aws_docdb_cluster
aws_docdb_cluster_instance aws_docdb_global_cluster aws_dynamodb_global_table
aws_dynamodb_table aws_dynamodb_table_item aws_ebs_snapshot aws_ebs_volume
aws_ecr_repository aws_ecrpublic_repository aws_efs_file_system
aws_elasticache_cluster aws_elasticache_replication_group aws_elasticache_serverless_cache
aws_elasticsearch_domain aws_fsx_* aws_glacier_vault aws_glue_catalog_database
aws_glue_catalog_table aws_instance aws_keyspaces_keyspace aws_keyspaces_table
aws_kinesis_stream aws_kms_external_key aws_kms_key aws_lightsail_bucket
aws_lightsail_database aws_lightsail_disk aws_memorydb_cluster aws_mq_broker
aws_msk_cluster aws_msk_serverless_cluster aws_neptune_cluster aws_neptune_cluster_instance
aws_neptune_global_cluster aws_opensearch_domain aws_opensearchserverless_collection
aws_qldb_ledger aws_rds_cluster aws_rds_cluster_instance aws_rds_global_cluster
aws_redshift_cluster aws_redshiftserverless_namespace aws_s3_bucket aws_s3_directory_bucket
aws_s3_object aws_s3_bucket_object aws_s3tables_table aws_s3tables_table_bucket
aws_secretsmanager_secret aws_secretsmanager_secret_version aws_sqs_queue
aws_ssm_parameter aws_timestreamwrite_database aws_timestreamwrite_table
google_alloydb_cluster google_alloydb_instance google_artifact_registry_repository
google_bigquery_dataset google_bigquery_table google_bigtable_instance
google_bigtable_table google_compute_disk google_compute_image google_compute_instance
google_compute_region_disk google_compute_snapshot google_datastream_stream
google_filestore_instance google_firestore_database google_firestore_document
google_kms_crypto_key google_kms_crypto_key_version google_kms_key_ring
google_memcache_instance google_pubsub_subscription google_pubsub_topic
google_redis_cluster google_redis_instance google_secret_manager_secret
google_secret_manager_secret_version google_spanner_database google_spanner_instance
google_sql_database google_sql_database_instance google_sql_user google_storage_bucket
google_storage_bucket_object
azurerm_app_configuration azurerm_container_registry azurerm_cosmosdb_*
azurerm_data_lake_store azurerm_eventhub azurerm_eventhub_namespace azurerm_image
azurerm_key_vault azurerm_key_vault_certificate azurerm_key_vault_key
azurerm_key_vault_managed_hardware_security_module azurerm_key_vault_secret
azurerm_kusto_cluster azurerm_kusto_database azurerm_linux_virtual_machine
azurerm_log_analytics_workspace azurerm_managed_disk azurerm_mariadb_database
azurerm_mariadb_server azurerm_mssql_database azurerm_mssql_managed_database
azurerm_mssql_managed_instance azurerm_mssql_server azurerm_mysql_database
azurerm_mysql_flexible_database azurerm_mysql_flexible_server azurerm_mysql_server
azurerm_netapp_volume azurerm_postgresql_database azurerm_postgresql_flexible_server
azurerm_postgresql_flexible_server_database azurerm_postgresql_server
azurerm_recovery_services_vault azurerm_redis_cache azurerm_resource_group
azurerm_servicebus_namespace azurerm_servicebus_queue azurerm_servicebus_topic
azurerm_snapshot azurerm_storage_account azurerm_storage_blob azurerm_storage_container
azurerm_storage_queue azurerm_storage_share azurerm_storage_table azurerm_synapse_sql_pool
azurerm_synapse_workspace azurerm_virtual_machine azurerm_windows_virtual_machine
helm_release kubernetes_config_map kubernetes_config_map_v1 kubernetes_manifest
kubernetes_namespace kubernetes_namespace_v1 kubernetes_persistent_volume
kubernetes_persistent_volume_claim kubernetes_persistent_volume_claim_v1
kubernetes_persistent_volume_v1 kubernetes_secret kubernetes_secret_v1
kubernetes_stateful_set kubernetes_stateful_set_v1
local_sensitive_file random_bytes random_password tls_private_key vault_generic_secret
vault_kv_secret vault_kv_secret_v2 vault_mount
"""

_ACCESS = """
aws_acm_certificate aws_alb aws_alb_listener aws_apigatewayv2_api aws_api_gateway_rest_api
aws_autoscaling_group aws_cloudfront_distribution aws_customer_gateway aws_dx_*
aws_ecs_cluster aws_ecs_service aws_eip aws_eip_association aws_eks_* aws_elb
aws_globalaccelerator_* aws_iam_* aws_internet_gateway aws_kms_alias aws_kms_grant
aws_kms_key_policy aws_lambda_function aws_lb aws_lb_listener aws_lb_listener_rule
aws_lb_target_group aws_main_route_table_association aws_nat_gateway aws_network_acl
aws_network_acl_rule aws_network_interface aws_organizations_* aws_ram_* aws_route
aws_route53_* aws_route_table aws_route_table_association aws_s3_bucket_policy
aws_s3_bucket_public_access_block aws_security_group aws_security_group_rule aws_ssoadmin_*
aws_subnet aws_transfer_server aws_vpc aws_vpc_endpoint aws_vpc_peering_connection
aws_vpc_security_group_egress_rule aws_vpc_security_group_ingress_rule aws_vpn_connection
aws_vpn_gateway aws_waf_* aws_wafv2_* aws_ec2_transit_gateway aws_ec2_transit_gateway_*
google_cloud_run_service google_cloud_run_v2_service google_compute_address
google_compute_backend_service google_compute_firewall google_compute_forwarding_rule
google_compute_global_address google_compute_global_forwarding_rule google_compute_network
google_compute_network_peering google_compute_route google_compute_router
google_compute_router_nat google_compute_subnetwork google_compute_url_map
google_compute_vpn_gateway google_compute_vpn_tunnel google_container_cluster
google_container_node_pool google_dns_* google_folder google_folder_iam_*
google_organization_iam_* google_project google_project_iam_* google_project_service
google_service_account google_service_account_iam_* google_service_account_key
google_storage_bucket_iam_*
azuread_* azurerm_application_gateway azurerm_cdn_* azurerm_dns_* azurerm_express_route_*
azurerm_firewall azurerm_firewall_* azurerm_frontdoor azurerm_key_vault_access_policy
azurerm_kubernetes_cluster azurerm_kubernetes_cluster_node_pool azurerm_lb azurerm_lb_*
azurerm_linux_web_app azurerm_nat_gateway azurerm_network_interface
azurerm_network_security_group azurerm_network_security_rule azurerm_private_dns_*
azurerm_private_endpoint azurerm_public_ip azurerm_role_assignment
azurerm_role_definition azurerm_route azurerm_route_table azurerm_subnet
azurerm_user_assigned_identity azurerm_virtual_hub azurerm_virtual_network
azurerm_virtual_network_gateway azurerm_virtual_network_peering azurerm_windows_web_app
cloudflare_record cloudflare_zone github_branch_protection github_membership
github_repository_collaborator github_team github_team_membership
kubernetes_cluster_role kubernetes_cluster_role_binding kubernetes_cluster_role_binding_v1
kubernetes_cluster_role_v1 kubernetes_deployment kubernetes_deployment_v1
kubernetes_ingress kubernetes_ingress_v1 kubernetes_network_policy
kubernetes_network_policy_v1 kubernetes_role kubernetes_role_binding
kubernetes_role_binding_v1 kubernetes_role_v1 kubernetes_service kubernetes_service_account
kubernetes_service_account_v1 kubernetes_service_v1
"""

_REPEATABLE = """
aws_appautoscaling_* aws_autoscaling_policy aws_autoscaling_schedule
aws_cloudwatch_dashboard aws_cloudwatch_event_rule aws_cloudwatch_event_target
aws_cloudwatch_log_metric_filter aws_cloudwatch_metric_alarm aws_lambda_alias
aws_lambda_permission aws_launch_template aws_s3_bucket_lifecycle_configuration
aws_s3_bucket_notification aws_s3_bucket_ownership_controls aws_budgets_budget
google_logging_metric google_monitoring_alert_policy google_monitoring_dashboard
azurerm_monitor_action_group azurerm_monitor_metric_alert azurerm_portal_dashboard
kubernetes_cron_job kubernetes_cron_job_v1 kubernetes_horizontal_pod_autoscaler
kubernetes_horizontal_pod_autoscaler_v2 kubernetes_job kubernetes_job_v1
archive_file cloudinit_config local_file null_resource random_id random_integer random_pet
random_shuffle random_string random_uuid terraform_data time_offset time_rotating
time_sleep time_static tls_cert_request
"""


@lru_cache(maxsize=1_000)
def statefulness(type_: str) -> Statefulness:
    """The class of a resource type, such as `aws_s3_bucket`."""
    table, families = _table()
    if type_ in table:
        return table[type_]
    return next((kind for start, kind in families if type_.startswith(start)), Statefulness.UNKNOWN)


@cache
def _table() -> tuple[dict[str, Statefulness], tuple[tuple[str, Statefulness], ...]]:
    """Types by name, and families by their prefix."""
    rows = [
        (name, kind)
        for kind, names in (
            (Statefulness.DATA, _DATA),
            (Statefulness.ACCESS, _ACCESS),
            (Statefulness.REPEATABLE, _REPEATABLE),
        )
        for name in names.split()
    ]
    families = tuple((name[:-1], kind) for name, kind in rows if name.endswith("*"))
    return {name: kind for name, kind in rows if not name.endswith("*")}, families

/**
 * Series of third-party programs used by dashboards and rules: name -> own labels. From the projects'
 * documentation and, where noted, from a scrape.
 */
export const foreignMetrics: Record<string, readonly string[]> = {
  // Prometheus itself
  up: ['job', 'instance', 'service', 'server'],
  ALERTS: ['alertname', 'alertstate', 'severity', 'service'],
  // prometheus/mysqld_exporter, collectors global_status and global_variables; seen in a scrape of MariaDB 10.11
  mysql_up: [],
  mysql_global_status_commands_total: ['command'],
  mysql_global_status_threads_connected: [],
  mysql_global_status_threads_running: [],
  mysql_global_status_slow_queries: [],
  mysql_global_status_innodb_row_lock_waits: [],
  mysql_global_status_innodb_buffer_pool_reads: [],
  mysql_global_status_innodb_buffer_pool_read_requests: [],
  mysql_global_variables_max_connections: [],
  // percona/mongodb_exporter, collector diagnosticdata: the path in `serverStatus` is the name (exporter/metrics.go)
  mongodb_up: [],
  mongodb_ss_opcounters: ['legacy_op_type'],
  mongodb_ss_opLatencies_latency: ['op_type'],
  mongodb_ss_opLatencies_ops: ['op_type'],
  mongodb_ss_connections: ['conn_type'],
  mongodb_ss_mem_resident: [],
  mongodb_ss_uptime: [],
  // `replSetGetStatus.members` of the same collector (exporter/metrics.go, processSlice)
  mongodb_rs_members_state: ['member_idx', 'member_state'],
  // With --compatible-mode on a member of a replica set
  mongodb_mongod_replset_oplog_head_timestamp: [],
  mongodb_mongod_replset_oplog_tail_timestamp: [],
  // oliver006/redis_exporter (exporter/exporter.go); seen in a scrape of Redis 7.0
  redis_up: [],
  redis_memory_used_bytes: [],
  redis_memory_max_bytes: [],
  redis_connected_clients: [],
  redis_aof_last_write_status: [],
  redis_aof_last_bgrewrite_status: [],
  redis_blocked_clients: [],
  redis_commands_processed_total: [],
  redis_keyspace_hits_total: [],
  redis_keyspace_misses_total: [],
  // kubelet (pkg/kubelet/metrics/collectors/volume_stats.go)
  kubelet_volume_stats_available_bytes: ['namespace', 'persistentvolumeclaim'],
  kubelet_volume_stats_capacity_bytes: ['namespace', 'persistentvolumeclaim'],
  // danielqsj/kafka_exporter, README "Metrics"
  kafka_brokers: [],
  kafka_topic_partition_current_offset: ['topic', 'partition'],
  kafka_topic_partition_replicas: ['topic', 'partition'],
  kafka_topic_partition_in_sync_replica: ['topic', 'partition'],
  kafka_topic_partition_under_replicated_partition: ['topic', 'partition'],
  kafka_consumergroup_current_offset: ['consumergroup', 'topic', 'partition'],
  kafka_consumergroup_lag: ['consumergroup', 'topic', 'partition'],
  // Kong's prometheus plugin, always served by the status listener (kong/plugins/prometheus/exporter.lua)
  kong_nginx_connections_total: ['node_id', 'subsystem', 'state'],
  // prom-client's default metrics, in every service
  process_cpu_seconds_total: [],
  process_resident_memory_bytes: [],
  process_start_time_seconds: [],
  nodejs_heap_size_used_bytes: [],
  nodejs_eventloop_lag_p99_seconds: [],
}

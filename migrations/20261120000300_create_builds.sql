-- Builds: one request to turn a source into an image. The queue is `status = 'queued'`; there is no other.
create table builds (
    id uuid primary key,
    tenant_id uuid not null references tenants (id),
    project_id uuid not null,
    build_number int not null,
    status text not null
        constraint builds_status check (status in ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    build_method text not null,
    priority smallint not null default 0 constraint builds_priority check (priority between -100 and 100),
    image_name text not null,
    image_tags text[] not null,
    source jsonb not null,
    timeout_seconds int not null,
    attempts int not null default 0,
    triggered_by_user_id uuid,
    original_build_id uuid,
    is_retry boolean not null default false,
    git_commit text,
    git_branch text,
    git_author text,
    git_message text,
    error_message text,
    cancel_requested_at timestamptz,
    cancel_requested_by text,
    created_at timestamptz not null default now(),
    queued_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    constraint builds_key unique (tenant_id, id),
    constraint builds_number unique (tenant_id, project_id, build_number),
    constraint builds_project foreign key (tenant_id, project_id) references projects (tenant_id, id),
    constraint builds_original foreign key (tenant_id, original_build_id) references builds (tenant_id, id),
    constraint builds_times check (
        (status not in ('queued', 'running') or queued_at is not null)
        and ((status = 'running') <= (started_at is not null))
        and ((status in ('completed', 'failed', 'cancelled')) = (completed_at is not null)))
);
create index builds_by_project on builds (tenant_id, project_id, id desc);
create index builds_queued on builds (tenant_id, priority desc, queued_at, id) where status = 'queued';
create index builds_queued_by_lane on builds (tenant_id, project_id, build_method, priority desc, queued_at, id)
    where status = 'queued';
create index builds_queued_by_age on builds (tenant_id, queued_at) where status = 'queued';
create index builds_completed on builds (completed_at) where completed_at is not null;
create index builds_running on builds (tenant_id, project_id, build_method) where status = 'running';
select enable_tenant_isolation('builds');

-- The next number of a project: taken under the row's lock, in the transaction that inserts the build, so without gaps.
create table build_numbers (
    tenant_id uuid not null,
    project_id uuid not null,
    last_number int not null,
    primary key (tenant_id, project_id)
);
select enable_tenant_isolation('build_numbers');

create table build_configs (
    build_id uuid primary key,
    tenant_id uuid not null,
    build_method text not null,
    dockerfile text,
    build_context text,
    cache_enabled boolean,
    cache_repo text,
    target_stage text,
    build_args jsonb,
    environment jsonb,
    secrets jsonb,
    metadata jsonb not null default '{}',
    constraint build_configs_build foreign key (tenant_id, build_id) references builds (tenant_id, id)
);
select enable_tenant_isolation('build_configs');

create table build_triggers (
    id uuid primary key,
    tenant_id uuid not null,
    build_id uuid not null,
    trigger_type text not null
        constraint build_triggers_type check (trigger_type in ('manual', 'api', 'retry', 'webhook', 'schedule')),
    trigger_source text,
    created_by_user_id uuid,
    created_at timestamptz not null default now(),
    constraint build_triggers_build foreign key (tenant_id, build_id) references builds (tenant_id, id)
);
create index build_triggers_by_build on build_triggers (tenant_id, build_id);
select enable_tenant_isolation('build_triggers');

-- One attempt to run a build. Every write of a run names its execution and is refused once that is no longer running.
create table build_executions (
    id uuid primary key,
    tenant_id uuid not null,
    build_id uuid not null,
    attempt int not null,
    executor text not null,
    worker_id uuid not null,
    run_name text not null,
    status text not null
        constraint build_executions_status check (status in ('running', 'succeeded', 'failed', 'cancelled', 'lost')),
    robot_token_hash bytea,
    lease_expires_at timestamptz,
    heartbeat_at timestamptz,
    reason text,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint build_executions_build foreign key (tenant_id, build_id) references builds (tenant_id, id),
    constraint build_executions_key unique (tenant_id, id),
    constraint build_executions_attempt unique (tenant_id, build_id, attempt),
    constraint build_executions_lease check ((status = 'running') = (lease_expires_at is not null)),
    constraint build_executions_end check ((status = 'running') = (finished_at is null))
);
create unique index build_executions_one_running on build_executions (tenant_id, build_id) where status = 'running';
create index build_executions_leases on build_executions (lease_expires_at) where status = 'running';
create index build_executions_by_worker on build_executions (worker_id) where status = 'running';
select enable_tenant_isolation('build_executions');

create table build_steps (
    id uuid primary key,
    tenant_id uuid not null,
    build_id uuid not null,
    execution_id uuid not null,
    step_number int not null,
    step_name text not null,
    instruction_type text not null,
    status text not null
        constraint build_steps_status check (status in ('running', 'success', 'failed', 'skipped')),
    cached boolean not null default false,
    layer_digest text,
    error_message text,
    error_code int,
    first_line bigint not null,
    started_at timestamptz not null,
    completed_at timestamptz,
    duration_ms bigint,
    constraint build_steps_number unique (tenant_id, execution_id, step_number),
    constraint build_steps_execution foreign key (tenant_id, execution_id) references build_executions (tenant_id, id),
    constraint build_steps_build foreign key (tenant_id, build_id) references builds (tenant_id, id)
);
create index build_steps_by_build on build_steps (tenant_id, build_id, execution_id, step_number);
select enable_tenant_isolation('build_steps');

-- Chunks of lines, compressed by us: first and last line number, time of the first line, how many.
create table build_logs (
    tenant_id uuid not null,
    build_id uuid not null,
    execution_id uuid not null,
    first_line bigint not null,
    last_line bigint not null,
    line_count int not null,
    logged_at timestamptz not null,
    raw_bytes int not null,
    log_content bytea not null,
    primary key (tenant_id, build_id, first_line),
    constraint build_logs_range check (last_line - first_line + 1 = line_count and line_count > 0),
    constraint build_logs_execution foreign key (tenant_id, execution_id) references build_executions (tenant_id, id),
    constraint build_logs_build foreign key (tenant_id, build_id) references builds (tenant_id, id)
);
alter table build_logs alter column log_content set storage external;
select enable_tenant_isolation('build_logs');

create table build_metrics (
    build_id uuid primary key,
    tenant_id uuid not null,
    total_duration_ms bigint not null,
    build_duration_ms bigint,
    push_duration_ms bigint,
    peak_memory_bytes bigint,
    cpu_ms bigint,
    disk_read_bytes bigint,
    disk_write_bytes bigint,
    total_layers int,
    reused_layers int,
    new_layers int,
    final_image_size_bytes bigint,
    log_lines bigint not null,
    constraint build_metrics_build foreign key (tenant_id, build_id) references builds (tenant_id, id)
);
select enable_tenant_isolation('build_metrics');

create table build_artifacts (
    id uuid primary key,
    tenant_id uuid not null,
    build_id uuid not null,
    artifact_type text not null,
    artifact_name text not null,
    artifact_location text not null,
    artifact_size_bytes bigint,
    sha256_digest text,
    is_available boolean not null default true,
    image_id uuid,
    created_at timestamptz not null default now(),
    constraint build_artifacts_build foreign key (tenant_id, build_id) references builds (tenant_id, id)
);
create index build_artifacts_by_build on build_artifacts (tenant_id, build_id);
select enable_tenant_isolation('build_artifacts');

create table build_results (
    build_id uuid primary key,
    tenant_id uuid not null,
    status text not null constraint build_results_status check (status in ('success', 'failed', 'cancelled', 'timeout')),
    exit_code int,
    output_image_id uuid,
    output_image_url text,
    output_image_digest text,
    failure_reason text,
    failure_stage text
        constraint build_results_stage check (failure_stage in ('compile', 'build', 'push', 'scan', 'verification')),
    total_duration_ms bigint not null,
    queue_wait_ms bigint not null,
    build_execution_ms bigint not null,
    artifact_push_ms bigint,
    retry_count int not null,
    constraint build_results_build foreign key (tenant_id, build_id) references builds (tenant_id, id)
);
select enable_tenant_isolation('build_results');

create table build_status_history (
    id uuid primary key,
    tenant_id uuid not null,
    build_id uuid not null,
    from_status text,
    to_status text not null,
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null default clock_timestamp(),
    constraint build_status_history_build foreign key (tenant_id, build_id) references builds (tenant_id, id)
);
create index build_status_history_by_build on build_status_history (tenant_id, build_id, changed_at);
select enable_tenant_isolation('build_status_history');

-- Uploaded contexts: archives in the object store under `contexts/`.
create table build_contexts (
    id uuid primary key,
    tenant_id uuid not null,
    project_id uuid not null,
    storage_key text not null,
    size_bytes bigint not null,
    digest text not null,
    created_by text not null,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    constraint build_contexts_project foreign key (tenant_id, project_id) references projects (tenant_id, id)
);
create index build_contexts_by_use on build_contexts (tenant_id, last_used_at);
select enable_tenant_isolation('build_contexts');

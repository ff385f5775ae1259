-- For the statistics of a tenant.
create index builds_ended on builds (tenant_id, completed_at) where completed_at is not null;

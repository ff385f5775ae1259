-- What the listings of the registry read in order: repositories of a tenant, and of a project, by full name; referrers
-- of a manifest by digest.
alter table repositories alter column full_name type text collate "C";
create index repositories_by_full_name on repositories (tenant_id, full_name);
create index repositories_of_project_by_full_name on repositories (tenant_id, project_id, full_name);

drop index image_manifests_by_subject;
create index image_manifests_by_subject on image_manifests (tenant_id, repository_id, subject_digest, digest)
    where subject_digest is not null;

-- What the listings of the registry read in order: repositories of a tenant by full name, and referrers of a manifest by
-- digest.
alter table images alter column repository type text collate "C";
create index images_by_repository on images (tenant_id, repository);

drop index image_manifests_by_subject;
create index image_manifests_by_subject on image_manifests (tenant_id, repository_id, subject_digest, digest)
    where subject_digest is not null;

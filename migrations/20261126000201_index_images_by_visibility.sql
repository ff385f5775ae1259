-- Listings read what somebody may see in order, and nothing of what is closed to them: by visibility in the whole tenant
-- or in single projects, by full name for the registry and by id for the catalogue.
drop index images_by_repository;
drop index images_by_project;
drop index images_newest;
create index images_by_name on images (tenant_id, visibility, repository);
create index images_of_project_by_name on images (tenant_id, project_id, visibility, repository);
create index images_by_age on images (tenant_id, visibility, id);
create index images_of_project_by_age on images (tenant_id, project_id, visibility, id);

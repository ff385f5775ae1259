-- The listing of repositories follows who may see which image: it reads the images of a tenant in the order of their full
-- names, and no longer the repositories.
drop index repositories_by_full_name;
drop index repositories_of_project_by_full_name;
alter table images alter column repository type text collate "C";
create index images_by_repository on images (tenant_id, repository);

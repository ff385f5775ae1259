-- A starting server records what its storage is.
grant update (kind) on storage_backends to image_factory_system;

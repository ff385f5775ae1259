//! Commands and files of a build by buildah.

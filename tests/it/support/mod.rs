//! What tests share.

pub(crate) mod app;
pub(crate) mod conversation;
pub(crate) mod data;
pub(crate) mod database;
pub(crate) mod embedding_server;
pub(crate) mod model;
pub(crate) mod model_file;
pub(crate) mod random;
pub(crate) mod s3;
pub(crate) mod socket;

//! The `image-factory` binary: the server, its administration and its client.

use clap::Parser;
use image_factory::cli::{self, Cli};
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Buffers are made by one thread and freed by another, of which glibc keeps several times what is in use.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::complain(&anyhow::Error::new(error).context("the runtime does not start")),
    };
    match runtime.block_on(Box::pin(cli::run(cli))) {
        Ok(code) => code,
        Err(error) => cli::complain(&error),
    }
}

//! The program `retailcast`.

fn main() -> std::process::ExitCode {
    retailcast::cli::main()
}

//! Printing results. Unlike the standard `println!`, a reader who has seen enough (`retailcast … | head`) is no error:
//! the work goes on to its end, and what nobody reads is not printed.

use std::fmt;
use std::io::{ErrorKind, Write};

/// Prints a line.
macro_rules! say {
    () => { $crate::cli::stdout::print(format_args!("\n")) };
    ($($arg:tt)*) => { $crate::cli::stdout::print(format_args!("{}\n", format_args!($($arg)*))) };
}
pub(super) use say;

/// Prints text.
///
/// # Panics
///
/// When the output cannot be written for any other reason, as `print!` does.
pub(super) fn print(text: fmt::Arguments<'_>) {
    match std::io::stdout().write_fmt(text) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => panic!("cannot print: {e}"),
        _ => {}
    }
}

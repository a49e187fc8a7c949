//! The program as a process: start, stop, kill, exit codes.

mod cancel;
mod command_line;
mod program;
mod seed;
mod serve;

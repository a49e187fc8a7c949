//! The program as a process: start, stop, kill, exit codes.

mod backtest;
mod command_line;
mod ingest;
mod plugins;
mod program;
mod seed;
mod serve;

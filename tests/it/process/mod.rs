//! The program as a process: start, stop, kill, exit codes.

mod access;
mod agents;
mod artifacts;
mod backtest;
mod backup;
mod command_line;
mod database;
mod demo;
mod ingest;
mod jobs;
mod plugin_author;
mod plugin_lines;
mod plugins;
mod program;
mod rag;
mod seed;
mod serve;

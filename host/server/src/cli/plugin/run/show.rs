//! Tables of numbers and calls.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use retailcast_runtime::{Crossing, Direction};

/// A table with this header.
pub(super) fn table<T: Into<comfy_table::Row>>(header: T) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(header);
    table
}

/// Calls in the order in which they ended; those that the plugin made are indented, and stand before the call of the
/// plugin during which it made them.
pub(super) fn calls(crossings: &[Crossing]) -> Table {
    let mut table = table(["call", "bytes in", "bytes out", "microseconds"]);
    for crossing in crossings {
        let call = match crossing.direction {
            Direction::IntoPlugin => crossing.function.to_owned(),
            Direction::IntoHost => format!("  < {}", crossing.function),
        };
        let micros = crossing.took.as_micros().to_string();
        table.add_row([call, crossing.bytes_in.to_string(), crossing.bytes_out.to_string(), micros]);
    }
    right(&mut table, 1);
    table
}

/// Numbers stand at the right: the columns from this one on.
pub(super) fn right(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

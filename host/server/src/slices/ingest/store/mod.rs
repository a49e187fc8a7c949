//! The SQL of bulk loads.

pub(crate) mod dimensions;
pub(crate) mod facts;
pub(super) mod keys;
pub(crate) mod plans;

use std::cmp::Ordering;

/// In order of the key, so that two requests with the same rows wait for each other instead of deadlocking; of rows
/// that compare equal the last in input order stays.
pub(crate) fn last_of_each<T>(mut rows: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    // Stable: equal rows keep their order.
    rows.sort_by(&compare);
    rows.reverse();
    rows.dedup_by(|a, b| compare(a, b).is_eq());
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_of_a_key_wins() {
        let rows = vec![(2, 10), (1, 20), (2, 30), (0, 40), (2, 50)];
        assert_eq!(last_of_each(rows, |a, b| a.0.cmp(&b.0)), [(0, 40), (1, 20), (2, 50)]);
    }
}

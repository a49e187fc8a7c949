//! The kinds of rows that can be loaded, and what they have in common.

mod calendar;
mod inventory;
mod keys;
mod prices;
mod products;
mod promotions;
mod sales;
mod stores;

use retailcast_core::config_schema::FieldError;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

pub(crate) use calendar::CalendarDay;
pub(super) use inventory::InventoryRow;
pub(super) use keys::{DayKey, PriceKey, ProductKey, PromotionKey, SeriesDay, StoreKey};
pub(super) use prices::PriceRow;
pub(super) use products::ProductRow;
pub(super) use promotions::PromotionRow;
pub(super) use sales::SaleRow;
pub(super) use stores::StoreRow;

use crate::http::fields::{self, Fields};

/// Largest values of the columns: NUMERIC(10,2), NUMERIC(12,2).
pub(crate) const MOST_PRICE: Decimal = Decimal::from_parts(1_410_065_407, 2, 0, false, 2); // 99999999.99
/// See [`MOST_PRICE`].
pub(crate) const MOST_AMOUNT: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 2); // 9999999999.99
/// INTEGER.
const MOST_UNITS: i64 = i32::MAX as i64;

/// A row of one kind.
pub(super) trait Record: Sized + Send + Sync + 'static {
    /// What a table must have as columns, and a JSON object as members.
    const REQUIRED: &'static [&'static str];

    /// What addresses the row, as the report of rejected rows shows it.
    type Key: Serialize + Send;

    /// Reads the fields. What does not fit is noted there.
    fn read(fields: &mut Fields<'_>) -> Option<Self>;

    /// What addresses the row.
    fn key(&self) -> Self::Key;

    /// Writes the rows, at most `batch` per statement, but for those that refer to something that does not exist;
    /// these are returned in input order. Of rows with the same key the last counts.
    fn write(
        connection: &mut PgConnection,
        rows: &[Self],
        batch: usize,
    ) -> impl Future<Output = sqlx::Result<Vec<Rejection>>> + Send;
}

/// What a rejected row refers to and does not exist: the first check that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RejectionCode {
    /// No store has the code.
    Store,
    /// No product has the SKU.
    Product,
    /// The calendar does not have the day.
    Date,
}

impl RejectionCode {
    /// The machine code.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Store => "UNKNOWN_STORE",
            Self::Product => "UNKNOWN_PRODUCT",
            Self::Date => "UNKNOWN_DATE",
        }
    }
}

/// A rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    /// Its position among the rows that were given.
    pub(super) row: usize,
    /// Why.
    pub(super) code: RejectionCode,
    /// For people; names the value that was not found.
    pub(super) message: String,
}

/// Most rows of one JSON request.
pub(super) const MOST_RECORDS: usize = 10_000;

/// Reads the `records` of a JSON body; all errors of all rows.
pub(super) fn read_json<R: Record>(body: &serde_json::Map<String, Value>) -> Result<Vec<R>, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let records = fields.required("records", fields::list(1, MOST_RECORDS));
    let records = fields.finish(records)?;
    let mut rows = Vec::with_capacity(records.len());
    let mut errors = Vec::new();
    for (i, record) in records.iter().enumerate() {
        let Value::Object(members) = record else {
            let message = format!("must be an object, got {}", fields::short(record));
            errors.push(FieldError::new(format!("records.{i}"), "dict_type", message));
            continue;
        };
        match read_row(i, Fields::of(members)) {
            Ok(row) => rows.push(row),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

/// Reads the row at this position of the input.
pub(super) fn read_row<R: Record>(row: usize, mut fields: Fields<'_>) -> Result<R, Vec<FieldError>> {
    let read = R::read(&mut fields);
    fields.finish(read).map_err(|mut errors| {
        for error in &mut errors {
            error.field = format!("records.{row}.{}", error.field);
        }
        errors
    })
}

/// Reads an optional text of at most this many characters.
fn optional_text(fields: &mut Fields<'_>, name: &str, most: usize) -> Option<String> {
    fields.nullable(name, fields::text(0, most)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_largest_values_are_those_of_the_columns() {
        assert_eq!(MOST_PRICE.to_string(), "99999999.99");
        assert_eq!(MOST_AMOUNT.to_string(), "9999999999.99");
    }

    fn read<R: Record>(body: &Value) -> Result<Vec<R>, Vec<(String, &'static str)>> {
        read_json(body.as_object().unwrap())
            .map_err(|errors| errors.into_iter().map(|e| (e.field, e.kind)).collect())
    }

    #[track_caller]
    fn refused<R: Record + std::fmt::Debug>(record: Value) -> Vec<(String, &'static str)> {
        read::<R>(&json!({"records": [record]})).unwrap_err()
    }

    fn one(field: &str, kind: &'static str) -> Vec<(String, &'static str)> {
        vec![(format!("records.0.{field}"), kind)]
    }

    #[test]
    fn errors_name_row_and_field_in_the_order_of_the_schema() {
        let good = json!({"date": "2025-03-03", "store_code": "A", "sku": "B", "quantity": 1,
                          "unit_price": 1, "total_amount": 1, "unknown": 1});
        let bad = json!({"total_amount": "x", "date": 5, "sku": "", "quantity": -1, "unit_price": 1.234});
        let errors = read::<SaleRow>(&json!({"records": [good, bad, 7], "unknown": 1})).unwrap_err();
        let found: Vec<(&str, &str)> = errors.iter().map(|(field, kind)| (field.as_str(), *kind)).collect();
        assert_eq!(
            found,
            [
                ("records.1.date", "date_type"),
                ("records.1.store_code", "missing"),
                ("records.1.sku", "string_too_short"),
                ("records.1.quantity", "greater_than_equal"),
                ("records.1.unit_price", "decimal_max_places"),
                ("records.1.total_amount", "decimal_parsing"),
                ("records.2", "dict_type"),
            ]
        );
        assert_eq!(read::<SaleRow>(&json!({"records": [good]})).unwrap().len(), 1);
        for (body, kind) in [
            (json!({}), "missing"),
            (json!({"records": []}), "too_short"),
            (json!({"records": 1}), "list_type"),
        ] {
            assert_eq!(read::<SaleRow>(&body).unwrap_err()[0].1, kind);
        }
    }

    #[test]
    fn a_row_of_a_table_is_read_like_an_object_of_texts() {
        let names =
            ["sku", "quantity", "date", "store_code", "unit_price", "total_amount"].map(str::to_owned);
        let cells = ["007", "5", "2025-03-03", "A", "1.50", ""].map(|cell| match cell {
            "" => Value::Null,
            text => json!(text),
        });
        let errors = read_row::<SaleRow>(3, Fields::of_row(&names, &cells)).unwrap_err();
        assert_eq!((errors[0].field.as_str(), errors[0].kind), ("records.3.total_amount", "missing"));
        let mut cells = cells;
        cells[5] = json!("7.5");
        let row = read_row::<SaleRow>(3, Fields::of_row(&names, &cells)).unwrap();
        assert_eq!((row.grain.sku.as_str(), row.quantity, row.total_amount), ("007", 5, Decimal::new(75, 1)));
    }

    #[test]
    fn rules_between_fields() {
        let product =
            json!({"sku": "A", "name": "A", "launch_date": "2024-02-01", "discontinue_date": "2024-01-01"});
        assert_eq!(refused::<ProductRow>(product), one("discontinue_date", "value_error"));
        let price = json!({"sku": "A", "price": 1, "valid_from": "2024-02-01", "valid_to": "2024-01-31"});
        assert_eq!(refused::<PriceRow>(price), one("valid_to", "value_error"));
        let promotion = |change: Value| {
            let mut row =
                json!({"sku": "A", "name": "A", "start_date": "2024-02-01", "end_date": "2024-02-01"});
            row.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            row
        };
        for (change, field, kind) in [
            (json!({"end_date": "2024-01-31"}), "end_date", "value_error"),
            (json!({"kind": "bogo"}), "bundle_member_skus", "value_error"),
            (json!({"bundle_member_skus": ["B"]}), "bundle_member_skus", "value_error"),
            (json!({"kind": "gift"}), "kind", "literal_error"),
            (json!({"discount_pct": 25}), "discount_pct", "less_than_equal"),
            (json!({"discount_pct": "0.12345"}), "discount_pct", "decimal_max_places"),
            (
                json!({"kind": "bundle", "bundle_member_skus": ["B", ""]}),
                "bundle_member_skus.1",
                "string_too_short",
            ),
            (json!({"kind": "bundle", "bundle_member_skus": "B"}), "bundle_member_skus", "list_type"),
        ] {
            assert_eq!(refused::<PromotionRow>(promotion(change)), one(field, kind));
        }
        let bundle = promotion(json!({"kind": "bundle", "bundle_member_skus": "[\"B\", \"C;D\"]"}));
        let rows = read::<PromotionRow>(&json!({"records": [bundle]})).unwrap();
        assert_eq!(rows[0].bundle_member_skus.as_deref(), Some(&["B".to_owned(), "C;D".to_owned()][..]));
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let read_one = |record: Value| read::<InventoryRow>(&json!({"records": [record]})).unwrap().remove(0);
        let mut record = json!({"date": "2024-01-01", "store_code": "A", "sku": "B", "on_hand_qty": 0});
        assert!(read_one(record.clone()).is_stockout);
        record["is_stockout"] = json!(false);
        assert!(!read_one(record).is_stockout);
        let days = read::<CalendarDay>(&json!({"records": [{"date": "2024-01-01"}]})).unwrap();
        assert!(!days[0].is_holiday);
    }
}

//! JSON shapes of `/ingest/sales-daily`.

use chrono::NaiveDate;
use retailcast_core::config_schema::FieldError;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::service::{Outcome, SaleRow};
use crate::http::fields::{self, Fields};

/// Most rows of one request.
pub(super) const MOST_ROWS: usize = 10_000;

/// Largest values of the columns: NUMERIC(10,2), NUMERIC(12,2), INTEGER.
pub(crate) const MOST_PRICE: Decimal = Decimal::from_parts(1_410_065_407, 2, 0, false, 2); // 99999999.99
/// See [`MOST_PRICE`].
pub(crate) const MOST_AMOUNT: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 2); // 9999999999.99

/// An exact decimal with at most 2 places, at least 0.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "describes a value, which is read by hand")]
#[serde(untagged)]
pub(super) enum DecimalInput {
    /// As a number.
    Number(f64),
    /// As text.
    Text(String),
}

/// Rows to write.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"records": [
    {"date": "2025-03-03", "store_code": "BER-01", "sku": "TEA-250", "quantity": 12, "unit_price": "3.49", "total_amount": "41.88"},
    {"date": "2025-03-03", "store_code": "BER-99", "sku": "TEA-250", "quantity": 4, "unit_price": 3.49, "total_amount": 13.96}
]}))]
pub(super) struct SalesBody {
    /// 1 to 10,000 rows.
    #[schema(min_items = 1, max_items = 10_000)]
    records: Vec<SalesRecord>,
}

/// One day of one product in one store.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct SalesRecord {
    /// Sales day; must exist in the calendar.
    date: NaiveDate,
    /// Code of the store, exactly.
    #[schema(min_length = 1, max_length = 20)]
    store_code: String,
    /// SKU of the product, exactly.
    #[schema(min_length = 1, max_length = 50)]
    sku: String,
    /// Units sold.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    quantity: i32,
    /// Price per unit, at most 2 decimals; a number or a numeric string.
    #[schema(value_type = DecimalInput, example = "3.49")]
    unit_price: Decimal,
    /// Amount, trusted: it is not compared with quantity times price.
    #[schema(value_type = DecimalInput, example = "41.88")]
    total_amount: Decimal,
}

/// Reads the body; all errors of all rows.
pub(super) fn read(body: &Map<String, Value>) -> Result<Vec<SaleRow<'_>>, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let records = fields.required("records", fields::list(1, MOST_ROWS));
    let records = fields.finish(records)?;
    let mut rows = Vec::with_capacity(records.len());
    let mut errors = Vec::new();
    for (i, record) in records.iter().enumerate() {
        match read_row(record) {
            Ok(row) => rows.push(row),
            Err(found) => errors.extend(found.into_iter().map(|mut error| {
                let dot = if error.field.is_empty() { "" } else { "." };
                error.field = format!("records.{i}{dot}{}", error.field);
                error
            })),
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn read_row(record: &Value) -> Result<SaleRow<'_>, Vec<FieldError>> {
    let Value::Object(members) = record else {
        let message = format!("must be an object, got {}", fields::short(record));
        return Err(vec![FieldError::new("", "dict_type", message)]);
    };
    let mut fields = Fields::of(members);
    let date = fields.required("date", fields::date);
    let store_code = fields.required("store_code", fields::text(1, 20));
    let sku = fields.required("sku", fields::text(1, 50));
    let quantity = fields.required("quantity", fields::lax_int(0, i64::from(i32::MAX)));
    let unit_price = fields.required("unit_price", fields::money(MOST_PRICE));
    let total_amount = fields.required("total_amount", fields::money(MOST_AMOUNT));
    let row = (|| {
        Some(SaleRow {
            date: date?,
            store_code: store_code?,
            sku: sku?,
            quantity: i32::try_from(quantity?).ok()?,
            unit_price: unit_price?,
            total_amount: total_amount?,
        })
    })();
    fields.finish(row)
}

/// What became of the rows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"processed_count": 1, "rejected_count": 1, "total_received": 2, "errors": [
    {"row_index": 1, "store_code": "BER-99", "sku": "TEA-250", "date": "2025-03-03",
     "error_code": "UNKNOWN_STORE", "error_message": "no store with code BER-99"}], "duration_ms": 8.41}))]
pub(super) struct SalesResult {
    /// Rows inserted or updated.
    processed_count: usize,
    /// Length of `errors`.
    rejected_count: usize,
    /// Length of `records`.
    total_received: usize,
    /// One entry per rejected row, in input order.
    errors: Vec<RowError>,
    /// Rounded to 2 decimals.
    duration_ms: f64,
}

/// Why a row was rejected.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RowError {
    /// Position in `records`, from 0.
    row_index: usize,
    /// As sent.
    store_code: String,
    /// As sent.
    sku: String,
    /// As sent.
    date: NaiveDate,
    /// `UNKNOWN_STORE`, `UNKNOWN_PRODUCT` or `UNKNOWN_DATE`.
    error_code: &'static str,
    /// Names the value that was not found.
    error_message: String,
}

impl SalesResult {
    pub(super) fn new(rows: &[SaleRow<'_>], outcome: &Outcome, elapsed: std::time::Duration) -> Self {
        let errors: Vec<RowError> = outcome
            .rejected
            .iter()
            .map(|rejection| {
                let row = &rows[rejection.row];
                RowError {
                    row_index: rejection.row,
                    store_code: row.store_code.to_owned(),
                    sku: row.sku.to_owned(),
                    date: row.date,
                    error_code: rejection.code.name(),
                    error_message: rejection.code.message(row),
                }
            })
            .collect();
        Self {
            processed_count: outcome.processed,
            rejected_count: errors.len(),
            total_received: rows.len(),
            errors,
            duration_ms: (elapsed.as_secs_f64() * 1e5).round() / 100.0,
        }
    }
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

    #[test]
    fn errors_name_row_and_field_in_the_order_of_the_schema() {
        let good = json!({"date": "2025-03-03", "store_code": "A", "sku": "B", "quantity": 1,
                          "unit_price": 1, "total_amount": 1, "unknown": 1});
        let bad = json!({"total_amount": "x", "date": 5, "sku": "", "quantity": -1, "unit_price": 1.234});
        let body = json!({"records": [good, bad, 7], "unknown": 1});
        let errors = read(body.as_object().unwrap()).unwrap_err();
        let found: Vec<(&str, &str)> = errors.iter().map(|e| (e.field.as_str(), e.kind)).collect();
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
        let body = json!({"records": [good]});
        assert_eq!(read(body.as_object().unwrap()).unwrap().len(), 1);
        for (body, kind) in [
            (json!({}), "missing"),
            (json!({"records": []}), "too_short"),
            (json!({"records": 1}), "list_type"),
        ] {
            assert_eq!(read(body.as_object().unwrap()).unwrap_err()[0].kind, kind);
        }
    }
}

//! JSON shapes of `/ingest`.

use std::time::Duration;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::service::Outcome;

/// An exact decimal, at least 0.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "describes a value, which is read by hand")]
#[serde(untagged)]
pub(super) enum DecimalInput {
    /// As a number.
    Number(f64),
    /// As text.
    Text(String),
}

/// Rows to write; unknown members are ignored.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct Records<R: ToSchema> {
    /// 1 to 10,000 rows.
    #[schema(min_items = 1, max_items = 10_000)]
    records: Vec<R>,
}

/// One day of one product in one store.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"date": "2025-03-03", "store_code": "BER-01", "sku": "TEA-250", "quantity": 12,
                          "unit_price": "3.49", "total_amount": "41.88"}))]
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

/// What is in stock at the end of a day.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"date": "2025-03-03", "store_code": "BER-01", "sku": "TEA-250", "on_hand_qty": 40,
                          "on_order_qty": 24}))]
pub(super) struct InventoryRecord {
    /// The day; must exist in the calendar.
    date: NaiveDate,
    /// Code of the store, exactly.
    #[schema(min_length = 1, max_length = 20)]
    store_code: String,
    /// SKU of the product, exactly.
    #[schema(min_length = 1, max_length = 50)]
    sku: String,
    /// Units on hand.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    on_hand_qty: i32,
    /// Units on their way.
    #[schema(minimum = 0, maximum = 2_147_483_647, default = 0)]
    on_order_qty: Option<i32>,
    /// Whether it was sold out; when left out, whether nothing is on hand.
    is_stockout: Option<bool>,
}

/// A store. It replaces the one of the same code; what is left out becomes null.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"code": "BER-01", "name": "Berlin, Hauptstrasse", "region": "East", "city": "Berlin",
                          "store_type": "supermarket"}))]
pub(super) struct StoreRecord {
    /// Natural key.
    #[schema(min_length = 1, max_length = 20)]
    code: String,
    /// For people.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Region.
    #[schema(max_length = 50)]
    region: Option<String>,
    /// City.
    #[schema(max_length = 50)]
    city: Option<String>,
    /// For example `supermarket`.
    #[schema(max_length = 30)]
    store_type: Option<String>,
}

/// A product. It replaces the one of the same SKU; what is left out becomes null.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"sku": "TEA-250", "name": "Green tea 250 g", "category": "Tea", "base_price": "3.49",
                          "base_cost": "1.90", "launch_date": "2023-05-02"}))]
pub(super) struct ProductRecord {
    /// Natural key.
    #[schema(min_length = 1, max_length = 50)]
    sku: String,
    /// For people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Category.
    #[schema(max_length = 100)]
    category: Option<String>,
    /// Subcategory.
    #[schema(max_length = 100)]
    subcategory: Option<String>,
    /// Brand.
    #[schema(max_length = 100)]
    brand: Option<String>,
    /// List price, at most 2 decimals.
    #[schema(value_type = Option<DecimalInput>)]
    base_price: Option<Decimal>,
    /// Cost per unit, at most 2 decimals.
    #[schema(value_type = Option<DecimalInput>)]
    base_cost: Option<Decimal>,
    /// Units per pack.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pack_size: Option<i32>,
    /// `intro`, `growth`, `maturity`, `decline` or `discontinued`.
    lifecycle_stage: Option<String>,
    /// First day on sale.
    launch_date: Option<NaiveDate>,
    /// Last day on sale; not before the launch.
    discontinue_date: Option<NaiveDate>,
}

/// A day. Weekday, month, quarter and year follow from the date.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"date": "2025-12-25", "is_holiday": true, "holiday_name": "Christmas Day"}))]
pub(super) struct CalendarRecord {
    /// Natural key.
    date: NaiveDate,
    /// Whether it is a holiday.
    #[schema(default = false)]
    is_holiday: Option<bool>,
    /// Its name.
    #[schema(max_length = 100)]
    holiday_name: Option<String>,
}

/// A price. It replaces that of the same product, store and first day.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"sku": "TEA-250", "store_code": "BER-01", "price": "2.99", "valid_from": "2025-03-01",
                          "valid_to": "2025-03-14"}))]
pub(super) struct PriceRecord {
    /// SKU of the product, exactly.
    #[schema(min_length = 1, max_length = 50)]
    sku: String,
    /// Code of the store; left out or null: the whole chain.
    #[schema(min_length = 1, max_length = 20)]
    store_code: Option<String>,
    /// Price per unit, at most 2 decimals.
    #[schema(value_type = DecimalInput)]
    price: Decimal,
    /// First day.
    valid_from: NaiveDate,
    /// Last day; left out or null: still valid.
    valid_to: Option<NaiveDate>,
}

/// A promotion. It replaces that of the same product, store, name and first day.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"sku": "TEA-250", "name": "Spring", "kind": "pct_off", "discount_pct": "0.25",
                          "start_date": "2025-03-01", "end_date": "2025-03-14"}))]
pub(super) struct PromotionRecord {
    /// SKU of the product, exactly.
    #[schema(min_length = 1, max_length = 50)]
    sku: String,
    /// Code of the store; left out or null: the whole chain.
    #[schema(min_length = 1, max_length = 20)]
    store_code: Option<String>,
    /// For people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// `pct_off`, `bogo`, `bundle` or `markdown`.
    #[schema(default = "pct_off")]
    kind: Option<String>,
    /// A share from 0 to 1, at most 4 decimals: 0.25 is a quarter off.
    #[schema(value_type = Option<DecimalInput>)]
    discount_pct: Option<Decimal>,
    /// A fixed amount, at most 2 decimals.
    #[schema(value_type = Option<DecimalInput>)]
    discount_amount: Option<Decimal>,
    /// The products of a `bundle` or `bogo`, and of these only. In a table's cell: a JSON array.
    #[schema(min_items = 1, max_items = 1000)]
    bundle_member_skus: Option<Vec<String>>,
    /// First day.
    start_date: NaiveDate,
    /// Last day.
    end_date: NaiveDate,
}

/// What became of the rows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LoadResult<K: ToSchema> {
    /// Rows inserted or updated.
    processed_count: usize,
    /// Rows left out.
    rejected_count: usize,
    /// Rows sent.
    total_received: usize,
    /// One entry per rejected row, in input order; of a table the first 10,000.
    errors: Vec<RowError<K>>,
    /// Rounded to 2 decimals.
    duration_ms: f64,
}

/// Why a row was rejected.
#[derive(Debug, Serialize, ToSchema)]
struct RowError<K: ToSchema> {
    /// Position in `records` or among the table's rows, from 0.
    row_index: usize,
    #[serde(flatten)]
    key: K,
    /// `UNKNOWN_STORE`, `UNKNOWN_PRODUCT` or `UNKNOWN_DATE`.
    error_code: &'static str,
    /// Names the value that was not found.
    error_message: String,
}

impl<K: ToSchema> LoadResult<K> {
    pub(super) fn new(outcome: Outcome<K>, elapsed: Duration) -> Self {
        let errors = outcome.report.into_iter().map(|rejected| RowError {
            row_index: rejected.row,
            key: rejected.key,
            error_code: rejected.code.name(),
            error_message: rejected.message,
        });
        Self {
            processed_count: outcome.received - outcome.rejected,
            rejected_count: outcome.rejected,
            total_received: outcome.received,
            errors: errors.collect(),
            duration_ms: (elapsed.as_secs_f64() * 1e5).round() / 100.0,
        }
    }
}

//! JSON shapes of `/seeder`; the body of generate stands in [`super::generate_body`].

use chrono::NaiveDate;
use indexmap::IndexMap;
use retailcast_core::Day;
use retailcast_core::config_schema::FieldError;
use retailcast_core::seeder::channels::Channel;
use retailcast_core::seeder::{Scenario, Window};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::checks::{Check, CheckStatus};
use super::service::{Counts, Created, Deleted, Scope, Status};
use super::store::Signal;
use crate::http::fields::{self, Fields};
use crate::http::timestamp::Timestamp;

/// What is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"stores": 3, "products": 10, "calendar": 92, "sales": 2703, "inventory": 2760, "price_history": 31,
    "promotions": 9, "exogenous_signals": 0, "sales_returns": 0, "replenishment_events": 0,
    "date_range_start": "2026-01-01", "date_range_end": "2026-04-02", "last_updated": "2026-04-02T08:15:30Z"}))]
#[allow(missing_docs, reason = "rows of the table of that name")]
pub(super) struct StatusBody {
    stores: i64,
    products: i64,
    calendar: i64,
    sales: i64,
    inventory: i64,
    price_history: i64,
    promotions: i64,
    exogenous_signals: i64,
    sales_returns: i64,
    replenishment_events: i64,
    /// First day with sales.
    date_range_start: Option<NaiveDate>,
    /// Last day with sales.
    date_range_end: Option<NaiveDate>,
    /// Newest change of a sales row.
    last_updated: Option<Timestamp>,
}

impl From<Status> for StatusBody {
    fn from(status: Status) -> Self {
        let counts = status.counts;
        Self {
            stores: counts.stores,
            products: counts.products,
            calendar: counts.calendar,
            sales: counts.sales,
            inventory: counts.inventory,
            price_history: counts.price_history,
            promotions: counts.promotions,
            exogenous_signals: counts.exogenous_signals,
            sales_returns: counts.sales_returns,
            replenishment_events: counts.replenishment_events,
            date_range_start: status.sales.map(|(first, _)| first),
            date_range_end: status.sales.map(|(_, last)| last),
            last_updated: status.last_updated.map(Timestamp),
        }
    }
}

/// A preset.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScenarioBody {
    /// What `scenario` of generate takes.
    #[schema(example = "demo_minimal")]
    name: &'static str,
    /// For people.
    description: &'static str,
    /// Stores it makes.
    stores: usize,
    /// Products it makes.
    products: usize,
    /// First day, computed for today.
    start_date: NaiveDate,
    /// Last day.
    end_date: NaiveDate,
}

impl ScenarioBody {
    pub(super) fn new(scenario: Scenario, today: Day) -> Self {
        let parameters = scenario.parameters(today);
        Self {
            name: scenario.name(),
            description: scenario.description(),
            stores: parameters.stores,
            products: parameters.products,
            start_date: parameters.window.first().date(),
            end_date: parameters.window.last().date(),
        }
    }
}

/// The channels of sales.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"channels": ["click_collect", "in_store", "online", "wholesale"], "total": 4}))]
pub(super) struct ChannelsBody {
    /// Sorted.
    channels: Vec<&'static str>,
    /// Length of `channels`.
    total: usize,
}

impl ChannelsBody {
    pub(super) fn new() -> Self {
        let channels: Vec<&'static str> = Channel::ALL.iter().map(|channel| channel.name()).collect();
        Self { total: channels.len(), channels }
    }
}

/// Rows of a signal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignalsBody {
    /// As asked.
    #[schema(example = "weather_temp_c")]
    signal_name: String,
    /// As asked.
    start_date: NaiveDate,
    /// As asked.
    end_date: NaiveDate,
    /// As asked.
    store_id: Option<i32>,
    /// By day, then by store, the global ones first.
    records: Vec<SignalBody>,
    /// Length of `records`.
    total: usize,
}

/// A signal on a day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignalBody {
    /// Day.
    date: NaiveDate,
    /// Signal.
    signal_name: String,
    /// Store; null: every store.
    store_id: Option<i32>,
    /// Whether it holds for every store.
    is_global: bool,
    /// Value.
    value: Option<f64>,
}

/// What `GET /seeder/exogenous` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignalQuery {
    pub(super) signal_name: String,
    pub(super) start_date: NaiveDate,
    pub(super) end_date: NaiveDate,
    pub(super) store_id: Option<i32>,
}

impl SignalsBody {
    pub(super) fn new(query: SignalQuery, rows: Vec<Signal>) -> Self {
        let record = |row: Signal| SignalBody {
            date: row.date,
            signal_name: query.signal_name.clone(),
            store_id: row.store_id,
            is_global: row.is_global,
            // Others may have stored a NaN, which JSON does not have.
            value: Some(row.value).filter(|value| value.is_finite()),
        };
        let records: Vec<SignalBody> = rows.into_iter().map(record).collect();
        Self {
            total: records.len(),
            records,
            start_date: query.start_date,
            end_date: query.end_date,
            store_id: query.store_id,
            signal_name: query.signal_name,
        }
    }
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"success": true, "records_created": {"stores": 4, "products": 12, "calendar": 90, "sales": 3240,
    "price_history": 16, "promotions": 7, "inventory": 4320, "exogenous_signals": 0, "sales_returns": 66,
    "replenishment_events": 0}, "duration_seconds": 0.41, "message": "3240 sales rows generated", "seed": 7}))]
pub(super) struct GenerateResult {
    /// Always true: what fails answers with a problem.
    success: bool,
    /// Rows by kind: those that the generators made, also where such a row existed; of stores and products all that
    /// are there after the run.
    #[schema(value_type = std::collections::HashMap<String, i64>)]
    records_created: IndexMap<&'static str, i64>,
    /// Rounded to 2 decimals; 0 for a dry run.
    duration_seconds: f64,
    /// For people.
    message: String,
    /// As asked.
    seed: u64,
}

impl From<Created> for GenerateResult {
    fn from(created: Created) -> Self {
        let counts = created.counts;
        let message = if created.dry_run {
            format!(
                "Dry run: {} stores, {} products and {} days would be generated",
                counts.stores, counts.products, counts.calendar
            )
        } else {
            format!("{} sales rows generated", counts.sales)
        };
        Self {
            success: true,
            records_created: records(&counts),
            duration_seconds: (created.seconds * 100.0).round() / 100.0,
            message,
            seed: created.seed,
        }
    }
}

/// Rows by kind.
pub fn records(counts: &Counts) -> IndexMap<&'static str, i64> {
    IndexMap::from([
        ("stores", counts.stores),
        ("products", counts.products),
        ("calendar", counts.calendar),
        ("sales", counts.sales),
        ("price_history", counts.price_history),
        ("promotions", counts.promotions),
        ("inventory", counts.inventory),
        ("exogenous_signals", counts.exogenous_signals),
        ("sales_returns", counts.sales_returns),
        ("replenishment_events", counts.replenishment_events),
    ])
}

/// Further days.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"start_date": "2026-04-03", "end_date": "2026-04-30", "seed": 43}))]
pub(super) struct AppendBody {
    /// First day.
    start_date: NaiveDate,
    /// Last day.
    end_date: NaiveDate,
    /// Seed.
    #[schema(default = 43, minimum = 0)]
    seed: Option<u64>,
}

/// Reads the body of append.
pub(super) fn read_append(body: &Map<String, Value>) -> Result<(u64, Window), Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let start = fields.required("start_date", fields::date);
    let end = fields.required("end_date", fields::date);
    let window = start.zip(end).map(|(start, end)| Window::new(Day::from_date(start), Day::from_date(end)));
    if window.is_some_and(|window| window.is_none()) {
        fields.refuse("end_date", "must not be before start_date");
    }
    let seed = fields.optional("seed", fields::lax_int(0, i64::MAX)).unwrap_or(43);
    fields.finish(window.flatten().map(|window| (seed as u64, window)))
}

/// What to delete.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"scope": "facts", "dry_run": true}))]
pub(super) struct DeleteBody {
    /// `all`, `facts` or `dimensions`; the latter takes the facts along, which depend on them.
    #[schema(default = "all")]
    scope: Option<String>,
    /// Only report.
    #[schema(default = false)]
    dry_run: Option<bool>,
}

/// Reads the body of delete.
pub(super) fn read_delete(body: &Map<String, Value>) -> Result<(Scope, bool), Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let scope = fields.optional("scope", fields::one_of(&Scope::NAMES));
    let dry_run = fields.optional("dry_run", fields::lax_flag).unwrap_or(false);
    fields.finish(Some((scope.and_then(Scope::named).unwrap_or(Scope::All), dry_run)))
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"success": true, "records_deleted": {"replenishment_event": 0, "sales_returns": 66,
    "exogenous_signal": 0, "sales_daily": 3240, "inventory_snapshot_daily": 4320, "price_history": 16, "promotion": 7},
    "message": "7649 rows deleted (facts)", "dry_run": false}))]
pub(super) struct DeleteResult {
    /// Always true: what fails answers with a problem.
    success: bool,
    /// Rows by table, deleted or that would be.
    #[schema(value_type = std::collections::HashMap<String, i64>)]
    records_deleted: IndexMap<&'static str, i64>,
    /// For people.
    message: String,
    /// As asked.
    dry_run: bool,
}

impl From<Deleted> for DeleteResult {
    fn from(deleted: Deleted) -> Self {
        let rows: i64 = deleted.rows.values().sum();
        let would = if deleted.dry_run { "would be deleted" } else { "deleted" };
        Self {
            success: true,
            message: format!("{rows} rows {would} ({})", deleted.scope.name()),
            records_deleted: deleted.rows,
            dry_run: deleted.dry_run,
        }
    }
}

/// What the checks say.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerifyResult {
    /// No check failed.
    passed: bool,
    /// The checks.
    checks: Vec<CheckBody>,
    /// Length of `checks`.
    total_checks: usize,
    /// How many passed.
    passed_count: usize,
    /// How many warn.
    warning_count: usize,
    /// How many failed.
    failed_count: usize,
}

/// A check.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckBody {
    /// Its name.
    #[schema(example = "Foreign Key Integrity")]
    name: &'static str,
    /// `passed`, `warning` or `failed`.
    #[schema(example = "passed")]
    status: &'static str,
    /// For people.
    message: String,
    /// One line per finding.
    details: Option<Vec<String>>,
}

impl From<Vec<Check>> for VerifyResult {
    fn from(checks: Vec<Check>) -> Self {
        let count = |status| checks.iter().filter(|check| check.status == status).count();
        Self {
            passed: count(CheckStatus::Failed) == 0,
            total_checks: checks.len(),
            passed_count: count(CheckStatus::Passed),
            warning_count: count(CheckStatus::Warning),
            failed_count: count(CheckStatus::Failed),
            checks: checks
                .into_iter()
                .map(|check| CheckBody {
                    name: check.name,
                    status: check.status.name(),
                    message: check.message,
                    details: check.details,
                })
                .collect(),
        }
    }
}

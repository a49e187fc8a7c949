//! Daily sales. One thread reads and mends rows, the connection writes them, in one transaction.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use chrono::{Datelike, NaiveDate};
use csv::StringRecord;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use sqlx::{Connection, PgPool};
use tokio::sync::mpsc;

use super::rejects::Rejects;
use super::{ImportError, Progress, Source, Summary, store};
use crate::http::fields::{parse_date, parse_decimal};
use crate::slices::ingest::store::facts::{Sale, upsert_sales};
use crate::slices::ingest::{MOST_AMOUNT, MOST_PRICE};
use crate::tabular::{Header, Table};

/// What a quantity with a fraction becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FractionalQuantity {
    /// The nearest whole number, halves upwards.
    #[default]
    Round,
    /// The whole number below.
    Floor,
    /// The whole number above.
    Ceil,
    /// A rejected row.
    Reject,
}

/// What a row without a price becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MissingPrice {
    /// Price 0.00: from such rows no model learns anything about prices.
    #[default]
    Zero,
    /// The product's base price; a rejected row when it has none.
    BasePrice,
    /// A rejected row.
    Reject,
}

/// What a price or an amount with more than 2 decimals becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum TooManyDecimals {
    /// The nearest cent, halves upwards.
    #[default]
    Round,
    /// A rejected row.
    Reject,
}

/// What becomes of a column that flags days with a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum PromoFlag {
    /// A promotion for every unbroken run of flagged days of a series; repeated imports replace them.
    #[default]
    Promotions,
    /// Nothing.
    Ignore,
}

/// What becomes of days that the calendar does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum UnknownDays {
    /// They are added, not as holidays, with the days between them.
    #[default]
    Add,
    /// Rejected rows.
    Reject,
}

/// What becomes of stores and products that the database does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum UnknownKeys {
    /// Rejected rows.
    #[default]
    Reject,
    /// They are added, named like their codes.
    Add,
}

/// How untidy rows are mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SalesOptions {
    /// Quantities with a fraction.
    pub fractional_quantity: FractionalQuantity,
    /// Rows without a price.
    pub missing_price: MissingPrice,
    /// Prices and amounts with more than 2 decimals.
    pub too_many_decimals: TooManyDecimals,
    /// The `promo` column.
    pub promo_flag: PromoFlag,
    /// Days that the calendar does not have.
    pub unknown_days: UnknownDays,
    /// Stores and products that the database does not have.
    pub unknown_keys: UnknownKeys,
}

/// Rows per statement: large enough to make round trips cheap, small enough for a few MB of memory.
const BATCH: usize = 5_000;
/// Batches that wait for the connection.
const AHEAD: usize = 4;

/// Rows on their way to the connection.
#[derive(Default)]
struct Batch {
    sales: Vec<Sale>,
    new_days: Vec<NaiveDate>,
    new_stores: Vec<(i32, String)>,
    new_products: Vec<(i32, String)>,
}

/// Imports a file.
pub async fn import_sales(
    pool: &PgPool,
    source: Source,
    options: SalesOptions,
) -> Result<Summary, ImportError> {
    let started = Instant::now();
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let known = Known {
        stores: store::all_stores(&mut transaction).await?,
        products: store::all_products(&mut transaction).await?,
        days: store::all_days(&mut transaction).await?,
        reserved: if options.unknown_keys == UnknownKeys::Add {
            store::reserve_ids(&mut transaction).await?
        } else {
            (0, 0)
        },
    };
    let (sender, mut batches) = mpsc::channel(AHEAD);
    let file = source.file.display().to_string();
    let reader = tokio::task::spawn_blocking(move || Reader::open(&source, options, known)?.run(&sender));

    let mut written = 0;
    while let Some(Batch { sales, new_days, new_stores, new_products }) = batches.recv().await {
        store::add_stores(&mut transaction, &new_stores).await?;
        store::add_products(&mut transaction, &new_products).await?;
        store::add_days(&mut transaction, &new_days).await?;
        written += sales.len();
        upsert_sales(&mut transaction, sales, BATCH).await?;
    }
    let read = reader.await.map_err(|e| sqlx::Error::Io(std::io::Error::other(e)))??;
    let mut summary = read.summary;
    if summary.read > 0 && written == 0 {
        return Err(ImportError::NothingUsable {
            file,
            rows: summary.read,
            first: read.rejects.first().unwrap_or_default().to_owned(),
            rejects: read.rejects.finish()?.unwrap_or_default().display().to_string(),
        });
    }
    if let Some((first, last)) = read.span {
        let between = if options.unknown_days == UnknownDays::Add {
            store::fill_calendar(&mut transaction, first, last).await?
        } else {
            0
        };
        summary.note("calendar days added, not as holidays (--unknown-days)", read.days_added + between);
    }
    if let (true, Some(span)) = (read.has_promo, read.span) {
        let promotions = runs(read.promo_days);
        let series: Vec<Pair> = read.series.into_iter().collect();
        store::replace_promotions(&mut transaction, &series, span, &promotions).await?;
        summary.note("promotions made of flagged days (--promo-flag)", promotions.len());
    }
    if options.unknown_keys == UnknownKeys::Add {
        store::return_ids(&mut transaction).await?;
    }
    transaction.commit().await?;
    summary.written = written;
    summary.rejected = read.rejects.count();
    summary.rejects = read.rejects.finish()?;
    summary.elapsed = started.elapsed();
    Ok(summary)
}

/// What the database has.
struct Known {
    stores: HashMap<String, i32>,
    /// With the base price.
    products: HashMap<String, (i32, Option<Decimal>)>,
    days: HashSet<NaiveDate>,
    /// The next keys of added stores and products.
    reserved: (i32, i32),
}

/// Positions of our columns.
struct Layout {
    date: usize,
    store_code: usize,
    sku: usize,
    quantity: usize,
    unit_price: Option<usize>,
    total_amount: Option<usize>,
    promo: Option<usize>,
}

impl Layout {
    fn of(header: &Header, options: SalesOptions) -> Result<Self, ImportError> {
        Ok(Self {
            date: header.required(&["date"])?,
            store_code: header.required(&["store_code", "store"])?,
            sku: header.required(&["sku", "product"])?,
            quantity: header.required(&["quantity"])?,
            unit_price: header.optional(&["unit_price", "price"]),
            total_amount: header.optional(&["total_amount", "amount"]),
            promo: match options.promo_flag {
                PromoFlag::Promotions => header.optional(&["promo"]),
                PromoFlag::Ignore => None,
            },
        })
    }

    fn used(&self) -> Vec<usize> {
        let always = [self.date, self.store_code, self.sku, self.quantity];
        always
            .into_iter()
            .chain([self.unit_price, self.total_amount, self.promo].into_iter().flatten())
            .collect()
    }
}

/// A series: store and product.
type Pair = (i32, i32);

/// Reads and mends.
struct Reader {
    table: Table,
    progress: Progress,
    layout: Layout,
    options: SalesOptions,
    known: Known,
    batch: Batch,
    done: Read,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    rounded_quantities: usize,
    rounded_decimals: usize,
    missing_prices: usize,
    derived_amounts: usize,
    added_stores: usize,
    added_products: usize,
    reasons: HashMap<&'static str, usize>,
}

/// What reading leaves beside the batches.
struct Read {
    summary: Summary,
    rejects: Rejects,
    has_promo: bool,
    /// Every series of the file.
    series: HashSet<Pair>,
    promo_days: HashMap<Pair, BTreeSet<NaiveDate>>,
    span: Option<(NaiveDate, NaiveDate)>,
    days_added: usize,
}

/// Why a row is rejected: the kind for the summary, the sentence for the rejects file.
struct Reason {
    kind: &'static str,
    text: String,
}

fn reject<T>(kind: &'static str, text: impl Into<String>) -> Result<T, Reason> {
    Err(Reason { kind, text: text.into() })
}

impl Reader {
    fn open(source: &Source, options: SalesOptions, known: Known) -> Result<Self, ImportError> {
        let table = Table::open(&source.file, &source.format)?;
        let layout = Layout::of(&table.header, options)?;
        let summary =
            Summary { what: "sales", unused: table.header.unused(&layout.used()), ..Summary::default() };
        let done = Read {
            summary,
            rejects: Rejects::new(&source.rejects, table.header.names()),
            has_promo: layout.promo.is_some(),
            series: HashSet::new(),
            promo_days: HashMap::new(),
            span: None,
            days_added: 0,
        };
        Ok(Self {
            table,
            progress: source.progress.clone(),
            layout,
            options,
            known,
            batch: Batch::default(),
            done,
            counts: Counts::default(),
        })
    }

    fn run(mut self, batches: &mpsc::Sender<Batch>) -> Result<Read, ImportError> {
        let mut record = StringRecord::new();
        while let Some(row) = self.table.next(&mut record)? {
            self.done.summary.read += 1;
            match self.mend(&record) {
                Ok(sale) => self.batch.sales.push(sale),
                Err(reason) => {
                    *self.counts.reasons.entry(reason.kind).or_default() += 1;
                    self.done.rejects.add(row, &record, &reason.text)?;
                }
            }
            if self.batch.sales.len() == BATCH {
                self.progress.tell(&self.table);
                // The other end is gone when writing failed: its error is the one that counts.
                if batches.blocking_send(std::mem::take(&mut self.batch)).is_err() {
                    break;
                }
            }
        }
        self.progress.tell(&self.table);
        let _ = batches.blocking_send(std::mem::take(&mut self.batch));
        self.finish();
        Ok(self.done)
    }

    fn mend(&mut self, record: &StringRecord) -> Result<Sale, Reason> {
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let optional = |at: Option<usize>| at.map(cell).filter(|text| !text.is_empty());
        let date =
            parse_date(cell(self.layout.date)).map_err(|(_, text)| Reason { kind: "no date", text })?;
        if !YEARS.contains(&date.year()) {
            return reject(
                "no date",
                format!("the year of {date} is not within {} to {}", YEARS.start(), YEARS.end()),
            );
        }
        let (quantity, rounded) = self.quantity(cell(self.layout.quantity))?;
        let price =
            optional(self.layout.unit_price).map(|text| self.money("unit_price", text)).transpose()?;
        let amount =
            optional(self.layout.total_amount).map(|text| self.money("total_amount", text)).transpose()?;
        let flagged = optional(self.layout.promo).map(flag).transpose()?.unwrap_or(false);
        // Checked before anything is added or counted: a rejected row leaves no trace but its reason.
        if self.options.unknown_days == UnknownDays::Reject && !self.known.days.contains(&date) {
            return reject(
                "unknown day",
                format!("the calendar does not have {date}; --unknown-days add adds it"),
            );
        }
        let (code, sku) = (cell(self.layout.store_code), cell(self.layout.sku));
        let base_price = self.known.products.get(sku).and_then(|(_, price)| *price);
        let unit_price = match (price, self.options.missing_price) {
            (Some((price, _)), _) => price,
            (None, MissingPrice::Zero) => Decimal::ZERO,
            (None, MissingPrice::BasePrice) => match base_price {
                Some(price) => price,
                None => return reject("no price", "no unit_price, and the product has no base price"),
            },
            (None, MissingPrice::Reject) => {
                return reject("no price", "no unit_price; --missing-price zero takes it as 0.00");
            }
        };
        let total_amount = match amount {
            Some((amount, _)) => amount,
            None => derived_amount(unit_price, quantity)?,
        };
        let (store_id, product_id) = self.keys(code, sku)?;
        self.counts.rounded_quantities += usize::from(rounded);
        self.counts.missing_prices += usize::from(price.is_none());
        self.counts.derived_amounts += usize::from(amount.is_none());
        let decimals_rounded = [price, amount].into_iter().flatten().any(|(_, rounded)| rounded);
        self.counts.rounded_decimals += usize::from(decimals_rounded);
        self.count_day(date);
        if self.done.has_promo {
            self.done.series.insert((store_id, product_id));
        }
        if flagged {
            self.done.promo_days.entry((store_id, product_id)).or_default().insert(date);
        }
        Ok(Sale { store_id, product_id, date, quantity, unit_price, total_amount })
    }

    fn quantity(&self, text: &str) -> Result<(i32, bool), Reason> {
        let exact = parse_decimal(text).map_err(|(_, text)| Reason { kind: "no quantity", text })?;
        if exact.is_sign_negative() && !exact.is_zero() {
            return reject(
                "negative quantity",
                format!("the quantity {text} is negative; returns are not sales"),
            );
        }
        let whole = match self.options.fractional_quantity {
            _ if exact.is_integer() => exact,
            FractionalQuantity::Round => {
                exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
            }
            FractionalQuantity::Floor => exact.floor(),
            FractionalQuantity::Ceil => exact.ceil(),
            FractionalQuantity::Reject => {
                return reject(
                    "fractional quantity",
                    format!("the quantity {text} has a fraction; --fractional-quantity round rounds it"),
                );
            }
        };
        match whole.to_i32() {
            Some(quantity) => Ok((quantity, whole != exact)),
            None => reject("quantity too large", format!("the quantity {text} is above {}", i32::MAX)),
        }
    }

    /// A price or an amount, and whether it was rounded.
    fn money(&self, what: &str, text: &str) -> Result<(Decimal, bool), Reason> {
        let wrong = |text: String| Reason { kind: "no price or amount", text: format!("{what}: {text}") };
        let exact = parse_decimal(text).map_err(|(_, text)| wrong(text))?;
        let most = if what == "unit_price" { MOST_PRICE } else { MOST_AMOUNT };
        if exact.is_sign_negative() && !exact.is_zero() {
            return Err(wrong(format!("{text} is negative")));
        }
        let rounded = round(exact);
        if rounded != exact && self.options.too_many_decimals == TooManyDecimals::Reject {
            let text = format!("{text} has more than 2 decimals; --too-many-decimals round rounds it");
            return Err(wrong(text));
        }
        if rounded > most {
            return Err(wrong(format!("{text} is above {most}")));
        }
        Ok((rounded, rounded != exact))
    }

    fn keys(&mut self, code: &str, sku: &str) -> Result<Pair, Reason> {
        let adds = self.options.unknown_keys == UnknownKeys::Add;
        let store = self.known.stores.get(code).copied();
        let product = self.known.products.get(sku).map(|(id, _)| *id);
        if store.is_none() && !adds {
            return reject(
                "unknown store",
                format!("no store with code `{code}`; import stores first, or --unknown-keys add"),
            );
        }
        if product.is_none() && !adds {
            return reject(
                "unknown product",
                format!("no product with SKU `{sku}`; import products first, or --unknown-keys add"),
            );
        }
        if code.contains('\0') || sku.contains('\0') {
            return reject("store code", "the store code or the SKU contains the character NUL");
        }
        if !(1..=20).contains(&code.chars().count()) {
            return reject("store code", format!("the store code `{code}` must have 1 to 20 characters"));
        }
        if !(1..=50).contains(&sku.chars().count()) {
            return reject("SKU", format!("the SKU `{sku}` must have 1 to 50 characters"));
        }
        let store_id = store.unwrap_or_else(|| {
            let id = self.known.reserved.0;
            self.known.reserved.0 += 1;
            self.counts.added_stores += 1;
            self.known.stores.insert(code.to_owned(), id);
            self.batch.new_stores.push((id, code.to_owned()));
            id
        });
        let product_id = product.unwrap_or_else(|| {
            let id = self.known.reserved.1;
            self.known.reserved.1 += 1;
            self.counts.added_products += 1;
            self.known.products.insert(sku.to_owned(), (id, None));
            self.batch.new_products.push((id, sku.to_owned()));
            id
        });
        Ok((store_id, product_id))
    }

    fn count_day(&mut self, date: NaiveDate) {
        if self.known.days.insert(date) {
            self.batch.new_days.push(date);
            self.done.days_added += 1;
        }
        let (first, last) = self.done.span.unwrap_or((date, date));
        self.done.span = Some((first.min(date), last.max(date)));
    }

    fn finish(&mut self) {
        let (counts, summary) = (&mut self.counts, &mut self.done.summary);
        summary.note("stores added, named like their codes (--unknown-keys)", counts.added_stores);
        summary.note("products added, named like their SKUs (--unknown-keys)", counts.added_products);
        summary.note(
            "quantities with a fraction, made whole (--fractional-quantity)",
            counts.rounded_quantities,
        );
        summary
            .note("rows with more than 2 decimals, rounded (--too-many-decimals)", counts.rounded_decimals);
        summary.note("rows without a price (--missing-price)", counts.missing_prices);
        summary.note("rows without an amount: quantity times price", counts.derived_amounts);
        summary.reasons = counts.reasons.drain().map(|(reason, count)| (reason.to_owned(), count)).collect();
        summary.reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    }
}

fn derived_amount(price: Decimal, quantity: i32) -> Result<Decimal, Reason> {
    let amount = round(price * Decimal::from(quantity));
    if amount > MOST_AMOUNT {
        return reject(
            "no price or amount",
            format!("total_amount: quantity {quantity} times price {price} is above {MOST_AMOUNT}"),
        );
    }
    Ok(amount)
}

/// A mistyped year would fill the calendar with centuries.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

fn round(exact: Decimal) -> Decimal {
    exact.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn flag(text: &str) -> Result<bool, Reason> {
    match text {
        "0" | "0.0" | "false" | "False" | "no" => Ok(false),
        "1" | "1.0" | "true" | "True" | "yes" => Ok(true),
        other => reject("promo flag", format!("promo: `{other}` is neither 0 nor 1")),
    }
}

/// A promotion: series, first and last day.
pub(super) struct PromotionRun {
    pub(super) pair: Pair,
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
}

/// The unbroken runs of flagged days.
fn runs(days: HashMap<Pair, BTreeSet<NaiveDate>>) -> Vec<PromotionRun> {
    let mut runs: Vec<PromotionRun> = Vec::new();
    let mut series: Vec<_> = days.into_iter().collect();
    series.sort_by_key(|(pair, _)| *pair);
    for (pair, days) in series {
        for day in days {
            match runs.last_mut() {
                Some(run) if run.pair == pair && run.last.succ_opt() == Some(day) => run.last = day,
                _ => runs.push(PromotionRun { pair, first: day, last: day }),
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flagged_days_become_unbroken_runs_of_one_series() {
        let day = |d: u32| NaiveDate::from_ymd_opt(2024, 1, d).unwrap();
        let days = HashMap::from([
            ((1, 1), BTreeSet::from([day(1), day(2), day(4)])),
            ((1, 2), BTreeSet::from([day(5), day(6)])),
        ]);
        let found: Vec<_> = runs(days).into_iter().map(|run| (run.pair, run.first, run.last)).collect();
        assert_eq!(found, [((1, 1), day(1), day(2)), ((1, 1), day(4), day(4)), ((1, 2), day(5), day(6))]);
    }
}

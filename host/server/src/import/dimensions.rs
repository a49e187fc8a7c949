//! Stores and products.

use std::collections::HashMap;
use std::time::Instant;

use chrono::NaiveDate;
use csv::StringRecord;
use rust_decimal::Decimal;
use sqlx::{Connection, PgPool};

use super::rejects::Rejects;
use super::{ImportError, Source, Summary, store};
use crate::http::fields::{parse_date, parse_money};
use crate::slices::ingest::MOST_PRICE;
use crate::tabular::{Header, Table, TableError};

/// A store of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "`store_type` is the column's name")]
pub(super) struct Store {
    pub(super) code: String,
    pub(super) name: Option<String>,
    pub(super) region: Option<String>,
    pub(super) city: Option<String>,
    pub(super) store_type: Option<String>,
}

/// A product of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) sku: String,
    pub(super) name: Option<String>,
    pub(super) category: Option<String>,
    pub(super) subcategory: Option<String>,
    pub(super) brand: Option<String>,
    pub(super) lifecycle_stage: Option<String>,
    pub(super) base_price: Option<Decimal>,
    pub(super) base_cost: Option<Decimal>,
    pub(super) pack_size: Option<i32>,
    pub(super) launch_date: Option<NaiveDate>,
    pub(super) discontinue_date: Option<NaiveDate>,
}

const STAGES: [&str; 5] = ["intro", "growth", "maturity", "decline", "discontinued"];

/// Imports stores, by code.
pub async fn import_stores(pool: &PgPool, source: Source) -> Result<Summary, ImportError> {
    import(
        pool,
        source,
        "stores",
        |header| {
            Ok(vec![
                Some(header.required(&["store_code", "code"])?),
                header.optional(&["name", "store_name"]),
                header.optional(&["region"]),
                header.optional(&["city"]),
                header.optional(&["store_type"]),
            ])
        },
        |cells| {
            let code = key(cells.get(0), "store code", 20)?;
            Ok((
                code.clone(),
                Store {
                    name: words(cells.get(1), "name", 100)?,
                    region: words(cells.get(2), "region", 50)?,
                    city: words(cells.get(3), "city", 50)?,
                    store_type: words(cells.get(4), "store_type", 30)?,
                    code,
                },
            ))
        },
        async |connection, stores| store::upsert_stores(connection, &stores).await,
    )
    .await
}

/// Imports products, by SKU.
pub async fn import_products(pool: &PgPool, source: Source) -> Result<Summary, ImportError> {
    import(
        pool,
        source,
        "products",
        |header| {
            Ok(vec![
                Some(header.required(&["sku"])?),
                header.optional(&["name", "product_name"]),
                header.optional(&["category"]),
                header.optional(&["subcategory"]),
                header.optional(&["brand"]),
                header.optional(&["lifecycle_stage"]),
                header.optional(&["base_price"]),
                header.optional(&["base_cost"]),
                header.optional(&["pack_size"]),
                header.optional(&["launch_date"]),
                header.optional(&["discontinue_date"]),
            ])
        },
        |cells| product(cells).map(|product| (product.sku.clone(), product)),
        async |connection, products| store::upsert_products(connection, &products).await,
    )
    .await
}

fn product(cells: &Cells<'_>) -> Result<Product, String> {
    let sku = key(cells.get(0), "SKU", 50)?;
    let money = |at: usize, what: &str| {
        let read =
            |text: &str| parse_money(text, MOST_PRICE).map_err(|(_, reason)| format!("{what}: {reason}"));
        cells.get(at).map(read).transpose()
    };
    let day = |at: usize, what: &str| {
        let read = |text: &str| parse_date(text).map_err(|(_, reason)| format!("{what}: {reason}"));
        cells.get(at).map(read).transpose()
    };
    let lifecycle_stage = words(cells.get(5), "lifecycle_stage", 20)?;
    if let Some(stage) = lifecycle_stage.as_deref().filter(|stage| !STAGES.contains(stage)) {
        return Err(format!("lifecycle_stage: `{stage}` is not one of {}", STAGES.join(", ")));
    }
    let pack_size = match cells.get(8) {
        None => None,
        Some(text) => match text.parse::<i32>() {
            Ok(size) if size > 0 => Some(size),
            _ => return Err(format!("pack_size: `{text}` is not a whole number above 0")),
        },
    };
    let (launch_date, discontinue_date) = (day(9, "launch_date")?, day(10, "discontinue_date")?);
    if let (Some(launch), Some(end)) = (launch_date, discontinue_date)
        && end < launch
    {
        return Err(format!("discontinue_date {end} is before launch_date {launch}"));
    }
    Ok(Product {
        name: words(cells.get(1), "name", 200)?,
        category: words(cells.get(2), "category", 100)?,
        subcategory: words(cells.get(3), "subcategory", 100)?,
        brand: words(cells.get(4), "brand", 100)?,
        lifecycle_stage,
        base_price: money(6, "base_price")?,
        base_cost: money(7, "base_cost")?,
        pack_size,
        launch_date,
        discontinue_date,
        sku,
    })
}

/// The cells of a row in our order; empty ones are missing.
struct Cells<'a> {
    record: &'a StringRecord,
    layout: &'a [Option<usize>],
}

impl Cells<'_> {
    fn get(&self, ours: usize) -> Option<&str> {
        self.layout[ours].and_then(|at| self.record.get(at)).filter(|text| !text.is_empty())
    }
}

fn key(text: Option<&str>, what: &str, most: usize) -> Result<String, String> {
    words(text, what, most)?.ok_or_else(|| format!("the {what} is empty"))
}

fn words(text: Option<&str>, what: &str, most: usize) -> Result<Option<String>, String> {
    match text {
        // PostgreSQL's text cannot hold it.
        Some(text) if text.contains('\0') => Err(format!("{what}: contains the character NUL")),
        Some(text) if text.chars().count() > most => {
            Err(format!("{what}: has {} characters, at most {most} are kept", text.chars().count()))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

type Rows<T> = (HashMap<String, T>, Summary, Rejects);

async fn import<T: Send + 'static>(
    pool: &PgPool,
    source: Source,
    what: &'static str,
    layout: fn(&Header) -> Result<Vec<Option<usize>>, TableError>,
    parse: fn(&Cells<'_>) -> Result<(String, T), String>,
    write: impl AsyncFnOnce(&mut sqlx::PgConnection, Vec<T>) -> sqlx::Result<()>,
) -> Result<Summary, ImportError> {
    let started = Instant::now();
    let file = source.file.display().to_string();
    let read = tokio::task::spawn_blocking(move || read(&source, what, layout, parse));
    let (rows, mut summary, rejects) =
        read.await.map_err(|e| sqlx::Error::Io(std::io::Error::other(e)))??;
    if summary.read > 0 && rows.is_empty() {
        return Err(ImportError::NothingUsable {
            file,
            rows: summary.read,
            first: rejects.first().unwrap_or_default().to_owned(),
            rejects: rejects.finish()?.unwrap_or_default().display().to_string(),
        });
    }
    summary.written = rows.len();
    summary.rejected = rejects.count();
    summary
        .note("rows replaced by a later row of the same key", summary.read - summary.rejected - rows.len());
    let mut rows: Vec<(String, T)> = rows.into_iter().collect();
    // New keys get their ids in order of their codes.
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    write(&mut transaction, rows.into_iter().map(|(_, row)| row).collect()).await?;
    transaction.commit().await?;
    summary.rejects = rejects.finish()?;
    summary.elapsed = started.elapsed();
    Ok(summary)
}

fn read<T>(
    source: &Source,
    what: &'static str,
    layout: fn(&Header) -> Result<Vec<Option<usize>>, TableError>,
    parse: fn(&Cells<'_>) -> Result<(String, T), String>,
) -> Result<Rows<T>, ImportError> {
    let mut table = Table::open(&source.file, &source.format)?;
    let layout = layout(&table.header)?;
    let used: Vec<usize> = layout.iter().copied().flatten().collect();
    let mut summary = Summary { what, unused: table.header.unused(&used), ..Summary::default() };
    let mut rejects = Rejects::new(&source.rejects, table.header.names());
    let (mut rows, mut record) = (HashMap::new(), StringRecord::new());
    while let Some(row) = table.next(&mut record)? {
        summary.read += 1;
        match parse(&Cells { record: &record, layout: &layout }) {
            Ok((key, parsed)) => {
                rows.insert(key, parsed);
            }
            Err(reason) => {
                rejects.add(row, &record, &reason)?;
                match summary.reasons.first_mut() {
                    Some((_, count)) => *count += 1,
                    None => summary.reasons.push(("a value that does not fit".to_owned(), 1)),
                }
            }
        }
    }
    source.progress.tell(&table);
    Ok((rows, summary, rejects))
}

//! From a request to a feature set: read what is asked for in one snapshot, compute on the compute threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_core::featureset::{self, FeatureSet, FeatureSetConfig, FeatureSetError, Observed};
use retailcast_core::{Day, MissingDays};
use retailcast_runtime::{Call, ComputePool, Lane};
use sqlx::{PgConnection, PgPool};

use super::store::{self, Span};
use crate::compute::{self, ComputeError};

/// What feature sets need to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureSettings {
    /// Longest history, in days.
    pub max_lookback_days: u32,
    /// Longest lag, in rows.
    pub max_lag: u32,
    /// Longest rolling window, in rows.
    pub max_window: u32,
    /// What a day without a row means.
    pub missing_days: MissingDays,
    /// Longest a request may take.
    pub deadline: Duration,
}

impl FeatureSettings {
    /// The longest lag and its key.
    pub(super) fn lag(&self) -> (u32, &'static str) {
        (self.max_lag, "features.max_lag")
    }

    /// The longest window and its key.
    pub(super) fn window(&self) -> (u32, &'static str) {
        (self.max_window, "features.max_window")
    }
}

/// What to compute, of which series.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRequest {
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Last day that is looked at.
    pub cutoff: Day,
    /// Days before it that are looked at.
    pub lookback_days: u32,
    /// What to compute.
    pub config: FeatureSetConfig,
}

impl FeatureRequest {
    fn span(&self) -> Span {
        Span {
            store_id: self.store_id,
            product_id: self.product_id,
            first: self.cutoff + -(self.lookback_days as i32),
            last: self.cutoff,
        }
    }
}

/// A feature set and what it was made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// The features.
    pub set: FeatureSet,
    /// Schema hash of the configuration.
    pub config_hash: String,
    /// How days without a row were taken.
    pub missing_days: MissingDays,
}

/// Why there is no feature set.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesetsError {
    /// No sales in the window.
    #[error("no sales of product {product_id} in store {store_id} between {first} and {last}")]
    NoSales {
        /// The series.
        store_id: i32,
        /// The series.
        product_id: i32,
        /// The window.
        first: Day,
        /// The window.
        last: Day,
    },
    /// The configuration or the rows do not allow it.
    #[error(transparent)]
    Refused(#[from] FeatureSetError),
    /// The compute threads are busy or failed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Feature sets.
#[derive(Debug, Clone)]
pub struct Featuresets {
    pool: PgPool,
    compute: Arc<ComputePool>,
    settings: FeatureSettings,
}

impl Featuresets {
    /// On this database and these threads.
    pub fn new(pool: PgPool, compute: Arc<ComputePool>, settings: FeatureSettings) -> Self {
        Self { pool, compute, settings }
    }

    /// What it was set up with.
    pub fn settings(&self) -> &FeatureSettings {
        &self.settings
    }

    /// Computes a feature set.
    pub async fn compute(
        &self,
        request: FeatureRequest,
        request_id: &str,
    ) -> Result<Computed, FeaturesetsError> {
        featureset::check_columns(&request.config)?;
        warn_of_leakage(&request.config);
        let call = Call {
            id: request_id.to_owned(),
            deadline: Some(Instant::now() + self.settings.deadline),
            ..Call::default()
        };
        let observed = self.observed(&request).await?;
        let missing_days = self.settings.missing_days;
        let (config_hash, span) = (request.config.hash(), request.span());
        let set = compute::run(&self.compute, &Lane::host(), &call, move || {
            featureset::compute(&request.config, &observed, &(span.first..=span.last), missing_days)
        })
        .await??;
        Ok(Computed { set, config_hash, missing_days })
    }

    async fn observed(&self, request: &FeatureRequest) -> Result<Observed, FeaturesetsError> {
        // One snapshot: a promotion is seen together with the sales that it made, or not at all.
        let mut transaction =
            self.pool.begin_with("begin isolation level repeatable read, read only").await?;
        let observed = read(&mut transaction, request).await?;
        transaction.commit().await?;
        Ok(observed)
    }
}

/// What the families that are on need, and no more.
async fn read(connection: &mut PgConnection, request: &FeatureRequest) -> Result<Observed, FeaturesetsError> {
    let (span, config) = (request.span(), &request.config);
    let Span { store_id, product_id, first, last } = span;
    let sales = store::sales(connection, span).await?;
    if sales.is_empty() {
        return Err(FeaturesetsError::NoSales { store_id, product_id, first, last });
    }
    let mut observed = Observed { store_id, product_id, sales, ..Observed::default() };
    if config.calendar_config.as_ref().is_some_and(|calendar| calendar.include_is_holiday) {
        observed.holidays = store::holidays(connection, span).await?;
    }
    if config.exogenous_config.as_ref().is_some_and(|exogenous| exogenous.include_stockout_flag) {
        observed.stockouts = store::stockouts(connection, span).await?;
    }
    if config.lifecycle_config.is_some() {
        (observed.launch, observed.discontinue) = store::product_dates(connection, product_id).await?;
    }
    if config.promotion_config.is_some() {
        observed.promotions = store::promotions(connection, span).await?;
    }
    if config.replenishment_config.is_some() {
        observed.deliveries = store::deliveries(connection, span).await?;
    }
    Ok(observed)
}

fn warn_of_leakage(config: &FeatureSetConfig) {
    for (column, strategy) in featureset::leakage_risks(config) {
        tracing::warn!(
            column,
            strategy = strategy.name(),
            "leakage risk: this imputation looks ahead, as far as the cutoff day"
        );
    }
}

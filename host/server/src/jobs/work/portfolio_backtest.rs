//! Job `portfolio_backtest`: the body and the answer of `POST /backtesting/portfolio`, computed by many workers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_core::Day;
use retailcast_core::backtest::windows;
use retailcast_runtime::Scope;
use serde_json::{Map, Value, json};

use super::super::failure::Failure;
use super::super::store::chunks::ChunkResult;
use super::super::store::queue::Task;
use super::{Done, Runner, chunk_result, covered, covered_day, elapsed, outcomes};
use crate::slices::backtesting::portfolio::{self, PortfolioError, PortfolioRequest, PortfolioResult};
use crate::slices::forecasting::portfolio::{Outcome, Portfolio};

impl Runner {
    fn backtest_order(&self, params: &Map<String, Value>) -> Result<PortfolioRequest, Failure> {
        portfolio::read(params, self.forecasting.catalogue()).map_err(|errors| Failure::invalid(&errors))
    }

    pub(super) async fn plan_backtest(&self, params: &Map<String, Value>) -> Result<Done, Failure> {
        let order = self.backtest_order(params)?.order;
        let keys = self.forecasting.series_of(&order.selection).await?;
        self.backtesting.check_order(keys.len(), &order)?;
        let last = match order.end {
            Some(end) => Some(end),
            None => self.forecasting.last_day_of(&keys).await?,
        };
        let end = last.ok_or(PortfolioError::NothingSelected)?;
        let pairs: Vec<(i32, i32)> = keys.iter().map(|key| (key.store_id, key.product_id)).collect();
        let mut chunks = Vec::new();
        for (number, entry) in order.models.iter().enumerate() {
            let model = self.forecasting.model(&entry.model_type)?;
            let call = self.forecasting.call(&entry.label, end);
            let requirements = self.forecasting.requirements(&model, &entry.config, &call).await?;
            // A model that learns across series needs them all.
            let of_model = self.cut(&pairs, requirements.scope == Scope::Global);
            chunks.extend(
                of_model.map(|pairs| json!({"model": number, "end": end.to_string(), "series": pairs})),
            );
        }
        Ok(Done::FanOut(chunks))
    }

    pub(super) async fn backtest_chunk(
        &self,
        task: &Task,
        params: &Map<String, Value>,
    ) -> Result<Done, Failure> {
        let started = Instant::now();
        let order = self.backtest_order(params)?.order;
        let work = task.work.as_ref();
        let (model, end) = (covered::<usize>(work, "model")?, covered_day(work, "end")?);
        let pairs: Vec<(i32, i32)> = covered(work, "series")?;
        let entry = order.models.get(model).ok_or_else(|| Failure::internal("the chunk's model is none"))?;
        let portfolio = Arc::new(self.forecasting.load_pairs(&pairs, Some(end)).await?);
        let cut = windows(end, &order.windows);
        let (outcomes, _) =
            self.backtesting.outcomes(&portfolio, entry, &cut, order.windows.horizon, &|_| {}).await?;
        Ok(Done::Chunk(chunk_result(task, &portfolio, &outcomes, started)))
    }

    pub(super) async fn gather_backtest(
        &self,
        task: &Task,
        params: &Map<String, Value>,
    ) -> Result<Done, Failure> {
        let request = self.backtest_order(params)?;
        let mut order = request.order;
        let (end, by_model) = self.by_model(task, order.models.len()).await?;
        order.end = Some(end);
        let series: Vec<(i32, i32)> = by_model[0]
            .iter()
            .flat_map(|chunk| chunk.series.iter().map(|series| (series.store_id, series.product_id)))
            .collect();
        let portfolio = Arc::new(self.forecasting.load_pairs(&series, order.end).await?);
        let contest = self.backtesting.contest(portfolio, &order).await?;
        let mut scored = Vec::with_capacity(order.models.len());
        for (entry, chunks) in order.models.iter().zip(&by_model) {
            let outcomes = matching(&contest.portfolio, chunks, order.windows.horizon)?;
            let seconds: f64 = chunks.iter().map(|chunk| chunk.seconds).sum();
            let busy = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            scored.push(self.backtesting.score(&contest, &order, entry, outcomes, busy).await?);
        }
        let backtest = contest.rank(scored)?;
        let result = PortfolioResult::new(&backtest, request.include_series, elapsed(task));
        let result = serde_json::to_value(result).map_err(|e| Failure::internal(e.to_string()))?;
        Ok(Done::Result { result, run_id: None })
    }

    /// The last day, and the chunks of every model in order; at least one model.
    async fn by_model(&self, task: &Task, models: usize) -> Result<(Day, Vec<Vec<ChunkResult>>), Failure> {
        let chunks = self.chunks(task).await?;
        let end = covered_day(chunks.first().map(|(_, chunk)| &chunk.of), "end")?;
        let mut by_model = vec![Vec::new(); models.max(1)];
        for (_, chunk) in chunks {
            let model: usize = covered(Some(&chunk.of), "model")?;
            by_model
                .get_mut(model)
                .ok_or_else(|| Failure::internal("a chunk belongs to no model"))?
                .push(chunk);
        }
        Ok((end, by_model))
    }
}

/// What a model gave for exactly these series, or why that cannot be put together.
fn matching(
    portfolio: &Portfolio,
    chunks: &[ChunkResult],
    horizon: usize,
) -> Result<Vec<Vec<Outcome>>, Failure> {
    let series = chunks.iter().flat_map(|chunk| &chunk.series);
    let given = series.map(|series| (series.store_id, series.product_id));
    if !given.eq(portfolio.series.iter().map(|series| (series.key.store_id, series.key.product_id))) {
        return Err(Failure::value("series were deleted or added while the job ran; submit it again"));
    }
    let mut all = Vec::with_capacity(portfolio.series.len());
    for chunk in chunks {
        all.extend(outcomes(chunk, horizon)?);
    }
    Ok(all)
}

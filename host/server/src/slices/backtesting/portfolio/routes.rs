//! `POST /backtesting/portfolio`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{self, PortfolioBody, PortfolioRequest};
use super::export;
use super::result::PortfolioResult;
use super::service::{PortfolioBacktest, PortfolioError, Progress};
use crate::http::listing::weight;
use crate::http::openapi::ParquetFile;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, RequestId};
use crate::slices::forecasting;

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(portfolio))
}

/// Cross-validate models on many series
///
/// Fits every model on every selected series before each test window and forecasts the window, in parallel; answers a
/// leaderboard overall, by store, by category and by days ahead. A series that a model cannot forecast does not stop
/// the others: its status says why. Prices, promotions and holidays of the test days count as known. When the client
/// goes away, the work stops.
///
/// `Accept: text/event-stream` answers events: `progress` as series are done, then one `result` with the whole answer,
/// or one `error` with a problem body. `Accept: text/csv` and `application/vnd.apache.parquet` answer every forecast
/// beside what was sold.
#[utoipa::path(
    post, path = "/backtesting/portfolio", tag = "backtesting", request_body = PortfolioBody,
    responses(
        (status = 200, description = "The backtest, or its events, or its forecasts", content(
            (PortfolioResult = "application/json"), (String = "text/event-stream"), (String = "text/csv"),
            (ParquetFile = "application/vnd.apache.parquet"),
        )),
        (status = 400, description = "`/errors/bad-request`: nothing is selected, more than `backtest.max_portfolio_points` forecasts, no model can forecast anything, or a model is disabled", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database or the program failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: a plugin failed before it saw any series", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn portfolio(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let form = Form::of(&headers);
    let mut request = body::read(&body, app.forecasting.catalogue()).map_err(Problem::validation)?;
    if form == Form::Events {
        return Ok(events(app, request, request_id).into_response());
    }
    request.order.keep_forecasts = form != Form::Json;
    let started = Instant::now();
    let backtest = app.backtesting.portfolio(request.order, |_| {}).await.map_err(problem)?;
    form.answer(backtest, request.include_series, started.elapsed()).await
}

/// What the client wants to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Events,
    Csv,
    Parquet,
}

const EVENTS: &str = "text/event-stream";
const CSV: &str = "text/csv";
const PARQUET: &str = "application/vnd.apache.parquet";

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let kinds = [
            (Self::Parquet, PARQUET),
            (Self::Csv, CSV),
            (Self::Events, EVENTS),
            (Self::Json, "application/json"),
        ];
        // The last of the most wanted: a tie stays JSON, so that `*/*` does.
        kinds.into_iter().max_by_key(|(_, kind)| weight(accept, kind)).map_or(Self::Json, |(form, _)| form)
    }

    async fn answer(
        self,
        backtest: PortfolioBacktest,
        include_series: bool,
        elapsed: Duration,
    ) -> Result<Response, Problem> {
        // Millions of rows as text are no work for the reactor.
        let write = move || {
            let mut bytes = Vec::new();
            match self {
                Self::Json | Self::Events => {
                    let result = PortfolioResult::new(&backtest, include_series, elapsed);
                    return Ok(Json(result).into_response());
                }
                Self::Csv => export::csv(&backtest, &mut bytes).map_err(|e| Problem::internal(&e))?,
                Self::Parquet => export::parquet(&backtest, &mut bytes).map_err(|e| Problem::internal(&e))?,
            }
            let kind = if self == Self::Csv { "text/csv; charset=utf-8; header=present" } else { PARQUET };
            Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
        };
        tokio::task::spawn_blocking(write).await.map_err(|e| Problem::internal(&e))?
    }
}

/// The task of a stream: it ends with the stream.
struct Task(tokio::task::AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn events(
    app: Arc<App>,
    request: PortfolioRequest,
    request_id: String,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // Whoever reads slowly misses steps of progress, and never the result.
    let (sender, receiver) = mpsc::channel::<Progress>(16);
    let ended_id = request_id.clone();
    let work = tokio::spawn(async move {
        let started = Instant::now();
        let heard = |progress| {
            let _ = sender.try_send(progress);
        };
        match app.backtesting.portfolio(request.order, heard).await {
            Ok(backtest) => {
                let result = PortfolioResult::new(&backtest, request.include_series, started.elapsed());
                Event::default().event("result").json_data(result)
            }
            Err(error) => Event::default().event("error").json_data(problem(error).body(&request_id)),
        }
    });
    let task = Task(work.abort_handle());
    let progress = stream::unfold((receiver, task), async |(mut receiver, task)| {
        let progress = receiver.recv().await?;
        let event = Event::default().event("progress").json_data(json!({
            "model": progress.label, "series_done": progress.done, "series": progress.series,
            "series_incomplete": progress.incomplete,
        }));
        Some((event, (receiver, task)))
    });
    let end = stream::once(async move {
        work.await.unwrap_or_else(|e| {
            Event::default().event("error").json_data(Problem::internal(&e).body(&ended_id))
        })
    });
    // Numbers and texts only: writing them as JSON does not fail.
    let events = progress.chain(end).map(|event| Ok(event.unwrap_or_default()));
    Sse::new(events).keep_alive(KeepAlive::default())
}

fn problem(error: PortfolioError) -> Problem {
    match error {
        PortfolioError::NothingSelected
        | PortfolioError::TooMuch { .. }
        | PortfolioError::NothingForecast(_) => Problem::new(Code::BadRequest, format!("{error}.")),
        PortfolioError::Forecast(error) => forecasting::routes::problem(error),
    }
}
